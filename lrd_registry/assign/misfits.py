"""Why no rule set fits a model, with what is likely to help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from lrd_registry.assignment import Assignment
from lrd_registry.engine.problems import Coverage
from lrd_registry.engine.try_layouts import Found, find_prefixes, place_unsigned, place_where_signed
from lrd_registry.errors import CoverageError, NoFittingArchitectureError
from lrd_registry.model_names.compared import Names
from lrd_registry.registry.registry import Catalog
from lrd_registry.rule_files.schema import RuleSet


def explain_misfit(
    asked: Sequence[RuleSet] | None, readings: Sequence[Names], catalog: Catalog
) -> CoverageError:
    """What keeps rule sets from fitting.

    Args:
        asked: those that were tried; None for all that are registered.
        readings: the model's names, below the prefix that was asked for; the last is reported.
        catalog: the registered rule sets.
    """
    rule_sets, names = catalog.rule_sets if asked is None else asked, readings[-1]
    if not names.compared:
        return _nothing_there(rule_sets, names, catalog)
    signed = chain.from_iterable(
        place_where_signed(rule_sets, reading, catalog.get) for reading in readings
    )
    nearest = _nearest(signed) or _nearest(place_unsigned(rule_sets, names, catalog.get))
    assert nearest is not None, "a rule set has a layout, and one without its signature has faults"
    found = []
    if not nearest.is_only_outside:
        found = find_prefixes(rule_sets, names, catalog.get)
    if asked is None:
        return _none_fits(nearest, rule_sets, found, catalog)
    what = f"rule set {nearest.arch!r} does not fit this model{_under(names)}"
    return nearest.error(f"{what}, {_elsewhere(found, catalog)}" if found else None)


def _nearest(results: Iterable[Assignment | Coverage]) -> Coverage | None:
    coverages = [result for result in results if isinstance(result, Coverage)]
    return min(coverages, key=lambda coverage: coverage.faults, default=None)


def _nothing_there(rule_sets: Sequence[RuleSet], names: Names, catalog: Catalog) -> CoverageError:
    what = f"no parameter of this model is{_under(names)}"
    tops = dict.fromkeys(written.partition(".")[0] for written in names.written.values())
    found = find_prefixes(rule_sets, names, catalog.get)
    instead = _elsewhere(found, catalog) if found else f"but under {', '.join(tops)}"
    return CoverageError(f"{what}, {instead}", missing=(f"prefix: {names.prefix}",))


def _none_fits(
    nearest: Coverage, rule_sets: Sequence[RuleSet], found: Sequence[Found], catalog: Catalog
) -> NoFittingArchitectureError:
    tried = _tried(rule_sets, catalog)
    message = f"no rule set fits this model{_under(nearest.names)} completely ({tried})"
    if found:
        message = f"{message}, {_elsewhere(found, catalog)}"
    else:
        message = (
            f"{message}. The nearest is {nearest.arch!r} (layout {nearest.layout!r}), but for:\n"
            f"{nearest.describe()}\n{nearest.advice(_WRITE)}"
        )
    return NoFittingArchitectureError(message, nearest.arch, nearest.error(message))


def _tried(rule_sets: Sequence[RuleSet], catalog: Catalog) -> str:
    tried = "tried: " + ", ".join(rules.arch for rules in rule_sets)
    faulty = ", ".join(catalog.faulty_files())
    return f"{tried}; not tried, because at fault: {faulty}" if faulty else tried


def _elsewhere(found: Sequence[Found], catalog: Catalog) -> str:
    """Where in the model something fits, and how to say so."""
    places = " and ".join(
        f"{f.arch!r} (layout {f.layout!r}) fits what is under {f.prefix!r}" for f in found
    )
    calls = "\n".join(_call(place, catalog) for place in found)
    several = "" if len(found) == 1 else " For several of them, write a rule file with parts."
    return (
        f"but {places}:\n{calls}\nThis trains what is outside at the full learning rate; without "
        f'outside="head", it is an error.{several}'
    )


def _call(found: Found, catalog: Catalog) -> str:
    arch = f'"{found.arch}"' if found.arch in catalog.by_name else "…"
    where = f'prefix="{found.prefix}", outside="head"'
    return f"    build_param_groups(model, arch={arch}, {where})"


def _under(names: Names) -> str:
    return f" under {names.prefix!r}" if names.prefix else ""


_WRITE = (
    "Have a rule file drafted from the model, read it, and pass it: lrd init MODEL -o my.yaml, "
    'arch="my.yaml"; arch="infer" takes such a draft as it is.'
)

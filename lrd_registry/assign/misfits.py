"""Why no rule set fits a model, with what is likely to help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from lrd_registry.assign.model_origin import how_to_draft
from lrd_registry.assignment import Assignment
from lrd_registry.engine.problems import Coverage
from lrd_registry.engine.try_layouts import Found, find_prefixes, place_unsigned, place_where_signed
from lrd_registry.errors import CoverageError, NoFittingArchitectureError
from lrd_registry.model_names.compared import Names
from lrd_registry.model_names.wrappers import unwrap
from lrd_registry.registry.registry import Catalog
from lrd_registry.rule_files.schema import RuleSet


def explain_misfit(
    asked: Sequence[RuleSet] | None,
    readings: Sequence[Names],
    catalog: Catalog,
    kind: str | None = None,
) -> CoverageError:
    """What keeps rule sets from fitting.

    Args:
        asked: those that were tried; None for all that are registered.
        readings: the model's names, below the prefix that was asked for; the last that is no
            guess is reported.
        catalog: the registered rule sets.
        kind: the class that told which layouts were tried.
    """
    rule_sets = catalog.rule_sets if asked is None else asked
    find = catalog.find if asked is None else catalog.get
    names = [reading for reading in readings if not reading.is_guess][-1]
    if not names.compared:
        return _nothing_there(rule_sets, names, catalog)
    signed = chain.from_iterable(
        place_where_signed(rule_sets, reading, find, kind=kind) for reading in readings
    )
    signed_nearest = _nearest(signed)
    nearest = signed_nearest or _nearest(place_unsigned(rule_sets, names, find, kind=kind))
    assert nearest is not None, "a rule set has a layout, and one without its signature has faults"
    found = []
    if not nearest.is_only_outside:
        found = find_prefixes(rule_sets, names, catalog.find)
    if asked is None:
        is_near = _is_near(nearest, is_signed=signed_nearest is not None)
        return _none_fits(nearest, _tried(rule_sets, catalog), found, catalog, is_near=is_near)
    what = f"rule set {nearest.arch!r} does not fit this model{_under(names)}"
    return nearest.error(f"{what}, {_elsewhere(found, catalog)}" if found else None)


NEAR = 0.5
"""The share of a model's parameters that a rule set must cover to be named as the nearest.

On 132 models that none fits, one of each family in timm, torchvision and transformers, what knew a
model by its signature covered 95 % of it or more (a ViT with something of its own: Hiera, CaiT,
SAM, YOLOS, OWL-ViT), or 41 % and less (GroupViT, BLIP). Without its signature, a rule set covers
anything from 0 to 100 % of a model that it has nothing to do with, such as ConvNeXt's 98 % of a
ResNet, so none of these is ever named.
"""


MANY = 8
"""How many rule sets a message names one by one."""


def _nearest(results: Iterable[Assignment | Coverage]) -> Coverage | None:
    coverages = [result for result in results if isinstance(result, Coverage)]
    return min(coverages, key=lambda coverage: coverage.faults, default=None)


def _is_near(nearest: Coverage, *, is_signed: bool) -> bool:
    """Whether to name a rule set as the nearest; without its signature, only a part is near it."""
    if is_signed:
        return nearest.covered >= NEAR
    return nearest.is_a_part and nearest.covered == 1


def _nothing_there(rule_sets: Sequence[RuleSet], names: Names, catalog: Catalog) -> CoverageError:
    what = f"no parameter of this model is{_under(names)}"
    tops = dict.fromkeys(written.partition(".")[0] for written in names.written.values())
    found = find_prefixes(rule_sets, names, catalog.find)
    instead = _elsewhere(found, catalog) if found else f"but under {', '.join(tops)}"
    return CoverageError(f"{what}, {instead}", missing=(f"prefix: {names.prefix}",))


def _none_fits(
    nearest: Coverage, tried: str, found: Sequence[Found], catalog: Catalog, *, is_near: bool
) -> NoFittingArchitectureError:
    names = nearest.names
    message = f"no rule set fits this model{_under(names)} completely ({tried})"
    if found:
        message = f"{message}, {_elsewhere(found, catalog)}"
    elif is_near:
        message = (
            f"{message}. The nearest is {nearest.arch!r} (layout {nearest.layout!r}), but for:\n"
            f"{nearest.describe()}\n{nearest.advice(_have_one_drafted(names))}"
        )
    else:
        message = f"{message}, and none comes near.\n{_have_one_drafted(names)}"
    arch = nearest.arch if is_near else None
    return NoFittingArchitectureError(message, arch, nearest.error(message))


def _tried(rule_sets: Sequence[RuleSet], catalog: Catalog) -> str:
    names = [rules.arch for rules in rule_sets]
    shown = ", ".join(names) if len(names) <= MANY else f"the {len(names)} that lrd list shows"
    tried = f"tried: {shown}"
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


def _have_one_drafted(names: Names) -> str:
    """The way to a rule file for a model that none fits, in one line."""
    if names.module is None or names.are_alone:
        how, as_it_is = f"with the module, {how_to_draft(None)}", ""
    elif names.prefix:
        how, as_it_is = how_to_draft(None, f'model.get_submodule("{names.prefix}")'), ""
    else:
        how = how_to_draft(unwrap(names.module))
        as_it_is = ' arch="infer" takes such a draft as it is.'
    return f'Have one drafted, and read it: {how}; then pass arch="my.yaml".{as_it_is}'

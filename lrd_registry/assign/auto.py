"""Which of several rule sets, and which of their layouts, fits a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from lrd_registry.assign.misfits import explain_misfit
from lrd_registry.assignment import Assignment
from lrd_registry.engine.layers_by import LayersBy
from lrd_registry.engine.try_layouts import place_by_class, place_where_signed
from lrd_registry.errors import AmbiguousArchitectureError
from lrd_registry.model_names.compared import Names
from lrd_registry.registry.registry import Catalog
from lrd_registry.rule_files.schema import RuleSet

SHOWN = 5
"""How many parameters a message lists."""


def fit(
    rule_sets: Sequence[RuleSet] | None,
    readings: Sequence[Names],
    catalog: Catalog,
    *,
    layers_by: LayersBy = "published",
    prefix: str = "",
    joins_head: bool = False,
) -> Assignment:
    """The assignment of the one layout that fits.

    A model of a class that a layout is for is tried there and nowhere else; of any other, the
    names decide.

    Args:
        rule_sets: those that may; None for all that are registered.
        readings: the model's names; the first reading that a layout fits is taken.
        catalog: the registered rule sets, of which others are composed.
        layers_by: how finely blocks are told apart.
        prefix: where the backbone is; `""` is the model's top.
        joins_head: whether parameters beside the prefix join the head.

    Raises:
        CoverageError: none fits; every parameter at fault is named.
        AmbiguousArchitectureError: more than one does, and they differ in some layer.
    """
    below = [reading.under(prefix, joins_head=joins_head) for reading in readings]
    kind = _known_class(rule_sets, below[0], catalog)
    asked = catalog.rule_sets_of(kind) if kind and rule_sets is None else rule_sets
    find = catalog.find if rule_sets is None else catalog.get
    for names in below:
        tried = catalog.rule_sets_for(names.known) if asked is None else asked
        results = place_where_signed(
            tried, names, find, kind=kind, layers_by=layers_by, likely=asked is None
        )
        if kind and not results:
            results = place_by_class(tried, names, find, kind, layers_by)
        fitting = [result for result in results if isinstance(result, Assignment)]
        if fitting:
            return _the_one(fitting)
    raise explain_misfit(asked, below, catalog, kind)


def _known_class(rule_sets: Sequence[RuleSet] | None, names: Names, catalog: Catalog) -> str | None:
    """The class of a model, or the nearest of its bases, that a layout is for."""
    if rule_sets is None:
        return catalog.known_class(names.classes)
    known = [_classes(rules) for rules in rule_sets]
    return next((name for name in names.classes if any(name in each for each in known)), None)


@lru_cache(maxsize=256)
def _classes(rules: RuleSet) -> frozenset[str]:
    """The classes that a rule set's layouts are for."""
    return frozenset(name for layout in rules.layouts.values() for name in layout.classes)


def _the_one(fitting: Sequence[Assignment]) -> Assignment:
    """The first of several that put each parameter into the same layer."""
    first, *others = fitting
    for other in others:
        if other.fingerprint() != first.fingerprint():
            raise _ambiguous(fitting, first, other)
    return first


def _ambiguous(
    fitting: Sequence[Assignment], one: Assignment, other: Assignment
) -> AmbiguousArchitectureError:
    candidates = [f"{result.arch}/{result.layout}" for result in fitting]
    torn = [name for name in one if one[name].level != other[name].level]
    rows = [f"\n  {name}: layer {one[name].layer}, or {other[name].layer}" for name in torn[:SHOWN]]
    more = f"\n  … and {len(torn) - SHOWN} more" if len(torn) > SHOWN else ""
    return AmbiguousArchitectureError(
        f"{len(fitting)} layouts fit this model: {', '.join(candidates)}; they differ in the layer "
        f"of {len(torn)} of its {len(one)} parameters:{''.join(rows)}{more}\n"
        "Choose with arch=…, or give the layouts signatures that tell them apart.",
        candidates=candidates,
    )

"""Rule sets on one model's names: what comes of each layout, wherever it may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from lrd_registry.assignment import Assignment
from lrd_registry.engine.compile_layout import CompiledLayout, Plan, compile_layout, plan_layers
from lrd_registry.engine.layers_by import LayersBy
from lrd_registry.engine.place import place
from lrd_registry.engine.problems import Coverage
from lrd_registry.engine.recall import recall
from lrd_registry.engine.signature import Signatures
from lrd_registry.engine.towers import FindRuleSet, plan_parts
from lrd_registry.model_names.compared import Names
from lrd_registry.rule_files.layout import Layout
from lrd_registry.rule_files.schema import RuleSet

DEEPEST = 16
"""How many modules may be around a backbone."""


class Found(NamedTuple):
    """A rule set that fits what is under a prefix."""

    prefix: str
    arch: str
    layout: str


def find_prefixes(rule_sets: Iterable[RuleSet], names: Names, find: FindRuleSet) -> list[Found]:
    """The outermost prefixes under which a rule set fits, in the model's order."""
    rule_sets = list(rule_sets)
    layouts = (layout for rules in rule_sets for _, _, layout in _standing(rules))
    signatures = Signatures(layout.signature for layout in layouts)
    found: list[Found] = []
    for prefix, below in _by_path(names.written.values()).items():
        is_inside = any(prefix.startswith(f"{outer.prefix}.") for outer in found)
        if not is_inside and signatures.any_is_on(below):
            results = place_where_signed(rule_sets, names.under(prefix, joins_head=True), find)
            fits = [result for result in results if isinstance(result, Assignment)]
            apart = {fit.fingerprint(): fit for fit in reversed(fits)}  # the first of those alike
            found += [Found(prefix, fit.arch, fit.layout) for fit in reversed(apart.values())]
    return found


def _by_path(names: Iterable[str]) -> dict[str, dict[str, None]]:
    """What is below the path of each module that holds parameters, the outer before the inner."""
    below: dict[str, dict[str, None]] = {}
    for name in names:
        path, dot, rest = "", "", name
        for _ in range(min(name.count("."), DEEPEST)):
            segment, _, rest = rest.partition(".")
            path, dot = f"{path}{dot}{segment}", "."
            below.setdefault(path, {})[rest] = None
    return below


Results: TypeAlias = list[Assignment | Coverage]


def place_where_signed(
    rule_sets: Iterable[RuleSet],
    names: Names,
    find: FindRuleSet,
    *,
    kind: str | None = None,
    layers_by: LayersBy = "published",
    likely: bool = False,
) -> Results:
    """What comes of each layout, under each prefix, at which the model has its signature.

    Args:
        rule_sets: whose layouts.
        names: the model's.
        find: gives the rule set of a name.
        kind: only the layouts that are for this class.
        layers_by: how finely blocks are told apart.
        likely: leave those out whose patterns are for names that begin in other ways.
    """
    known = names.known
    return [
        recall(plan, names, "class" if kind else "names")
        for rules in rule_sets
        for name, prefix, layout in _standing(rules, kind)
        if layout.signature.is_on(known) and not (likely and _begin_otherwise(layout, names))
        for plan in _plans(rules, name, names, find, prefix, layers_by=layers_by)
    ]


def place_unsigned(
    rule_sets: Iterable[RuleSet], names: Names, find: FindRuleSet, *, kind: str | None = None
) -> Results:
    """What comes of each layout although the model has the signature of none."""
    return [
        place(plan, names)
        for rules in rule_sets
        for name, layout in rules.layouts.items()
        if kind is None or kind in layout.classes
        for plan in _plans(rules, name, names, find, missing=_missing(layout, names))
    ]


def place_by_class(
    rule_sets: Iterable[RuleSet],
    names: Names,
    find: FindRuleSet,
    kind: str,
    layers_by: LayersBy = "published",
) -> Results:
    """What comes of the layouts that are for a class, whatever their signatures."""
    return [
        result
        for rules in rule_sets
        for name, layout in rules.layouts.items()
        if kind in layout.classes
        for result in place_by_layout(rules, name, names, find, layers_by)
    ]


def place_by_layout(
    rules: RuleSet,
    layout: str,
    names: Names,
    find: FindRuleSet,
    layers_by: LayersBy = "published",
) -> Results:
    """What comes of one layout, under each of its prefixes, whatever its signature."""
    return [
        place(plan, names, "class")
        for prefix in rules.layouts[layout].prefixes
        for plan in _plans(rules, layout, names, find, prefix, layers_by=layers_by)
    ]


@lru_cache(maxsize=1024)
def _standing(
    rules: RuleSet, kind: str | None = None
) -> tuple[tuple[str, str, CompiledLayout], ...]:
    """Each layout by name, under each of its prefixes; of a class, those that are for it."""
    return tuple(
        (name, prefix, compile_layout(layout, prefix))
        for name, layout in rules.layouts.items()
        if kind is None or kind in layout.classes
        for prefix in layout.prefixes
    )


def _begin_otherwise(layout: CompiledLayout, names: Names) -> bool:
    """Whether a model has names that begin as none of a layout's patterns does."""
    return layout.first_segments is not None and not names.first_segments <= layout.first_segments


def _plans(
    rules: RuleSet,
    layout: str,
    names: Names,
    find: FindRuleSet,
    prefix: str = "",
    missing: tuple[str, ...] = (),
    layers_by: LayersBy = "published",
) -> Iterator[Plan]:
    if rules.layouts[layout].parts:
        yield from plan_parts(rules, layout, names, find, missing, layers_by, prefix)
    else:
        yield plan_layers(rules, layout, prefix, missing, layers_by)


def _missing(layout: Layout, names: Names) -> tuple[str, ...]:
    missing = compile_layout(layout).signature.missing(names.known)
    return tuple(f"signature: {pattern}" for pattern in missing)

"""Rule sets on one model's names: what comes of each layout, wherever it may be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from lrd_registry.layers.assignment import Assignment
from lrd_registry.names.compared import Names
from lrd_registry.placing.coverage import Coverage
from lrd_registry.placing.parts import FindRuleSet, plan_parts
from lrd_registry.placing.placing import place
from lrd_registry.placing.plans import Plan, plan_layers
from lrd_registry.rule_files.layout import Layout
from lrd_registry.rule_files.schema import RuleSet
from lrd_registry.rule_files.signature import Signature

Results: TypeAlias = list[Assignment | Coverage]


def is_signed(rule_sets: Iterable[RuleSet], names: Collection[str]) -> bool:
    """Whether any layout has its signature among names."""
    return any(
        signature.is_on(names)
        for rules in rule_sets
        for layout in rules.layouts.values()
        for signature in layout.signatures.values()
    )


def place_where_signed(
    rule_sets: Iterable[RuleSet], names: Names, find: FindRuleSet, *, likely: bool = False
) -> Results:
    """What comes of each layout, under each prefix, at which the model has its signature.

    With `likely`, those are left out whose patterns are for names that begin in other ways.
    """
    return [
        place(plan, names)
        for rules in rule_sets
        for name, layout in rules.layouts.items()
        for prefix, signature in layout.signatures.items()
        if (not likely or _may_cover(layout, prefix, names)) and signature.is_on(names.known)
        for plan in _plans(rules, name, names, find, prefix)
    ]


def place_unsigned(rule_sets: Iterable[RuleSet], names: Names, find: FindRuleSet) -> Results:
    """What comes of each layout although the model has the signature of none."""
    return [
        place(plan, names)
        for rules in rule_sets
        for name, layout in rules.layouts.items()
        for plan in _plans(rules, name, names, find, missing=_missing(layout.signatures[""], names))
    ]


def place_by_layout(rules: RuleSet, layout: str, names: Names, find: FindRuleSet) -> Results:
    """What comes of one layout, under each of its prefixes, whatever its signature."""
    return [
        place(plan, names)
        for prefix in rules.layouts[layout].signatures
        for plan in _plans(rules, layout, names, find, prefix)
    ]


def _may_cover(layout: Layout, prefix: str, names: Names) -> bool:
    firsts = layout.first_segments[prefix]
    return firsts is None or names.first_segments <= firsts


def _plans(
    rules: RuleSet,
    layout: str,
    names: Names,
    find: FindRuleSet,
    prefix: str = "",
    missing: tuple[str, ...] = (),
) -> Iterator[Plan]:
    if rules.layouts[layout].parts:
        yield from plan_parts(rules, layout, names, find, missing)
    else:
        yield plan_layers(rules, layout, prefix, missing)


def _missing(signature: Signature, names: Names) -> tuple[str, ...]:
    return tuple(f"signature: {pattern}" for pattern in signature.missing(names.known))

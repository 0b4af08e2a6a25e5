"""A layout of parts on one model: which rule set each part follows, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import NamedTuple, TypeAlias

from lrd_registry.engine.clauses import Clause
from lrd_registry.engine.compile_layout import (
    CompiledEntry,
    CompiledLayout,
    Plan,
    clauses_of,
    compile_entry,
    compile_layout,
)
from lrd_registry.engine.layers_by import LayersBy
from lrd_registry.model_names.compared import Names
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.layout import Layout, Part
from lrd_registry.rule_files.schema import RuleSet

FindRuleSet: TypeAlias = Callable[[str], RuleSet | None]


class _Place(NamedTuple):
    """A part where it is in the model: its entries and clauses, and what its rule set adds."""

    part: str
    prefix: str
    layout: CompiledLayout
    no_weight_decay: tuple[Pattern, ...]


def plan_parts(
    rules: RuleSet,
    layout_name: str,
    names: Names,
    find: FindRuleSet,
    missing: tuple[str, ...],
    layers_by: LayersBy,
    within: str = "",
) -> Iterator[Plan]:
    """The plans of a layout of parts: one for each choice of what the parts are.

    A part for which nothing can be chosen is left out, and among what is missing.

    Args:
        rules: the rule set.
        layout_name: the layout's, which has parts.
        names: the model's.
        find: gives the rule set of a name; None where it is to be passed over.
        missing: what keeps the plan from fitting, besides.
        layers_by: how finely blocks are told apart.
        within: under which of the layout's prefixes (`""`: at the top).
    """
    layout = rules.layouts[layout_name]
    parts = layout.parts.items()
    choices = {
        name: list(_places(name, part, names, find, layers_by, within)) for name, part in parts
    }
    absent = tuple(_say_absent(name, part) for name, part in parts if not choices[name])
    for places in product(*filter(None, choices.values())):
        yield Plan(
            rules.arch,
            layout_name,
            tuple(_entries(places, layout, within)),
            tuple(_clauses(places, layout, within)),
            (*rules.no_weight_decay, *(p for place in places for p in place.no_weight_decay)),
            rules.tied,
            (
                *compile_layout(layout, within).waivers,
                *(w for place in places for w in place.layout.waivers),
            ),
            before=layout.before,
            roots=("", *(place.prefix for place in places if place.prefix)),
            missing=missing + absent,
        )


def _places(
    name: str, part: Part, names: Names, find: FindRuleSet, layers_by: LayersBy, within: str
) -> Iterator[_Place]:
    """Where a part may be in the model, and what it may be there."""
    for prefix in (".".join(filter(None, (within, own))) for own in part.prefixes):
        below = names.below(prefix)
        if part.own and below:
            yield _Place(name, prefix, compile_layout(part.own, "", prefix, layers_by), ())
        for rules in filter(None, map(find, part.rules)):
            exempt = tuple(pattern.under(prefix) for pattern in rules.no_weight_decay)
            for layout in rules.layouts.values():
                for own in layout.prefixes if layout.layers else ():
                    if compile_layout(layout, own).signature.is_on(below):
                        standing = compile_layout(layout, own, prefix, layers_by)
                        yield _Place(name, prefix, standing, exempt)


def _entries(places: Iterable[_Place], layout: Layout, within: str) -> Iterator[CompiledEntry]:
    for part, _, placed, _ in places:
        for entry in placed.entries:
            yield entry._replace(name=f"{part}.{entry.name}", part=part)
    for name, one in layout.outside.items():
        yield compile_entry(name, one, _standing(one, within))._replace(part=name)


def _clauses(places: Iterable[_Place], layout: Layout, within: str) -> Iterator[Clause]:
    count = 0
    for place in places:
        for clause in place.layout.clauses:
            yield clause._replace(entry=count + clause.entry)
        count += len(place.layout.entries)
    for position, entry in enumerate(layout.outside.values(), start=count):
        yield from clauses_of(position, entry.indices, {"match": _standing(entry, within)})


def _standing(entry: Entry, within: str) -> tuple[Pattern, ...]:
    """The patterns of an entry beside the parts, as they stand in the model."""
    match = tuple(pattern.under(within) for pattern in entry.match)
    return (*match, *entry.outside) if within else match


def _say_absent(name: str, part: Part) -> str:
    if part.own:
        return f"part {name}: no parameter is {part.where}"
    return f"part {name}: {part.where} is nothing that {' or '.join(part.rules)} is known by"

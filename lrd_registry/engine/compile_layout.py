"""A layout as it stands on one model: what is to be matched, and how the matches make layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

from lrd_registry.assignment import Waived
from lrd_registry.engine.clauses import ROLES, Clause, Role
from lrd_registry.engine.layers_by import LayersBy, grain_of
from lrd_registry.engine.signature import Signature
from lrd_registry.patterns.matching import Matcher
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.every import Table
from lrd_registry.rule_files.layout import Layout
from lrd_registry.rule_files.schema import RuleSet, Tied

Patterns: TypeAlias = dict[Role, tuple[Pattern, ...]]
"""An entry's patterns by their roles."""


class CompiledEntry(NamedTuple):
    """An entry as it stands in a model.

    Attributes:
        name: its name in the whole.
        match: the patterns of its parameters, of which the first tells the indices.
        indices: the names of the indices that tell its layers apart.
        every: how many neighbours along the last index share one layer.
        by_stage: whether all along the last index share one.
        optional: whether a model may have no parameters here.
        part: the part whose layers it makes.
    """

    name: str
    match: tuple[Pattern, ...]
    indices: tuple[str, ...]
    every: int | Table
    optional: bool
    part: str = ""
    by_stage: bool = False


class CompiledLayout:
    """A layout of layers as it stands in a model; what is not asked for is not worked out.

    Args:
        layout: the layout, as the rule file has it.
        prefix: under which of its prefixes (`""`: at the top). Beside one, the entries have
            their patterns from `outside` too.
        within: where in a larger model all of this is.
        layers_by: how finely blocks are told apart.
    """

    def __init__(self, layout: Layout, prefix: str, within: str, layers_by: LayersBy) -> None:
        self._layers_by = layers_by
        self._layout = layout
        self._prefix = prefix
        self._within = within

    @cached_property
    def signature(self) -> Signature:
        """What a model must have for the layout to be tried."""
        return Signature(map(self._moved, self._layout.signature))

    @cached_property
    def entries(self) -> tuple[CompiledEntry, ...]:
        """The entries in forward order."""
        return tuple(
            compile_entry(name, entry, patterns["match"], self._layers_by)
            for name, entry, patterns in self._standing
        )

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """All patterns of all entries, each with what it does there."""
        return tuple(
            clause
            for position, (_, _, patterns) in enumerate(self._standing)
            for clause in clauses_of(position, self.entries[position].indices, patterns)
        )

    @cached_property
    def waivers(self) -> tuple[Waived, ...]:
        """The parameters whose layer may contradict the order of their use."""
        return tuple(
            Waived(tuple(map(self._moved, waiver.parameters)), waiver.why)
            for waiver in self._layout.waivers
        )

    @cached_property
    def first_segments(self) -> frozenset[str] | None:
        """With what the names begin that its patterns match; None: anything."""
        found = {clause.pattern.first for clause in self.clauses}
        return frozenset(first for first in found if first) if found and None not in found else None

    @cached_property
    def _standing(self) -> list[tuple[str, Entry, Patterns]]:
        """Each entry by name, with its patterns as they stand in the model."""
        return [(name, entry, self._patterns(entry)) for name, entry in self._layout.entries]

    def _patterns(self, entry: Entry) -> Patterns:
        found = {role: tuple(map(self._moved, getattr(entry, role))) for role in ROLES}
        if self._prefix:
            found["match"] += tuple(pattern.under(self._within) for pattern in entry.outside)
        return found

    def _moved(self, pattern: Pattern) -> Pattern:
        return pattern.under(self._prefix).under(self._within)


@lru_cache(maxsize=1024)
def compile_layout(
    layout: Layout, prefix: str = "", within: str = "", layers_by: LayersBy = "published"
) -> CompiledLayout:
    """A layout as it stands in a model; the same one for the next model."""
    return CompiledLayout(layout, prefix, within, layers_by)


def compile_entry(
    name: str, entry: Entry, match: tuple[Pattern, ...], layers_by: LayersBy = "published"
) -> CompiledEntry:
    """An entry whose patterns stand in a model as `match` has them."""
    grain = grain_of(entry, layers_by)
    return CompiledEntry(
        name, match, grain.indices, grain.every, entry.optional, by_stage=grain.by_stage
    )


def clauses_of(position: int, indices: tuple[str, ...], patterns: Patterns) -> Iterator[Clause]:
    """An entry's patterns, each with its role; `position` is the entry's among all."""
    for role, several in patterns.items():
        for pattern in several:
            places = {index: place for place, index in enumerate(pattern.indices)}
            is_direct = pattern.indices == indices
            order = None if is_direct else tuple(map(places.get, indices))
            yield Clause(position, role, pattern, order)


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout as it stands on one model.

    Attributes:
        arch: the rule set's name.
        layout: the layout's.
        entries: the entries in forward order, one part after another.
        clauses: their patterns, as they stand on the model.
        no_weight_decay: the patterns of parameters without weight decay.
        tied: where a tensor's names are in several layers, which of them it is in.
        waivers: the parameters whose layer may contradict the order of their use.
        before: part -> the part that it goes on below.
        roots: where the rule sets apply; `""` is the model's top.
        missing: what keeps the plan from fitting, known before anything is matched.
    """

    arch: str
    layout: str
    entries: tuple[CompiledEntry, ...]
    clauses: tuple[Clause, ...]
    no_weight_decay: tuple[Pattern, ...]
    tied: Tied | None
    waivers: tuple[Waived, ...] = ()
    before: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ("",)
    missing: tuple[str, ...] = ()

    @cached_property
    def matcher(self) -> Matcher:
        """Finds the clauses whose patterns match a name."""
        return Matcher([clause.pattern for clause in self.clauses])


@lru_cache(maxsize=256)
def plan_layers(
    rules: RuleSet,
    layout_name: str,
    prefix: str,
    missing: tuple[str, ...],
    layers_by: LayersBy = "published",
) -> Plan:
    """The plan of a layout of layers, under one of its prefixes (`""`: at the top)."""
    layout = compile_layout(rules.layouts[layout_name], prefix, layers_by=layers_by)
    return Plan(
        rules.arch,
        layout_name,
        layout.entries,
        layout.clauses,
        rules.no_weight_decay,
        rules.tied,
        layout.waivers,
        missing=missing,
    )

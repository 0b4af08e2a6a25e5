"""A layout as it stands on one model: what is to be matched, and how the matches make layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from lrd_registry.patterns.matching import Matcher
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.rule_files.clauses import Clause
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.layout import Waiver
from lrd_registry.rule_files.schema import RuleSet, Tied


class Planned(NamedTuple):
    """An entry, the name that it has in the whole, and the part whose layers it makes."""

    name: str
    entry: Entry
    part: str


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
        roots: where the rule sets apply; `""` is the model's top.
        missing: what keeps the plan from fitting, known before anything is matched.
    """

    arch: str
    layout: str
    entries: tuple[Planned, ...]
    clauses: tuple[Clause, ...]
    no_weight_decay: tuple[Pattern, ...]
    tied: Tied | None
    waivers: tuple[Waiver, ...] = ()
    roots: tuple[str, ...] = ("",)
    missing: tuple[str, ...] = ()

    @cached_property
    def matcher(self) -> Matcher:
        """Finds the clauses whose patterns match a name."""
        return Matcher([clause.pattern for clause in self.clauses])


@lru_cache(maxsize=256)
def plan_layers(rules: RuleSet, layout_name: str, prefix: str, missing: tuple[str, ...]) -> Plan:
    """The plan of a layout of layers, under one of its prefixes (`""`: at the top)."""
    layout = rules.layouts[layout_name].under(prefix)
    return Plan(
        rules.arch,
        layout_name,
        tuple(Planned(name, entry, "") for name, entry in layout.entries),
        layout.clauses,
        rules.no_weight_decay,
        rules.tied,
        layout.waivers,
        missing=missing,
    )

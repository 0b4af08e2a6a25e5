"""One layout on one model's names → every parameter's placement, or what keeps it from fitting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lrd_registry.assignment import Assignment, Placement
from lrd_registry.clauses import Claim, Clause
from lrd_registry.coverage import Coverage
from lrd_registry.errors import Gap
from lrd_registry.gaps import find_holes, unjoined
from lrd_registry.matching import Hit, Matcher
from lrd_registry.parameters import Parameters
from lrd_registry.patterns import Pattern
from lrd_registry.ranking import Ranking
from lrd_registry.schema import Layout, RuleSet


def place(rule_set: RuleSet, layout_name: str, parameters: Parameters) -> Assignment | Coverage:
    """Assign every parameter by one layout; the faults instead, where it does not fit."""
    return _Placing(rule_set, layout_name, parameters).result()


def has_signature(layout: Layout, parameters: Parameters) -> bool:
    """Whether each pattern of the layout's signature matches a parameter."""
    return not any(_unsigned(layout, parameters))


class _Placing:
    """The steps of one placing: match names, rank the claims, look for faults."""

    def __init__(self, rule_set: RuleSet, layout_name: str, parameters: Parameters) -> None:
        self._rule_set = rule_set
        self._layout_name = layout_name
        self._layout = rule_set.layouts[layout_name]
        self._entries = self._layout.entries
        self._clauses = self._layout.clauses
        self._parameters = parameters
        matcher = Matcher([clause.pattern for clause in self._clauses])
        names = parameters.names
        self._states = dict(zip(names, matcher.states(names), strict=True))
        distinct = set(self._states.values())
        self._claims = {state: self._claim(matcher.hits(state)) for state in distinct}
        found = {claim for claims in self._claims.values() for claim in claims}
        self._ranking = Ranking(self._entries, found)
        self._layers = {claim: self._ranking.layer(claim) for claim in found}
        self._failed = {
            claim
            for claim, layer in self._layers.items()
            if layer is None and self._ranking.has_target(claim)
        }

    def result(self) -> Assignment | Coverage:
        coverage = Coverage(
            self._rule_set.arch,
            self._layout_name,
            patterns=tuple(clause.pattern for clause in self._clauses),
            unmatched=tuple(self._unmatched()),
            overlapping=dict(self._overlaps()),
            missing=tuple(self._missing()),
            gaps=tuple(self._gaps()),
        )
        return coverage if coverage.faults else self._assignment()

    def _claim(self, hits: Iterable[Hit]) -> dict[Claim, Clause]:
        """The different claims of these hits, each with the first pattern behind it."""
        claims: dict[Claim, Clause] = {}
        for hit in hits:
            clause = self._clauses[hit.pattern]
            claims.setdefault(clause.claim(hit.captures), clause)
        return claims

    def _assignment(self) -> Assignment:
        layers = self._ranking.layers
        placements = {}
        for state, claims in self._claims.items():
            ((claim, clause),) = claims.items()
            layer = self._layers[claim]
            assert layer is not None, "a claim that joins nothing is a gap"
            placements[state] = Placement(layer, layers[layer], clause.pattern.text)
        return Assignment(
            self._rule_set.arch,
            self._layout_name,
            entries=tuple(name for name, _ in self._entries),
            layers=layers,
            placements={n: placements[self._states[n]] for n in self._parameters.by_name},
            no_weight_decay=self._rule_set.no_weight_decay,
        )

    def _unmatched(self) -> Iterator[str]:
        """Names without a claim, or whose claim is to a layer before the first."""
        empty = {state for state, claims in self._claims.items() if not set(claims) - self._failed}
        if empty:
            yield from (name for name, state in self._states.items() if state in empty)

    def _overlaps(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        many = {state for state, claims in self._claims.items() if len(claims) > 1}
        if many:
            for name, state in self._states.items():
                if state in many:
                    yield name, tuple(map(self._say, self._claims[state].values()))
        for name, others in self._parameters.aliases.items():
            yield from self._torn(name, (name, *others))

    def _torn(self, first: str, names: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """A tied parameter whose names belong to different layers."""
        claims = {name: next(iter(self._claims[self._states[name]]), None) for name in names}
        layers = {name: self._layers[claim] for name, claim in claims.items() if claim}
        if len(set(layers.values())) > 1:
            yield first, tuple(f"tied as {name}: layer {layer}" for name, layer in layers.items())

    def _say(self, clause: Clause) -> str:
        role = "" if clause.role == "match" else f" ({clause.role})"
        return f"{self._entries[clause.entry][0]}{role}: {clause.pattern}"

    def _missing(self) -> Iterator[str]:
        found = {claim.entry for claim in self._layers}
        for number, (name, entry) in enumerate(self._entries):
            if number not in found and not entry.optional:
                yield f"{name}: {', '.join(map(str, entry.match))}"
        for pattern in _unsigned(self._layout, self._parameters):
            yield f"signature: {pattern}"

    def _gaps(self) -> Iterator[Gap]:
        for (name, entry), runs in zip(self._entries, self._ranking.runs, strict=True):
            yield from find_holes(name, entry, runs)
        for claim, layer in self._layers.items():
            if layer is None and claim not in self._failed:
                yield unjoined(*self._entries[claim.entry], claim)


def _unsigned(layout: Layout, parameters: Parameters) -> Iterator[Pattern]:
    """The patterns of the signature that match nothing."""
    for pattern in layout.signature:
        if pattern.is_literal:
            if pattern.text not in parameters.by_name:
                yield pattern
        elif not any(_matching(pattern, parameters.by_name)):
            yield pattern


def _matching(pattern: Pattern, names: Iterable[str]) -> Iterator[str]:
    """The names that a pattern matches; most of the others are told by their beginning."""
    beginning = re.split(r"[{*]", pattern.text)[0].rstrip(".")
    for name in names:
        if name.startswith(beginning) and pattern.match(name) is not None:
            yield name

"""One layout on one model's names → every parameter's placement, or what keeps it from fitting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lrd_registry.errors import Gap
from lrd_registry.layers.assignment import Assignment, Placement
from lrd_registry.layers.coverage import Coverage
from lrd_registry.layers.gaps import find_holes, unjoined
from lrd_registry.layers.parameters import Parameters
from lrd_registry.layers.ranking import Ranking
from lrd_registry.patterns.matching import Hit, Matcher
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.rule_files.clauses import Claim, Clause
from lrd_registry.rule_files.schema import RuleSet


def place(
    rule_set: RuleSet,
    layout_name: str,
    parameters: Parameters,
    prefix: str = "",
    missing_signature: tuple[Pattern, ...] = (),
) -> Assignment | Coverage:
    """Assign every parameter by one layout, under one of its prefixes (`""`: at the top).

    Where it does not fit, the faults.
    """
    return _Placing(rule_set, layout_name, parameters, prefix, missing_signature).result()


class _Placing:
    """The steps of one placing: match names, rank the claims, look for faults."""

    def __init__(
        self,
        rule_set: RuleSet,
        layout_name: str,
        parameters: Parameters,
        prefix: str,
        missing_signature: tuple[Pattern, ...],
    ) -> None:
        self._rule_set = rule_set
        self._layout_name = layout_name
        self._missing_signature = missing_signature
        layout = rule_set.layouts[layout_name].under(prefix)
        self._entries, self._clauses = layout.entries, layout.clauses
        self._parameters = parameters
        self._match()

    def _match(self) -> None:
        matcher = Matcher([clause.pattern for clause in self._clauses])
        self._names = self._parameters.names
        self._states = list(matcher.states(self._names))
        distinct = set(self._states)
        self._claims = {state: self._claim(matcher.hits(state)) for state in distinct}
        found = {claim for claims in self._claims.values() for claim in claims}
        self._ranking = Ranking(self._entries, found)
        self._layers = {claim: self._ranking.layer(claim) for claim in found}
        nowhere = [claim for claim, layer in self._layers.items() if layer is None]
        self._too_early = {claim for claim in nowhere if self._ranking.has_target(claim)}
        self._unjoined = [claim for claim in nowhere if claim not in self._too_early]

    def result(self) -> Assignment | Coverage:
        unmatched, overlapping = tuple(self._unmatched()), dict(self._overlaps())
        missing, gaps = tuple(self._missing()), tuple(self._gaps())
        if not (unmatched or overlapping or missing or gaps):
            return self._assignment()
        patterns = tuple(clause.pattern for clause in self._clauses)
        return Coverage(
            self._rule_set.arch, self._layout_name, patterns, unmatched, overlapping, missing, gaps
        )

    def _claim(self, hits: Iterable[Hit]) -> dict[Claim, Clause]:
        """The different claims of these hits, each with the first pattern behind it."""
        claims: dict[Claim, Clause] = {}
        for hit in hits:
            clause = self._clauses[hit.pattern]
            claims.setdefault(clause.claim(hit.captures), clause)
        return claims

    def _assignment(self) -> Assignment:
        layers = tuple(self._ranking.layers)
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
            placements={
                name: placements[state]
                for name, state in zip(self._parameters.by_name, self._states, strict=False)
            },
            no_weight_decay=self._rule_set.no_weight_decay,
        )

    def _unmatched(self) -> Iterator[str]:
        """Names without a claim, or whose claim is to a layer before the first."""
        empty = {s for s, claims in self._claims.items() if claims.keys() <= self._too_early}
        if empty:
            yield from (name for name, state in self._named_states() if state in empty)

    def _overlaps(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        many = {state for state, claims in self._claims.items() if len(claims) > 1}
        if many:
            for name, state in self._named_states():
                if state in many:
                    yield name, tuple(map(self._say, self._claims[state].values()))
        if self._parameters.aliases:
            yield from self._torn()

    def _torn(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The tied parameters whose names belong to different layers."""
        states = dict(self._named_states())
        for first, others in self._parameters.aliases.items():
            claims = {
                name: next(iter(self._claims[states[name]]), None) for name in (first, *others)
            }
            layers = {name: self._layers[claim] for name, claim in claims.items() if claim}
            if len(set(layers.values())) > 1:
                yield first, tuple(f"tied as {name}: layer {n}" for name, n in layers.items())

    def _named_states(self) -> Iterator[tuple[str, int]]:
        return zip(self._names, self._states, strict=True)

    def _say(self, clause: Clause) -> str:
        role = "" if clause.role == "match" else f" ({clause.role})"
        return f"{self._entries[clause.entry][0]}{role}: {clause.pattern}"

    def _missing(self) -> Iterator[str]:
        found = {claim.entry for claim in self._layers}
        for number, (name, entry) in enumerate(self._entries):
            if number not in found and not entry.optional:
                yield f"{name}: {', '.join(map(str, entry.match))}"
        for pattern in self._missing_signature:
            yield f"signature: {pattern}"

    def _gaps(self) -> Iterator[Gap]:
        for (name, entry), runs in zip(self._entries, self._ranking.runs, strict=True):
            yield from find_holes(name, entry, runs)
        for claim in self._unjoined:
            yield unjoined(*self._entries[claim.entry], claim)

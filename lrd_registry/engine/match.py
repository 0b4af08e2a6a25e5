"""What the states of a plan's matcher stand for, where a model's names end in some of them.

It depends on the plan and on these states alone, so models of one architecture share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from lrd_registry.assignment import Placement
from lrd_registry.engine.clauses import Claim, Clause
from lrd_registry.engine.compile_layout import Plan
from lrd_registry.engine.layer_numbers import Ranking
from lrd_registry.engine.problems import find_holes
from lrd_registry.patterns.matching import Hit


class StateTable:
    """The claims on the names that end in each state, and the layers that they make.

    Attributes:
        plan: the plan.
        claims: state -> the claims on its names, each with the first pattern behind it.
        ranking: the layers of the plan's entries.
        layers: claim -> its layer; None where it joins a layer that the model does not have.
        placements: state -> where its names are, if one claim on them has a layer.
        positions: for each entry, the indices at which it matches, or would but for another
            entry that writes its number out: there is no hole.
        too_early: the claims that would join a layer before the first.
        unjoined: the claims that join an entry, or a stage, which the model does not have.
    """

    def __init__(self, plan: Plan, states: Iterable[int]) -> None:
        self.plan = plan
        self._written_out: set[Claim] = set()
        self.claims = {state: self._claim(plan.matcher.hits(state)) for state in states}
        found = {claim for claims in self.claims.values() for claim in claims}
        self.ranking = Ranking(plan.entries, found)
        self.layers = {claim: self.ranking.layer(claim) for claim in found}
        self.positions = [
            sorted({*runs, *(c.indices for c in self._written_out if c.entry == number)})
            for number, runs in enumerate(self.ranking.runs)
        ]
        nowhere = [claim for claim, layer in self.layers.items() if layer is None]
        self.too_early = {claim for claim in nowhere if self.ranking.has_target(claim)}
        self.unjoined = [claim for claim in nowhere if claim not in self.too_early]
        self.placements = dict(self._place())

    def _claim(self, hits: Iterable[Hit]) -> dict[Claim, Clause]:
        """The claims on a name, but for those that another makes with a number written out."""
        claims: dict[Claim, Clause] = {}
        for hit in hits:
            clause = self.plan.clauses[hit.pattern]
            claims.setdefault(clause.claim(hit.captures), clause)
        beaten = {
            claim
            for claim, clause in claims.items()
            if any(c.pattern.is_literal_of(clause.pattern) for c in claims.values())
        }
        self._written_out |= {claim for claim in beaten if claim.role == "match"}
        return {claim: clause for claim, clause in claims.items() if claim not in beaten}

    def _place(self) -> Iterable[tuple[int, Placement]]:
        for state, claims in self.claims.items():
            for claim, clause in claims.items() if len(claims) == 1 else ():
                if (layer := self.layers[claim]) is not None:
                    part = self.plan.entries[claim.entry].part
                    entry = self.ranking.layers[part][layer]
                    yield state, Placement(layer, entry, clause.pattern.text, part)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The required entries of which the model has nothing, and what the plan misses."""
        found = {claim.entry for claim in self.layers}
        entries = enumerate(self.plan.entries)
        return (
            *(
                f"{entry.name}: {', '.join(map(str, entry.match))}"
                for number, entry in entries
                if number not in found and not entry.optional
            ),
            *self.plan.missing,
        )

    @cached_property
    def covers_all(self) -> bool:
        """Whether each state has its place, and nothing that the plan asks for is missing."""
        return (
            len(self.placements) == len(self.claims)
            and not self.missing
            and not self._has_holes
            and self.has_its_end
        )

    @property
    def _has_holes(self) -> bool:
        entries = zip(self.plan.entries, self.positions, strict=True)
        return any(
            True for entry, runs in entries for _ in find_holes(entry, runs, lambda _: False)
        )

    @cached_property
    def has_its_end(self) -> bool:
        """Whether the model has anything of the last entry."""
        last = len(self.plan.entries) - 1
        return any(claim.entry == last for claim in self.layers)

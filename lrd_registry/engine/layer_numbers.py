"""Claims → layers: a layer's number is the rank of its key.

The key of a matched parameter is (position of its entry, its indices); one that joins its
entry's first, last or previous layer goes by the layers that agree with its indices. The ranks
of the keys are the layers, so the depth is read off the model and stands in no file. In a model
of several parts, each has ranks of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from lrd_registry.engine.clauses import NOT_CAPTURED, Claim, Indices
from lrd_registry.engine.compile_layout import CompiledEntry
from lrd_registry.rule_files.every import shared_by


class Ranking:
    """The layers that the claims on one model make of a plan's entries.

    Attributes:
        runs: for each entry, the indices at which it matches, in order.
        layers: part -> the name of each layer's entry.
    """

    def __init__(self, entries: Sequence[CompiledEntry], claims: Collection[Claim]) -> None:
        self.runs = _matched(entries, claims)
        self.layers: dict[str, list[str]] = {}
        self._layer: dict[tuple[int, Indices], int] = {}
        self._ends: dict[tuple[int, Indices], dict[Indices, tuple[int, int]]] = {}
        for number, entry in enumerate(entries):
            layers = self.layers.setdefault(entry.part, [])
            before = None
            lengths = Counter(run[:-1] for run in self.runs[number])
            for run in self.runs[number]:
                key = _key(entry, run, lengths[run[:-1]])
                if key != before:
                    layers.append(entry.name)
                    before = key
                self._layer[number, run] = len(layers) - 1

    def layer(self, claim: Claim) -> int | None:
        """The layer of a claim; None where it joins a layer that the model does not have."""
        if claim.role == "match":
            return self._layer[claim.entry, claim.indices]
        ends = self._joined(claim)
        if ends is None:
            return None
        first, last = ends
        if claim.role == "previous":
            return first - 1 if first else None
        return last if claim.role == "last" else first

    def has_target(self, claim: Claim) -> bool:
        """Whether the model has the layers that a claim would join."""
        return self._joined(claim) is not None

    def _joined(self, claim: Claim) -> tuple[int, int] | None:
        """The first and the last layer of the claim's entry that agree with its indices."""
        levels = tuple(i for i, index in enumerate(claim.indices) if index != NOT_CAPTURED)
        if (claim.entry, levels) not in self._ends:
            self._ends[claim.entry, levels] = self._find_ends(claim.entry, levels)
        return self._ends[claim.entry, levels].get(tuple(claim.indices[i] for i in levels))

    def _find_ends(self, number: int, levels: Indices) -> dict[Indices, tuple[int, int]]:
        ends: dict[Indices, tuple[int, int]] = {}
        for run in self.runs[number]:
            layer, part = self._layer[number, run], tuple(run[i] for i in levels)
            first, _ = ends.get(part, (layer, layer))
            ends[part] = (first, layer)
        return ends


def _key(entry: CompiledEntry, run: Indices, length: int) -> Indices:
    """What the blocks of one layer have in common, in a run of this length."""
    if not run or entry.by_stage:
        return run[:-1]
    return (*run[:-1], run[-1] // shared_by(entry.every, length))


def _matched(entries: Sequence[CompiledEntry], claims: Collection[Claim]) -> list[list[Indices]]:
    """For each entry, the indices at which it matches, in order; without indices, one layer."""
    runs: list[set[Indices]] = [set() if entry.indices else {()} for entry in entries]
    for number, role, indices in claims:
        if role == "match":
            runs[number].add(indices)
    return [sorted(run) for run in runs]

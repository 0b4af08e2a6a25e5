"""Claims → layers: a layer's number is the rank of its key.

A claim says which entry a parameter belongs to, in which role, at which indices. The key of
a matched parameter is (position of its entry, its indices); one that joins its entry's
first, last or previous layer goes by the keys that agree with its indices. Sorted, the keys
are the layers, so the depth is read off the model and stands in no file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from lrd_registry.clauses import NOT_CAPTURED, Claim, Indices
from lrd_registry.entry import Entry

Key: TypeAlias = tuple[int, ...]


class Ranking:
    """The layers that the claims on one model make of a layout's entries."""

    def __init__(self, entries: Sequence[tuple[str, Entry]], claims: Collection[Claim]) -> None:
        self._entries = entries
        self.runs = _matched(entries, claims)
        keys = {self._key(number, run) for number, runs in enumerate(self.runs) for run in runs}
        self._rank = {key: layer for layer, key in enumerate(sorted(keys))}
        self._ends: dict[tuple[int, Indices], dict[Indices, tuple[Key, Key]]] = {}

    @property
    def layers(self) -> tuple[str, ...]:
        """The name of each layer's entry."""
        return tuple(self._entries[key[0]][0] for key in self._rank)

    def layer(self, claim: Claim) -> int | None:
        """The layer of a claim; None where it joins a layer that the model does not have."""
        if claim.role == "match":
            return self._rank[self._key(claim.entry, claim.indices)]
        ends = self._joined(claim)
        if ends is None:
            return None
        first, last = ends
        if claim.role == "previous":
            return self._before(claim, first)
        return self._rank[last if claim.role == "last" else first]

    def has_target(self, claim: Claim) -> bool:
        """Whether the model has the layers that the claim speaks of."""
        return claim.role == "match" or self._joined(claim) is not None

    def _before(self, claim: Claim, first: Key) -> int | None:
        """The layer before a key: for a claim at an index, only within the same entry."""
        is_first = first == self._key(claim.entry, self.runs[claim.entry][0])
        if is_first and set(claim.indices) - {NOT_CAPTURED}:
            return None
        return self._rank[first] - 1

    def _key(self, number: int, indices: Indices) -> Key:
        if not indices:
            return (number,)
        return (number, *indices[:-1], indices[-1] // self._entries[number][1].every)

    def _joined(self, claim: Claim) -> tuple[Key, Key] | None:
        """The first and the last key of the claim's entry that agree with its indices."""
        levels = tuple(i for i, index in enumerate(claim.indices) if index != NOT_CAPTURED)
        if (claim.entry, levels) not in self._ends:
            self._ends[claim.entry, levels] = self._find_ends(claim.entry, levels)
        return self._ends[claim.entry, levels].get(tuple(claim.indices[i] for i in levels))

    def _find_ends(self, number: int, levels: Indices) -> dict[Indices, tuple[Key, Key]]:
        ends: dict[Indices, tuple[Key, Key]] = {}
        for run in self.runs[number]:
            key, part = self._key(number, run), tuple(run[i] for i in levels)
            first, _ = ends.get(part, (key, key))
            ends[part] = (first, key)
        return ends


def _matched(
    entries: Sequence[tuple[str, Entry]], claims: Collection[Claim]
) -> list[list[Indices]]:
    """For each entry, the indices at which it matches, in order; without indices, one layer."""
    runs: list[set[Indices]] = [set() if entry.indices else {()} for _, entry in entries]
    for number, role, indices in claims:
        if role == "match":
            runs[number].add(indices)
    return [sorted(run) for run in runs]

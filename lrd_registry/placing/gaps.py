"""Holes in runs of indices: blocks 0, 1 and 3, or a stage's downsampling without the stage.

An index that is a whole segment (`blocks.{i}`) is a position in a module list and counts
from 0; one inside a name (`layer{i}`) is its author's numbering, and may also count from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lrd_registry.errors import Gap
from lrd_registry.rule_files.clauses import NOT_CAPTURED, Claim, Indices
from lrd_registry.rule_files.entry import Entry


def find_holes(name: str, entry: Entry, runs: Sequence[Indices]) -> Iterator[Gap]:
    """The holes in an entry's runs of indices, of the outermost index first."""
    for level, index in enumerate(entry.indices):
        found: dict[Indices, set[int]] = {}
        for run in runs:
            found.setdefault(run[:level], set()).add(run[level])
        for outer, numbers in found.items():
            missing = _holes(sorted(numbers), counted=_is_counted(entry, index))
            if missing:
                yield Gap(name, _fill(entry, outer), index, missing)


def unjoined(name: str, entry: Entry, claim: Claim) -> Gap:
    """The gap behind a claim that joins layers which the model does not have."""
    is_open = NOT_CAPTURED in claim.indices
    level = claim.indices.index(NOT_CAPTURED) if is_open else len(claim.indices) - 1
    missing = 0 if is_open else claim.indices[level]
    outer = claim.indices[:level]
    return Gap(name, _fill(entry, outer), entry.indices[level], (range(missing, missing + 1),))


def _is_counted(entry: Entry, index: str) -> bool:
    return any(index in pattern.counted for pattern in entry.match)


def _holes(numbers: list[int], *, counted: bool) -> tuple[range, ...]:
    start = 0 if counted else min(numbers[0], 1)
    before = [start - 1, *numbers]
    return tuple(
        range(low + 1, high) for low, high in zip(before, numbers, strict=False) if high - low > 1
    )


def _fill(entry: Entry, outer: Indices) -> str:
    """The entry's first pattern, with its outer indices filled in."""
    text = entry.match[0].text
    for name, value in zip(entry.indices, outer, strict=False):
        text = text.replace(f"{{{name}}}", str(value))
    return text

"""Holes in runs of indices: blocks 0, 1 and 3, or a stage's downsampling without the stage.

An index that is a whole segment (`blocks.{i}`) is a position in a module list and counts
from 0; one inside a name (`layer{i}`) is its author's numbering, and may also count from 1.
Where the model has a module without parameters, such as an activation, there is no hole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import TypeAlias

from lrd_registry.errors import Gap
from lrd_registry.rule_files.clauses import NOT_CAPTURED, Claim, Indices
from lrd_registry.rule_files.entry import Entry

IsSilent: TypeAlias = Callable[[str], bool]


def find_holes(
    name: str, entry: Entry, runs: Sequence[Indices], is_silent: IsSilent
) -> Iterator[Gap]:
    """The holes in an entry's runs of indices, of the outermost index first.

    Args:
        name: the entry's, in the whole.
        entry: the entry.
        runs: the indices at which it matches.
        is_silent: whether at a path there is a module that has no parameters.
    """
    for level, index in enumerate(entry.indices):
        found: dict[Indices, set[int]] = {}
        for run in runs:
            found.setdefault(run[:level], set()).add(run[level])
        for outer, numbers in found.items():
            holes = _holes(sorted(numbers), counted=_is_counted(entry, index))
            paths = list(_paths(entry, outer, index)) if holes else []
            if missing := tuple(_unexplained(holes, paths, is_silent)):
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
    start = 0 if counted else 1
    before = [start - 1, *numbers]
    return tuple(
        range(low + 1, high) for low, high in zip(before, numbers, strict=False) if high - low > 1
    )


def _unexplained(
    holes: Iterable[range], paths: Sequence[str], is_silent: IsSilent
) -> Iterator[range]:
    """The holes without the numbers at which they begin with modules that have no parameters."""
    for hole in holes:
        silent = takewhile(lambda n: any(is_silent(path.format(n)) for path in paths), hole)
        if rest := hole[sum(1 for _ in silent) :]:
            yield rest


def _paths(entry: Entry, outer: Indices, index: str) -> Iterator[str]:
    """The paths of the modules that an index counts, with `{}` for it, where they can be told."""
    for pattern in entry.match:
        filled = _filled(pattern.text, entry, outer).replace(f"{{{index}}}", "{}")
        before, _, after = filled.partition("{}")
        path = f"{before}{{}}{after.partition('.')[0]}"
        if path.count("{") == 1:
            yield path


def _fill(entry: Entry, outer: Indices) -> str:
    """The entry's first pattern, with its outer indices filled in."""
    return _filled(entry.match[0].text, entry, outer)


def _filled(text: str, entry: Entry, outer: Indices) -> str:
    for name, value in zip(entry.indices, outer, strict=False):
        text = text.replace(f"{{{name}}}", str(value))
    return text

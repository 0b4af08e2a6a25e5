"""What keeps a layout and a model from fitting each other, and how to say it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

from lrd_registry.engine.clauses import NOT_CAPTURED, Claim, Indices
from lrd_registry.engine.compile_layout import CompiledEntry
from lrd_registry.errors import CoverageError, Gap
from lrd_registry.model_names.compared import Names
from lrd_registry.patterns.pattern import Pattern

IsSilent: TypeAlias = Callable[[str], bool]


def find_holes(entry: CompiledEntry, runs: Sequence[Indices], is_silent: IsSilent) -> Iterator[Gap]:
    """The holes in an entry's runs of indices, of the outermost index first.

    Args:
        entry: the entry.
        runs: the indices at which it matches.
        is_silent: whether at a path there is a module that has no parameters.
    """
    for level, index in enumerate(entry.indices):
        found: dict[Indices, set[int]] = {}
        for run in runs:
            found.setdefault(run[:level], set()).add(run[level])
        for outer, numbers in found.items():
            holes = _holes(sorted(numbers), from_0=_is_counted(entry, index))
            paths = list(_paths(entry, outer, index)) if holes else []
            if missing := tuple(_unexplained(holes, paths, is_silent)):
                yield Gap(entry.name, _fill(entry, outer), index, missing)


def unjoined(entry: CompiledEntry, claim: Claim) -> Gap:
    """The gap behind a claim that joins layers which the model does not have."""
    is_open = NOT_CAPTURED in claim.indices
    level = claim.indices.index(NOT_CAPTURED) if is_open else len(claim.indices) - 1
    missing = 0 if is_open else claim.indices[level]
    outer = claim.indices[:level]
    return Gap(
        entry.name, _fill(entry, outer), entry.indices[level], (range(missing, missing + 1),)
    )


def _is_counted(entry: CompiledEntry, index: str) -> bool:
    return any(index in pattern.counted for pattern in entry.match)


def _holes(numbers: list[int], *, from_0: bool) -> tuple[range, ...]:
    """The numbers that are left out; a number inside a name may start anywhere."""
    before = [-1 if from_0 else numbers[0] - 1, *numbers]
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


def _paths(entry: CompiledEntry, outer: Indices, index: str) -> Iterator[str]:
    """The paths of the modules that an index counts, with `{}` for it, where they can be told."""
    for pattern in entry.match:
        filled = _filled(pattern.text, entry, outer).replace(f"{{{index}}}", "{}")
        before, _, after = filled.partition("{}")
        path = f"{before}{{}}{after.partition('.')[0]}"
        if path.count("{") == 1:
            yield path


def _fill(entry: CompiledEntry, outer: Indices) -> str:
    """The entry's first pattern, with its outer indices filled in."""
    return _filled(entry.match[0].text, entry, outer)


def _filled(text: str, entry: CompiledEntry, outer: Indices) -> str:
    for name, value in zip(entry.indices, outer, strict=False):
        text = text.replace(f"{{{name}}}", str(value))
    return text


SHOWN = 20

_MEND = (
    "Where the model is right, copy the rule file, mend its patterns, and pass its path as arch."
)
_PART = (
    "In a part of a model, such as a pipeline stage, the depth of the whole cannot be seen: make "
    "the assignment from the whole, on the meta device if it is large, and pass it: "
    "build_param_groups(part, arch=assign_layers(whole))."
)
_ALONE = (
    "From names alone it cannot be seen whether a module without parameters is there, such as an "
    "activation: pass the module."
)
_OUTSIDE = (
    'To have these join the last layer, at the full learning rate, pass outside="head"; for '
    "layers of their own, write a rule file with parts."
)


@dataclass(frozen=True)
class Coverage:
    """The faults of one layout on one model, of four kinds; see `CoverageError`.

    `patterns` are the layout's, to tell which came closest to a name that none matches; `names`
    are the model's, and tell which of them are beside the prefix. `cut` has the modules of the last
    layer that have been set to None, as in the first stages of a pipeline.
    """

    arch: str
    layout: str
    patterns: tuple[Pattern, ...]
    names: Names
    unmatched: tuple[str, ...] = ()
    overlapping: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    cut: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """How many faults there are; 0 means that the layout fits."""
        kinds = (self.uncovered, self.overlapping, self.missing, self.gaps, self.cut)
        return sum(map(len, kinds))

    @property
    def covered(self) -> float:
        """The share of the model's parameters that one entry each claims."""
        at_fault = {*self.unmatched, *self.overlapping}
        return 1 - len(at_fault) / max(len(self.names.compared), 1)

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The names that no pattern matches, and those beside the prefix."""
        return (*self.unmatched, *self.names.outside)

    def error(self, instead: str | None = None) -> CoverageError:
        """The faults as an exception; its text may say something else instead of them."""
        where = f" under {self.names.prefix!r}" if self.names.prefix else ""
        faults = f" (layout {self.layout!r}) does not fit this model{where}:\n{self.describe()}\n"
        return CoverageError(
            instead or f"rule set {self.arch!r}{faults}{self.advice(_MEND)}",
            unmatched=self.uncovered,
            overlapping=self.overlapping,
            missing=(*self.missing, *self.cut),
            gaps=self.gaps,
        )

    @property
    def is_only_outside(self) -> bool:
        """Whether all fits but for parameters beside the prefix."""
        return self.faults == len(self.names.outside)

    @property
    def is_a_part(self) -> bool:
        """Whether the model looks like the last or middle stage of a larger one, or the first."""
        return bool(self.cut) or any(gap.missing[0].start == 0 for gap in self.gaps)

    def advice(self, otherwise: str) -> str:
        """What is likely to help: with a part of a model, with a prefix, or otherwise."""
        if self.is_a_part:
            return _PART
        if self.gaps and self.faults == len(self.gaps) and self.names.are_alone:
            return f"{_ALONE} {otherwise}"
        return _OUTSIDE if self.is_only_outside else otherwise

    def describe(self) -> str:
        """All faults, one paragraph per kind, names beyond the first twenty counted."""
        lines = [
            *_section("matched by no pattern", map(self._say_unmatched, self.unmatched[:SHOWN])),
            *more(self.unmatched),
            *_section(f"outside {self.names.prefix!r}", iter(self.names.outside[:SHOWN])),
            *more(self.names.outside),
            *_section("claimed more than once", self._overlaps()),
            *more(tuple(self.overlapping)),
            *_section("required, but matching nothing", iter(self.missing)),
            *_section("set to None, with nothing of the last layer left", iter(self.cut)),
            *_section("missing from a run of indices", map(_say_gap, self.gaps[:SHOWN])),
            *more(self.gaps),
        ]
        return "\n".join(lines)

    def _say_unmatched(self, name: str) -> str:
        if not self.patterns:
            return name
        compared = self.names.compared[name]
        pattern = closest_pattern(compared, self.patterns)
        if pattern.match(compared) is not None:
            return f"{name}  ({pattern} matches it, but there is no earlier layer to join)"
        if pattern.is_around(compared):
            return f"{name}  ({pattern} is a module; {pattern}.** matches what is in it)"
        return f"{name}  (closest: {pattern})"

    def _overlaps(self) -> Iterator[str]:
        for name, claims in list(self.overlapping.items())[:SHOWN]:
            yield f"{name}  ({'; '.join(claims)})"


def closest_pattern(name: str, patterns: Sequence[Pattern]) -> Pattern:
    """The pattern that matches most of a name's leading segments, then the most similar one."""

    def closeness(pattern: Pattern) -> tuple[int, float]:
        similarity = difflib.SequenceMatcher(None, name, pattern.text).ratio()
        return pattern.leading_matches(name), similarity

    return max(patterns, key=closeness)


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"  {title}:"
        yield f"    {line}"


def more(items: Sequence[object]) -> Iterator[str]:
    """How many are not shown, where these are too many to show."""
    if len(items) > SHOWN:
        yield f"    … and {len(items) - SHOWN} more"


def _say_gap(gap: Gap) -> str:
    runs = (str(r[0]) if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in gap.missing)
    return f"{gap.pattern}  ({gap.entry}: no {gap.index} {', '.join(runs)})"

"""What keeps a layout and a model from fitting each other, and how to say it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lrd_registry.errors import CoverageError, Gap
from lrd_registry.patterns.pattern import Pattern

SHOWN = 20


@dataclass(frozen=True)
class Coverage:
    """The faults of one layout on one model, of four kinds; see `CoverageError`.

    `patterns` are the layout's, to tell which came closest to a name that none matches.
    """

    arch: str
    layout: str
    patterns: tuple[Pattern, ...]
    unmatched: tuple[str, ...] = ()
    overlapping: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def faults(self) -> int:
        """How many faults there are; 0 means that the layout fits."""
        return sum(map(len, (self.unmatched, self.overlapping, self.missing, self.gaps)))

    def error(self) -> CoverageError:
        """The faults as an exception."""
        return CoverageError(
            f"rule set {self.arch!r} (layout {self.layout!r}) does not fit this model:\n"
            f"{self.describe()}\n"
            "Where the model is right, copy the rule file, mend its patterns, and pass its path "
            "as arch.",
            unmatched=self.unmatched,
            overlapping=self.overlapping,
            missing=self.missing,
            gaps=self.gaps,
        )

    def describe(self) -> str:
        """All faults, one paragraph per kind, names beyond the first twenty counted."""
        lines = [
            *_section("matched by no pattern", map(self._say_unmatched, self.unmatched[:SHOWN])),
            *_more(self.unmatched),
            *_section("claimed more than once", self._overlaps()),
            *_more(tuple(self.overlapping)),
            *_section("required, but matching nothing", iter(self.missing)),
            *_section("missing from a run of indices", map(_say_gap, self.gaps[:SHOWN])),
            *_more(self.gaps),
        ]
        return "\n".join(lines)

    def _say_unmatched(self, name: str) -> str:
        pattern = closest_pattern(name, self.patterns)
        if pattern.match(name) is not None:
            return f"{name}  ({pattern} matches it, but there is no earlier layer to join)"
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


def _more(items: Sequence[object]) -> Iterator[str]:
    if len(items) > SHOWN:
        yield f"    … and {len(items) - SHOWN} more"


def _say_gap(gap: Gap) -> str:
    runs = (str(r[0]) if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in gap.missing)
    return f"{gap.pattern}  ({gap.entry}: no {gap.index} {', '.join(runs)})"

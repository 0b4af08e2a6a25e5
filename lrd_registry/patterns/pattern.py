"""The pattern language: dot-separated parameter names with `{index}`, `*` and `**`.

A pattern is anchored at both ends:

- `{index}` stands for a run of one to nine digits, and captures it as an integer;
- `*` stands for any text within one segment, also none;
- `**` stands for any number of whole segments, also none.

Where several readings are possible, each `**` takes as few segments as it can. Patterns are
not regular expressions: matching takes time linear in the name, whatever the pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

SPAN = "**"
MAX_DIGITS = 9

Captures: TypeAlias = tuple[int, ...]
"""The captured indices, in the order in which the pattern names them."""

Threads: TypeAlias = dict[int, Captures]
"""The ways in which a pattern can go on: position in `parts` -> what was captured before it."""


@dataclass(frozen=True)
class Segment:
    """One segment with `{index}` or `*` in it, as the regular expressions between its stars.

    Most are an `{index}` and nothing else, which needs no expression.
    """

    text: str
    pieces: tuple[re.Pattern[str], ...]
    is_index: bool

    def match(self, text: str) -> Captures | None:
        """The indices in `text`, or None. Each piece is found at its leftmost place."""
        if self.is_index:
            is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
            return (int(text),) if is_number else None
        captured: Captures = ()
        start = 0
        for piece in self.pieces:
            found = piece.search(text, start)
            if found is None:
                return None
            captured += tuple(map(int, found.groups()))
            start = found.end()
        return captured


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern. Two patterns are equal if their texts are.

    Attributes:
        text: the pattern as written.
        indices: the names of its `{index}`es, in order.
        counted: those that are a whole segment, as in `blocks.{i}`: positions in a module
            list, which count from 0. An index inside a name (`layer{i}`) is its author's
            own numbering and may start anywhere.
        parts: its segments; `end` is their number.
        first: the one segment with which names must begin, if there is one.
        start: the threads before the first segment of a name.
    """

    text: str
    indices: tuple[str, ...] = field(compare=False)
    counted: frozenset[str] = field(compare=False)
    parts: tuple[str | Segment, ...] = field(compare=False, repr=False)
    end: int = field(init=False, compare=False, repr=False)
    first: str | None = field(init=False, compare=False, repr=False)
    start: Threads = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "end", len(self.parts))
        first = self.parts[0]
        is_text = isinstance(first, str) and first != SPAN
        object.__setattr__(self, "first", first if is_text else None)
        object.__setattr__(self, "start", {})
        self._enter(self.start, 0, ())

    def __str__(self) -> str:
        return self.text

    def under(self, prefix: str) -> Pattern:
        """The pattern for the same names under a prefix, a dot-separated name itself, or `""`.

        >>> from lrd_registry.patterns.syntax import parse_pattern
        >>> str(parse_pattern("layers.{i}.**").under("model.vit"))
        'model.vit.layers.{i}.**'
        """
        if not prefix:
            return self
        parts = (*prefix.split("."), *self.parts)
        return Pattern(f"{prefix}.{self.text}", self.indices, self.counted, parts)

    @cached_property
    def is_literal(self) -> bool:
        """Whether the pattern stands for exactly one name: itself."""
        return _literal(self.parts) is not None

    @cached_property
    def ending(self) -> str | None:
        """The `x.y` of a pattern `**.x.y` without other wildcards, else None."""
        return _literal(self.parts[1:]) if self.parts[0] == SPAN else None

    @cached_property
    def inside(self) -> str | None:
        """The `x.y` of a pattern `**.x.y.**` without other wildcards, else None."""
        return _literal(self.parts[1:-1]) if self.parts[0] == self.parts[-1] == SPAN else None

    def match(self, name: str) -> Captures | None:
        """The indices captured from `name`, or None where the pattern does not match.

        >>> from lrd_registry.patterns.syntax import parse_pattern
        >>> parse_pattern("layers.{stage}.blocks.{block}.**").match("layers.2.blocks.10.attn.bias")
        (2, 10)
        >>> parse_pattern("blocks.*.weight").match("blocks.0.norm1.weight") is None
        True
        """
        threads = self.start
        for segment in name.split("."):
            threads = self.advance(threads, segment)
        return threads.get(self.end)

    def is_around(self, name: str) -> bool:
        """Whether the pattern matches not `name`, but a module around it.

        >>> from lrd_registry.patterns.syntax import parse_pattern
        >>> parse_pattern("blocks.{i}").is_around("blocks.0.norm1.weight")
        True
        """
        threads = self.start
        for segment in name.split("."):
            if self.end in (threads := self.advance(threads, segment)):
                return True
        return False

    def leading_matches(self, name: str) -> int:
        """How many segments of `name` match the pattern's, up to its first wildcard.

        >>> from lrd_registry.patterns.syntax import parse_pattern
        >>> parse_pattern("blocks.{i}.attn.**").leading_matches("blocks.0.norm1.weight")
        2
        """
        count = 0
        for part, segment in zip(self.parts, name.split("."), strict=False):
            if isinstance(part, Segment):
                agrees = part.text != "*" and part.match(segment) is not None
            else:
                agrees = part == segment
            if not agrees:
                break
            count += 1
        return count

    def is_literal_of(self, other: Pattern) -> bool:
        """Whether this is the other pattern, with numbers written out in place of indices.

        >>> from lrd_registry.patterns.syntax import parse_pattern
        >>> parse_pattern("features.0.**").is_literal_of(parse_pattern("features.{block}.**"))
        True
        """
        if len(self.parts) != len(other.parts) or self.text == other.text:
            return False
        pairs = zip(self.parts, other.parts, strict=True)
        return all(_is_same(own, its) or _is_written_out(own, its) for own, its in pairs)

    def advance(self, threads: Threads, segment: str) -> Threads:
        """The threads after one more segment of a name; none are left if it cannot match."""
        reached: Threads = {}
        for position, captured in threads.items():
            if position == self.end:
                continue
            part = self.parts[position]
            if isinstance(part, Segment):
                more = part.match(segment)
                if more is not None:
                    self._enter(reached, position + 1, captured + more)
            elif part == SPAN:
                self._enter(reached, position, captured)
            elif part == segment:
                self._enter(reached, position + 1, captured)
        return reached

    def settled(self, threads: Threads) -> bool:
        """Whether only a closing `**` is left, so that all names that go on match alike."""
        return self.parts[-1] == SPAN and min(threads) >= self.end - 1

    def _enter(self, threads: Threads, position: int, captured: Captures) -> None:
        """Add a thread; one already there took fewer segments and stays. A `**` may take none."""
        if position < self.end and self.parts[position] == SPAN:
            threads.setdefault(position + 1, captured)
        threads.setdefault(position, captured)


def _is_same(one: str | Segment, other: str | Segment) -> bool:
    """Whether two segments match alike, whatever their indices are called."""
    if isinstance(one, Segment) and isinstance(other, Segment):
        return one.pieces == other.pieces
    return one == other


def _is_written_out(own: str | Segment, other: str | Segment) -> bool:
    if isinstance(own, Segment) or isinstance(other, str) or "*" in other.text:
        return False
    return other.match(own) is not None


def _literal(parts: tuple[str | Segment, ...]) -> str | None:
    """The text of some segments without wildcards, else None."""
    texts = [part for part in parts if isinstance(part, str) and part != SPAN]
    return ".".join(texts) if texts and len(texts) == len(parts) else None

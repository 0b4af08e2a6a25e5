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
from itertools import pairwise

SPAN = "**"
MAX_LENGTH = 1000
_TOKEN = re.compile(r"\{[^{}]*\}|\*|[^{}*]+|[{}]")
_INDEX = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DIGITS = r"(\d{1,9})"

Captures = tuple[int, ...]
"""The captured indices, in the order in which the pattern names them."""

Threads = dict[int, Captures]
"""The ways in which a pattern can go on: position in `parts` -> what was captured before it."""


class PatternError(ValueError):
    """A text that is not a pattern."""


@dataclass(frozen=True)
class Segment:
    """One segment with `{index}` or `*` in it, as the regular expressions between its stars."""

    text: str
    pieces: tuple[re.Pattern[str], ...]

    def match(self, text: str) -> Captures | None:
        """The indices in `text`, or None. Each piece is found at its leftmost place."""
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
            own numbering and may start at 1.
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

    @property
    def is_literal(self) -> bool:
        """Whether the pattern stands for exactly one name: itself."""
        return _literal(self.parts) is not None

    @property
    def ending(self) -> str | None:
        """The `x.y` of a pattern `**.x.y` without other wildcards, else None."""
        return _literal(self.parts[1:]) if self.parts[0] == SPAN else None

    @property
    def inside(self) -> str | None:
        """The `x.y` of a pattern `**.x.y.**` without other wildcards, else None."""
        return _literal(self.parts[1:-1]) if self.parts[0] == self.parts[-1] == SPAN else None

    def match(self, name: str) -> Captures | None:
        """The indices captured from `name`, or None where the pattern does not match.

        >>> parse_pattern("layers.{stage}.blocks.{block}.**").match("layers.2.blocks.10.attn.bias")
        (2, 10)
        >>> parse_pattern("blocks.*.weight").match("blocks.0.norm1.weight") is None
        True
        """
        threads = self.start
        for segment in name.split("."):
            threads = self.advance(threads, segment)
        return threads.get(self.end)

    def leading_matches(self, name: str) -> int:
        """How many segments of `name` match the pattern's, up to its first wildcard.

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


def _literal(parts: tuple[str | Segment, ...]) -> str | None:
    """The text of some segments without wildcards, else None."""
    texts = [part for part in parts if isinstance(part, str) and part != SPAN]
    return ".".join(texts) if texts and len(texts) == len(parts) else None


def parse_pattern(text: str) -> Pattern:
    """Parse a pattern.

    Raises:
        PatternError: where `text` is not a pattern, with the reason and the place.

    >>> parse_pattern("layer{stage}.{block}.conv*.weight").indices
    ('stage', 'block')
    """
    if len(text) > MAX_LENGTH:
        raise PatternError(f"a pattern of {len(text)} characters; at most {MAX_LENGTH} are allowed")
    names: list[str] = []
    counted: set[str] = set()
    parts: list[str | Segment] = []
    for segment in text.split("."):
        part = _parse_segment(segment, text)
        inside = _INDEX.findall(segment)
        names += inside
        counted.update(name for name in inside if segment == f"{{{name}}}")
        if not (part == SPAN and parts and parts[-1] == SPAN):
            parts.append(part)
    for name in names:
        if names.count(name) > 1:
            raise PatternError(f"pattern {text!r} captures {{{name}}} twice")
    return Pattern(text, tuple(names), frozenset(counted), tuple(parts))


def _parse_segment(segment: str, pattern: str) -> str | Segment:
    if not segment:
        raise PatternError(f"pattern {pattern!r} has an empty segment: write one dot between names")
    if segment == SPAN:
        return SPAN
    if SPAN in segment:
        raise PatternError(f"pattern {pattern!r}: `**` must stand alone between dots")
    tokens = _TOKEN.findall(segment)
    _check_tokens(tokens, pattern)
    if not any(token == "*" or _INDEX.fullmatch(token) for token in tokens):
        return segment
    return Segment(segment, _compile_pieces(tokens))


def _check_tokens(tokens: list[str], pattern: str) -> None:
    for token in tokens:
        if token[0] in "{}" and not _INDEX.fullmatch(token):
            raise PatternError(
                f"pattern {pattern!r}: {token!r} is not an index; write it as {{name}}, "
                "a letter or underscore followed by letters, digits and underscores"
            )
    for left, right in pairwise(tokens):
        if _runs_on(left, right[0]) or _runs_on(right, left[-1]):
            raise PatternError(
                f"pattern {pattern!r}: nothing shows where the number ends between {left!r} "
                f"and {right!r}; put text that is not a digit between them"
            )


def _runs_on(token: str, neighbour: str) -> bool:
    """Whether `token` is an index, and the character beside it could be another digit."""
    return token[0] == "{" and neighbour in "{}*0123456789"


def _compile_pieces(tokens: list[str]) -> tuple[re.Pattern[str], ...]:
    """One expression per run of tokens between stars; the first and the last are anchored.

    Digits within a piece are set apart by other text, and a star is never beside them, so no
    expression has two ways to read a text and none backtracks.
    """
    pieces = [""]
    for token in tokens:
        if token == "*":
            pieces.append("")
        else:
            pieces[-1] += _DIGITS if _INDEX.fullmatch(token) else re.escape(token)
    pieces[0] = r"\A" + pieces[0]
    pieces[-1] += r"\Z"
    return tuple(re.compile(piece, re.ASCII) for piece in pieces)

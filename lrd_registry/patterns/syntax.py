"""The syntax of patterns: text → `Pattern`, or the reason why not."""

from __future__ import annotations

import re
from itertools import pairwise

from lrd_registry.patterns.pattern import MAX_DIGITS, SPAN, Pattern, Segment
from lrd_registry.patterns.regular_expressions import foreign_token, meant_pattern

MAX_LENGTH = 1000
_TOKEN = re.compile(r"\{[^{}]*\}|\*|[^{}*]+|[{}]")
_INDEX = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DIGITS = rf"(\d{{1,{MAX_DIGITS}}})"


class PatternError(ValueError):
    """A text that is not a pattern."""


def parse_pattern(text: str) -> Pattern:
    """Parse a pattern.

    Raises:
        PatternError: where `text` is not a pattern, with the reason and the place.

    >>> parse_pattern("layer{stage}.{block}.conv*.weight").indices
    ('stage', 'block')
    """
    if len(text) > MAX_LENGTH:
        raise PatternError(f"a pattern of {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if token := foreign_token(text):
        raise PatternError(_say_foreign(text, token))
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


def _say_foreign(text: str, token: str) -> str:
    what = f"pattern '{text}' has a `{token}`, as a regular expression or a glob has it"
    how = "in a pattern, {index} is a number, * any text without dots, ** any text"
    if "|" in text:
        return f"{what}; {how}, and several patterns are a list: [a.**, b.**]"
    meant = meant_pattern(text)
    return f"{what}; {how}" + (f": `{meant}`" if _is_pattern(meant) else "")


def _is_pattern(text: str) -> bool:
    if foreign_token(text):
        return False
    try:
        return bool(parse_pattern(text))
    except PatternError:
        return False


def _parse_segment(segment: str, pattern: str) -> str | Segment:
    if not segment:
        raise PatternError(f"pattern {pattern!r} has an empty segment: write one dot between names")
    if segment == SPAN:
        return SPAN
    if SPAN in segment:
        raise PatternError(
            f"pattern {pattern!r}: `**` must stand alone between dots{_hint(pattern)}"
        )
    tokens = _TOKEN.findall(segment)
    _check_tokens(tokens, pattern)
    if not any(token == "*" or _INDEX.fullmatch(token) for token in tokens):
        return segment
    is_index = _INDEX.fullmatch(segment) is not None
    return Segment(segment, _compile_pieces(tokens), is_index)


def _hint(pattern: str) -> str:
    several = pattern.replace(",", " ").split()
    if len(several) > 1:
        return f"; several patterns are a list: [{', '.join(several)}]"
    return "; names are joined by dots" if "/" in pattern else ""


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

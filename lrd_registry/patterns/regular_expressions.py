"""Regular expressions and globs where patterns belong: how they are told, and what was meant."""

from __future__ import annotations

import re

_TOKENS = re.compile(
    r"""\\                # an escape
    | ^\^ | \$$           # anchors
    | \|                  # alternatives
    | \[[^\]]+\]          # a set of characters
    | (?<![^.])[?+](?![^.])  # any character, alone between dots
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"\(?(?:\\d|\[0-9\]|\[\\d\])[+*]?\)?")
_REST = re.compile(r"\.(?:\.?[*+])?$")


def foreign_token(text: str) -> str | None:
    """What in a pattern is of a regular expression or a glob; None where nothing is.

    Single characters that a module's name may have, as in `a+b`, are not; where a name does have
    one of the others, a `*` stands for it.

    >>> foreign_token("norm|head"), foreign_token("blocks.[0-9].**"), foreign_token("head.?")
    ('|', '[0-9]', '?')
    >>> foreign_token("a+b.c"), foreign_token("blocks.{i}.**")
    (None, None)
    """
    found = _TOKENS.search(text)
    return found.group() if found else None


def meant_pattern(text: str) -> str:
    r"""The pattern that a regular expression probably stands for, as far as one can tell.

    >>> meant_pattern(r"^blocks\.(\d+)\..*$"), meant_pattern("blocks.[0-9].**")
    ('blocks.{index}.**', 'blocks.{index}.**')
    >>> meant_pattern(r"^embed\.")
    'embed.**'
    """
    plain = text.removeprefix("^").removesuffix("$").replace(r"\.", ".")
    return _REST.sub(".**", _NUMBER.sub("{index}", plain))

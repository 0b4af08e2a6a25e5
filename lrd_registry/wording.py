"""Parts of messages: the word that was probably meant, and words from a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_words(word: str, known: Iterable[str]) -> list[str]:
    """The known words that come close to `word`, nearest first, three at most."""
    return difflib.get_close_matches(word, list(known), n=3)


def did_you_mean(word: str, known: Iterable[str], *, quote: str = "`{}`") -> str:
    """A clause that names the nearest known word, or nothing.

    >>> did_you_mean("summry", ["arch", "summary"])
    '; did you mean `summary`?'
    """
    near = nearest_words(word, known)
    return f"; did you mean {quote.format(near[0])}?" if near else ""


def clip(text: str) -> str:
    """A text from a file, short enough for a message.

    >>> len(clip("a" * 1000))
    60
    """
    return text if len(text) <= 60 else f"{text[:59]}…"

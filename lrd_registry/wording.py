"""Parts of messages: the word that was probably meant, and words from a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


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


def in_layers(depths: Mapping[str, int], before: Mapping[str, str]) -> str:
    """How many layers a model has; of several parts, those of one layer go without saying.

    >>> in_layers({"": 14}, {})
    '14 layers'
    >>> in_layers({"image": 14, "fusion": 3, "scale": 1}, {"image": "fusion"})
    '14 layers in image (before fusion), 3 layers in fusion'
    """
    several = (
        f"{depth} layers in {part}{f' (before {before[part]})' if part in before else ''}"
        for part, depth in depths.items()
        if part and depth > 1
    )
    return ", ".join(several) or f"{max(depths.values())} layers"


def clip(text: str) -> str:
    """A text from a file, short enough for a message.

    >>> len(clip("a" * 1000))
    60
    """
    return text if len(text) <= 60 else f"{text[:59]}…"

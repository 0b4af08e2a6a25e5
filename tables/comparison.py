"""Everyone's layers for the same kinds of parameters, as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tables.answers import Answers


@dataclass(frozen=True)
class Comparison:
    """The kinds of parameters of one model, and who says what of them.

    Attributes:
        kinds: For each kind its names in every library, with `*` for anything.
        answers: For each column of the table its answers; the last column is this project's.
    """

    kinds: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, Answers]

    def rows(self) -> Iterator[list[str]]:
        """A row for each kind; what differs from this project is bold."""
        for kind, patterns in self.kinds.items():
            cells = [span(layers_of(patterns, column)) for column in self.answers.values()]
            same = {cells[-1], "–"}
            yield [kind, *(cell if cell in same else f"**{cell}**" for cell in cells)]


def layers_of(patterns: tuple[str, ...], answers: Answers) -> set[int]:
    """The layers of the parameters whose names match one of the patterns."""
    return {layer for name, layer in answers if any(fnmatchcase(name, p) for p in patterns)}


def span(layers: set[int]) -> str:
    """Layers in short.

    >>> [span({0}), span({2, 4, 10}), span({3, 4, 5, 6}), span(set())]
    ['0', '2, 4, 10', '3–6', '–']
    """
    if len(layers) > 2 and max(layers) - min(layers) == len(layers) - 1:
        return f"{min(layers)}–{max(layers)}"
    return ", ".join(map(str, sorted(layers))) or "–"

"""An assignment as a table of its layers, in plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from lrd_registry.layers.decay import layer_scale

Line: TypeAlias = tuple[str, str, str, str]
HEAD: Line = ("layer", "entry", "parameters", "scale")


def layer_table(
    parts: Mapping[str, Sequence[str]], levels: Iterable[tuple[str, int]], layer_decay: float
) -> str:
    """A line for each layer: its number, its entry, its number of parameters and its scale.

    Args:
        parts: part -> the entry of each of its layers.
        levels: the part and the layer of each parameter.
        layer_decay: the factor from one layer to the one before it.

    >>> print(layer_table({"": ("stem", "head")}, [("", 0), ("", 0), ("", 1)], 0.5))
    layer  entry  parameters  scale
        0  stem            2    0.5
        1  head            1      1
    """
    counts = Counter(levels)
    lines: list[Line] = [
        (
            str(layer),
            entry,
            f"{counts[part, layer]:,}",
            f"{layer_scale(layer, len(entries), layer_decay):.6g}",
        )
        for part, entries in parts.items()
        for layer, entry in enumerate(entries)
    ]
    return "\n".join(_aligned([HEAD, *lines]))


def _aligned(lines: Sequence[Line]) -> Iterable[str]:
    """The lines with their columns below each other, numbers to the right."""
    wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for layer, entry, count, scale in lines:
        numbers = f"{count:>{wide[2]}}  {scale:>{wide[3]}}"
        yield f"{layer:>{wide[0]}}  {entry:<{wide[1]}}  {numbers}"

"""The same tensor's name in each library: the maps beside this file, read and filled in.

A name in a map is a template. `{block}` and `{stage}` count from 0; `{leaf}` is weight and bias;
`places` tells what the other indices are. A tensor that a library keeps in parts, to be joined
along the first dimension, has them in brackets: `[q|k|v]_proj`. A part `0` is all zeros, and the
library does not store it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

import yaml

HERE = Path(__file__).parent
MAPS = sorted(path.stem for path in HERE.glob("*.yaml"))
LEAVES = ("weight", "bias")
CHUNKS = 4
"""Into how many lists DINOv2 cuts its blocks, where it cuts them."""
TOLD = {"stage": "stage {}", "next_stage": "before stage {}", "block": "block {}", "leaf": "{}"}
"""How a tensor's title tells where it is."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a network: what it is, and the names of its parts in each library."""

    title: str
    kind: str
    names: Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True)
class NameMap:
    """A network's tensors in several libraries.

    `layouts` has each library's rule set and layout; `lines`, each kind of tensor's templates by
    library; `shapes_differ`, the kinds whose shape is another one in each library.
    """

    layouts: Mapping[str, str]
    lines: Mapping[str, Mapping[str, str]]
    shapes_differ: frozenset[str]

    def tensors(self, depths: Sequence[int]) -> Iterator[Tensor]:
        """All tensors of a network that has so many blocks in each stage."""
        everywhere = list(places(depths))
        for kind, line in self.lines.items():
            for place in _at_these(everywhere, line.values()):
                names = {library: parts(text.format(**place)) for library, text in line.items()}
                yield Tensor(_title(kind, place), kind, names)


@cache
def read_map(name: str) -> NameMap:
    data = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    lines = {kind: dict(_split_keys(line)) for kind, line in data["tensors"].items()}
    return NameMap(data["libraries"], lines, frozenset(data.get("shapes_differ", ())))


def places(depths: Sequence[int]) -> Iterator[dict[str, int | str]]:
    """What the indices stand for, in each block of each stage, for weight and bias.

    torchvision has stages and downsamplings in turn in one list (flat_stage, flat_downsampling);
    a downsampling, and a next_stage, come after each stage but the last.
    """
    for stage, depth in enumerate(depths):
        flat = {"flat_stage": 2 * stage + 1}
        if stage + 1 < len(depths):
            flat |= {"flat_downsampling": 2 * stage + 2, "next_stage": stage + 1}
        for block in range(depth):
            chunk = block // max(1, depth // CHUNKS)
            for leaf in LEAVES:
                yield {"stage": stage, "block": block, "chunk": chunk, "leaf": leaf, **flat}


def parts(name: str) -> tuple[str | None, ...]:
    """The names of a tensor's parts, None where it is zeros that are not stored.

    >>> parts("attn.[q_bias|0|v_bias]")
    ('attn.q_bias', None, 'attn.v_bias')
    """
    start, bracket, rest = name.partition("[")
    inside, _, end = rest.partition("]")
    if not bracket:
        return (name,)
    return tuple(None if part == "0" else start + part + end for part in inside.split("|"))


def _at_these(everywhere, texts):
    """The places where the indices of these templates have a value, each combination once."""
    used = {field for text in texts for _, field, _, _ in Formatter().parse(text) if field}
    here = [{index: place[index] for index in used} for place in everywhere if used <= place.keys()]
    return {tuple(place.values()): place for place in here}.values()


def _split_keys(line):
    """`timm, facebook: name` is one name in two libraries."""
    for libraries, name in line.items():
        for library in re.split(r",\s*", libraries):
            yield library, name


def _title(kind, place):
    told = [text.format(place[index]) for index, text in TOLD.items() if index in place]
    return f"{kind} ({', '.join(told)})" if told else kind

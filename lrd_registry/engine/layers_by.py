"""How finely blocks are told apart: as the rule file says, by block, by stage, or by neighbours."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.every import Table

LayersBy: TypeAlias = Literal["published", "block", "stage"] | int
"""`"published"`: as the rule file has it; `"block"`: a layer for each block; `"stage"`: one for
each stage; a number: one for so many neighbouring blocks of a stage."""

WORDS = ("published", "block", "stage")


class Grain(NamedTuple):
    """Which of an entry's blocks share a layer.

    Attributes:
        indices: the names of the indices that tell blocks apart.
        every: how many neighbours along the last index share one layer.
        by_stage: whether all along the last index do.
    """

    indices: tuple[str, ...]
    every: int | Table
    by_stage: bool = False


def grain_of(entry: Entry, layers_by: LayersBy) -> Grain:
    """Which blocks of an entry share a layer.

    An entry that the rule file makes one layer, although its patterns count blocks, has a layer
    for each of them by block.
    """
    if layers_by == "published":
        return Grain(entry.indices, entry.every)
    if layers_by == "stage":
        return Grain(entry.indices, 1, by_stage=bool(entry.indices))
    return Grain(entry.indices or entry.counted, 1 if layers_by == "block" else layers_by)


def parse_layers_by(text: str) -> LayersBy:
    """What a text asks for, as on the command line.

    Raises:
        InvalidArgumentError: it is neither one of the words nor a number of blocks.

    >>> parse_layers_by("block"), parse_layers_by("3")
    ('block', 3)
    """
    value: Any = int(text) if text.isdecimal() else text
    check_layers_by(value)
    asked: LayersBy = value
    return asked


def check_layers_by(value: Any) -> None:
    """Refuse what is neither one of the words nor a number of blocks.

    Raises:
        InvalidArgumentError: it is.

    >>> check_layers_by("blocks")
    Traceback (most recent call last):
    lrd_registry.errors.InvalidArgumentError: layers_by must be 'published', 'block', 'stage', or \
a number of neighbouring blocks from 1; found 'blocks'
    """
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if not is_number and value not in WORDS:
        raise InvalidArgumentError(
            f"layers_by must be {', '.join(map(repr, WORDS))}, or a number of neighbouring blocks "
            f"from 1; found {value!r}"
        )

"""Repeated blocks that a network uses one after another, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Indices: TypeAlias = tuple[int, ...]
Groups: TypeAlias = Mapping[Indices, tuple[str, ...]]


@dataclass(frozen=True)
class Joint:
    """Parameters that a pattern with indices stands for, such as each stage's downsampling."""

    pattern: str
    groups: Groups


@dataclass(frozen=True)
class Stack:
    """A run of blocks, or stages of blocks.

    Attributes:
        path: the module that holds the blocks, or the stages.
        pattern: the blocks' pattern, with an index for each number.
        runs: the parameters of each block.
        beside: what the stages hold beside their blocks.
    """

    path: str
    pattern: str
    runs: Groups
    beside: tuple[Joint, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters of all blocks, and of what the stages hold beside them."""
        groups = (self.runs, *(joint.groups for joint in self.beside))
        return tuple(name for group in groups for names in group.values() for name in names)

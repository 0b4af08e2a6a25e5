"""Lists of alike modules in a model: its stacks of blocks, and the families that they fall into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TypeAlias

from lrd_registry.drafting.tree.module_tree import Node

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


_NUMBERED = re.compile(r"(.*?)([0-9]{1,9})([^0-9]*)")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Family:
    """Modules, or parameters in a list, under one parent whose names differ in their last number.

    Attributes:
        parent: the path of the module that holds them.
        before: what is before the number in each name; nothing, in a list.
        after: what is after it.
        members: the modules by their numbers, in numeric order.
        silent: the positions of modules without parameters between them, in a module list.
    """

    parent: str
    before: str
    after: str
    members: Mapping[int, Node]
    silent: frozenset[int] = frozenset()

    def pattern(self, index: str) -> str:
        """The members' paths, with an index in place of the number."""
        return f"{self.parent}.{self.before}{{{index}}}{self.after}".lstrip(".")

    @property
    def is_list(self) -> bool:
        """Whether the numbers are positions in a list, and no part of a longer name."""
        return not self.before and not self.after

    @property
    def is_contiguous(self) -> bool:
        """Whether the numbers run without holes, from 0, or in a longer name also from 1.

        In a list, a module without parameters is no hole.
        """
        numbers = list(self.members)
        if self.is_list:
            return self.silent.union(numbers).issuperset(range(numbers[-1]))
        return numbers[0] in {0, 1} and numbers[-1] - numbers[0] == len(numbers) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters of all members."""
        return tuple(name for member in self.members.values() for name in member.names)


def families(node: Node, *, of_parameters: bool = False) -> list[Family]:
    """The families directly in a module, also those of one member, in the model's order.

    Args:
        node: the module.
        of_parameters: whether a list of parameters is one too.
    """
    found: dict[tuple[str, str], dict[int, Node]] = {}
    for key, child in node.children.items():
        numbered = _NUMBERED.fullmatch(key)
        if numbered and (child.children or (of_parameters and key.isdecimal())):
            before, number, after = numbered.groups()
            found.setdefault((before, after), {})[int(number)] = child
    return [
        Family(node.path, *around, dict(sorted(members.items())), node.silent)
        for around, members in found.items()
    ]


def is_repeated(family: Family) -> bool:
    """Whether some neighbours have mostly the same parameters, by name, whatever the numbers.

    Two kinds of blocks may take turns, as attention and MLP do in LeViT.
    """
    shapes = [_relative_names(member) for member in family.members.values()]
    neighbours = chain(pairwise(shapes), zip(shapes, shapes[2:], strict=False))
    return any(2 * len(one & other) >= len(one | other) for one, other in neighbours)


def _relative_names(member: Node) -> set[str]:
    start = len(member.path) + 1
    return {_DIGITS.sub("#", name[start:]) for name in member.names}


def families_below(node: Node) -> Iterator[Family]:
    """The families in a module and in the modules in it, but in no other family's members."""
    own = families(node)
    yield from own
    inside = {member.path for family in own for member in family.members.values()}
    for child in node.children.values():
        if child.path not in inside:
            yield from families_below(child)


def families_in_members(node: Node) -> Iterator[Family]:
    """The families in the members of those families whose members are not alike."""
    for family in families_below(node):
        for member in family.members.values() if not is_repeated(family) else ():
            yield from families_below(member)
            yield from families_in_members(member)


def numbered(path: str) -> tuple[str, int]:
    """A path with `{}` in place of the last number in its last part, and the number; none: `""`.

    >>> numbered("patch_embeds.2"), numbered("stage3.norm")
    (('patch_embeds.{}', 2), ('', -1))
    """
    parent, dot, last = path.rpartition(".")
    found = _NUMBERED.fullmatch(last)
    if not found:
        return "", -1
    before, number, after = found.groups()
    return f"{parent}{dot}{before}{{}}{after}", int(number)

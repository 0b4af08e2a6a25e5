"""A module tree, opened as far as its repeated blocks are: stacks of blocks, and the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from lrd_registry.drafting.tree.block_stacks import (
    Family,
    Indices,
    Joint,
    Stack,
    families,
    families_below,
    families_in_members,
    numbered,
)
from lrd_registry.drafting.tree.block_unit import are_residual, is_residual, unit_of
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node
from lrd_registry.drafting.tree.weighing import Weighing

UNIT = "Each {} holds {} modules that are alike; a layer is each {}, where it could be each {}."

STAGES = 2
"""How deep indices go: stages, and blocks in them."""


@dataclass(frozen=True)
class Opened:
    """What is in a module.

    Attributes:
        stacks: its stacks of blocks.
        rest: the largest modules and parameters that hold nothing of them.
        unsure: the choices that could have been made otherwise, a sentence each.
    """

    stacks: tuple[Stack, ...] = ()
    rest: tuple[Node, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All parameters in the module."""
        each = (*(s.names for s in self.stacks), *(node.names for node in self.rest))
        return frozenset(name for names in each for name in names)

    def __add__(self, other: Opened) -> Opened:
        return Opened(
            self.stacks + other.stacks, self.rest + other.rest, self.unsure + other.unsure
        )


class Opening:
    """Opens the modules of one model.

    Attributes:
        order: what the trace says.
        weights: the parameters of two or more dimensions; of the others, none makes a block.
        levels: how many indices a pattern may have.
        least: how many weights a block has at least.
        share: the share of the weights that a list of single layers has at least.
    """

    def __init__(
        self,
        order: Order,
        weights: Collection[str],
        levels: int = STAGES,
        least: int = 2,
        share: float = 0.5,
    ) -> None:
        self._order = order
        self._weighing = Weighing(weights, least, share)
        self._levels = levels
        self._of_parameters = least == 1

    def open(self, node: Node) -> Opened:
        """Open a module; without a stack in it, it is one of the rest."""
        opened = Opened()
        in_family = dict(self._by_member(node))
        done: set[str] = set()
        for child in node.children.values():
            family = in_family.get(child.path)
            if family is None:
                opened += self.open(child)
            elif family.pattern("") not in done:
                done.add(family.pattern(""))
                opened += self._open_family(family)
        is_worth = not node.path or self._are_worth(opened.stacks)
        return opened if opened.stacks and is_worth else Opened((), (node,))

    def _are_worth(self, stacks: Collection[Stack]) -> bool:
        """Whether stacks are more than next to nothing, or a short encoder of large blocks."""
        names = [name for stack in stacks for name in stack.names]
        return not self._weighing.is_small(names) or all(map(self._is_of_large_steps, stacks))

    def _is_of_large_steps(self, stack: Stack) -> bool:
        path = stack.pattern.removesuffix(".**")
        return all(
            self._order.is_residual(path.replace("{block}", str(block)))
            and self._weighing.has_several(names)
            for (*_, block), names in stack.runs.items()
        )

    def _by_member(self, node: Node) -> Iterator[tuple[str, Family]]:
        for family in families(node, of_parameters=self._of_parameters):
            for member in family.members.values() if not self._weighing.is_backbone(family) else ():
                yield member.path, family

    def _open_family(self, family: Family) -> Opened:
        if not self._is_ordered(family):  # towers, perhaps
            return sum(map(self.open, family.members.values()), Opened())
        inner = self._chief(family, self._inner_patterns(family))
        if not self._is_sequence(family):
            return self._open_each(family, inner if len(inner) == 1 else [])
        if len(inner) == 1:
            deep = {n: m for n, m in family.members.items() if self._inner(m, inner)}
            if len(deep) < len(family.members):
                return self._open_mixed(family, deep, inner)
            return (
                self._open_stages(family, inner) if self._levels > 1 else Opened((_flat(family),))
            )
        is_stack = inner or self._is_of_steps(family) or self._is_of_blocks(family)
        return Opened((_flat(family),)) if is_stack else _closed(family)

    def _open_stages(self, family: Family, inner: list[str]) -> Opened:
        blocks = self._blocks(family, inner)
        is_block, is_sure = unit_of(family, blocks, self._order)
        stack = _flat(family) if is_block else self._stages(family, inner)
        other = self._stages(family, inner) if is_block else _flat(family)
        unsure = UNIT.format(family.pattern("block"), len(blocks[0]), stack.pattern, other.pattern)
        return Opened((stack,), (), () if is_sure else (unsure,))

    def _open_mixed(self, family: Family, deep: dict[int, Node], inner: list[str]) -> Opened:
        """Some members are stages: `layer1` to `layer4` after `layer0`, or some of a list."""
        later = replace(family, members=deep)
        if not family.is_list and later.is_contiguous:
            shallow = tuple(m for n, m in family.members.items() if n not in deep)
            return Opened((), shallow) + self._open_family(later)
        return self._open_each(family, inner)

    def _open_each(self, family: Family, inner: list[str]) -> Opened:
        """Each member as it is: the numbers have holes, or not all members are alike."""
        opened = Opened()
        for member in family.members.values():
            found = self._inner(member, inner)
            if found and self._levels > 1:
                inside = {name for blocks in found for name in blocks.names}
                stacks = tuple(_flat(blocks) for blocks in found)
                opened += Opened(stacks, tuple(_beside(member, inside)))
            else:
                opened += self.open(member)
        return opened

    def _blocks(self, family: Family, inner: list[str]) -> list[list[Node]]:
        """The blocks in each member."""
        return [
            [block for blocks in self._inner(member, inner) for block in blocks.members.values()]
            for member in family.members.values()
        ]

    def _is_of_blocks(self, family: Family) -> bool:
        return self._weighing.is_of_blocks(family) and self._weighing.is_large(family)

    def _is_of_steps(self, family: Family) -> bool:
        """Whether members are residual steps, of one weight at least."""
        members = list(family.members.values())
        is_step = len(members) > 1 and are_residual(members, self._order)
        return is_step and self._weighing.is_of_blocks(family, least=1)

    def _is_sequence(self, family: Family) -> bool:
        return len(family.members) > 1 and family.is_contiguous and self._is_ordered(family)

    def _is_ordered(self, family: Family) -> bool:
        return self._order.are_sequential([member.names for member in family.members.values()])

    def _inner_patterns(self, family: Family) -> list[str]:
        """The runs of blocks that members have, as patterns relative to the member.

        Where there are none of several weights, they may be residual steps of one weight, or
        deeper in the members, below a list of unlike modules.
        """
        return (
            self._patterns(family, families_below, self._weighing.is_of_blocks)
            or self._patterns(family, families_below, self._is_of_steps)
            or self._patterns(family, families_in_members, self._is_of_steps)
        )

    def _chief(self, family: Family, inner: list[str]) -> list[str]:
        """The pattern of several whose runs are most of the members, if there is one."""
        for pattern in inner if len(inner) > 1 else ():
            runs = [run for m in family.members.values() for run in self._inner(m, [pattern])]
            if self._weighing.is_most([name for run in runs for name in run.names], family.names):
                return [pattern]
        return inner

    def _patterns(
        self,
        family: Family,
        inside: Callable[[Node], Iterable[Family]],
        is_run: Callable[[Family], bool],
    ) -> list[str]:
        """The patterns of one kind of runs.

        A run in a list of modules may have any length; one in numbered names (`conv1` to `conv3`)
        is the anatomy of a block unless its length differs from member to member.
        """
        found: dict[str, list[int]] = {}
        lists: set[str] = set()
        residual: set[str] = set()
        for member in family.members.values():
            for inner in inside(member):
                if _holds_modules(inner) and self._is_sequence(inner) and is_run(inner):
                    if all(is_residual(m, self._order) for m in inner.members.values()):
                        residual.add(_relative(member, inner))
                    found.setdefault(_relative(member, inner), []).append(len(inner.members))
                    lists |= {_relative(member, inner)} if inner.is_list else set()
        return [
            key
            for key, lengths in found.items()
            if key in lists or key in residual or len(set(lengths)) > 1
        ]

    def _inner(self, member: Node, inner: list[str]) -> list[Family]:
        """The runs of blocks in a member that follow one of the patterns."""
        return [
            family
            for family in [*families_below(member), *families_in_members(member)]
            if _relative(member, family) in inner and _holds_modules(family)
        ]

    def _stages(self, family: Family, inner: list[str]) -> Stack:
        runs: dict[Indices, tuple[str, ...]] = {}
        for stage, member in family.members.items():
            for blocks in self._inner(member, inner):
                runs |= {(stage, n): block.names for n, block in blocks.members.items()}
        inside = {name for names in runs.values() for name in names}
        beside: dict[str, dict[Indices, tuple[str, ...]]] = {}
        for stage, member in family.members.items():
            for node in _beside(member, inside):
                relative = node.pattern[len(member.path) :]
                beside.setdefault(relative, {})[(stage,)] = node.names
        start = family.pattern("stage")
        joints = tuple(Joint(start + relative, groups) for relative, groups in beside.items())
        return Stack(family.pattern(""), f"{start}.{inner[0]}.**", runs, joints)


def _flat(family: Family) -> Stack:
    runs: dict[Indices, tuple[str, ...]] = {
        (number,): member.names for number, member in family.members.items()
    }
    end = ".**" if any(member.children for member in family.members.values()) else ""
    return Stack(family.pattern(""), f"{family.pattern('block')}{end}", runs)


def _closed(family: Family) -> Opened:
    return Opened((), tuple(family.members.values()))


def _holds_modules(family: Family) -> bool:
    """Whether members have modules in them: a convolution and its norm are no blocks."""
    below = (child for member in family.members.values() for child in member.children.values())
    return any(child.children for child in below)


def _relative(member: Node, inner: Family) -> str:
    """The blocks' pattern below a member; the member's own number is not said again."""
    pattern = inner.pattern("block")[len(member.path) + 1 :]
    _, number = numbered(member.path)
    return re.sub(rf"(?<=[^0-9.]){number}(?=[^0-9.])", "*", pattern)


def _beside(node: Node, inside: Collection[str]) -> Iterator[Node]:
    """The largest nodes that hold nothing of what is inside the blocks."""
    for child in node.children.values():
        if set(child.names).isdisjoint(inside):
            yield child
        elif not set(child.names) <= set(inside):
            yield from _beside(child, inside)

"""Whether the members of a list are blocks that hold a list of parts, or stages of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lrd_registry.drafting.tree.block_stacks import Family
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node

FEW = 3
"""So many alike parts at most are those of a block, such as three feed-forward layers."""

MOST = 0.8
"""The share of its parameters that a stage has in its blocks; a block has more beside its parts."""


class Unit(NamedTuple):
    """What the members of a list are: blocks, or stages of blocks; and whether that is sure."""

    is_block: bool
    is_sure: bool


def unit_of(family: Family, inner: Sequence[Sequence[Node]], order: Order) -> Unit:
    """Whether each member is one block, although it holds a list of modules that are alike.

    A block is the outermost thing that repeats as a residual step: its input reaches its output
    with something added. A stage mostly changes the width, by a matrix that all must pass; its
    number of blocks differs from stage to stage; and it has little beside its blocks.

    Args:
        family: the members.
        inner: the list in each of them.
        order: what the trace says.
    """
    lengths = {len(blocks) for blocks in inner}
    members = list(family.members.values())
    if len(lengths) > 1 or not are_residual(members, order):
        return Unit(is_block=False, is_sure=True)
    inside = sum(len(block.names) for blocks in inner for block in blocks)
    if inside < MOST * len(family.names):
        return Unit(is_block=True, is_sure=True)
    is_list = not any(order.runs(member.path) for member in members)
    return Unit(is_block=is_list and max(lengths) <= FEW, is_sure=False)


def are_residual(members: Sequence[Node], order: Order) -> bool:
    """Whether members are residual steps; of the last, nothing may show it."""
    return all(is_residual(member, order) for member in members[:-1])


def is_residual(node: Node, order: Order) -> bool:
    """Whether a module's input reaches its output past all matrices.

    A list is none that runs itself; it is a residual step where all modules in it are.
    """
    found = order.is_residual(node.path)
    if found is not None:
        return found
    modules = [child for child in node.children.values() if child.children]
    return bool(modules) and all(is_residual(module, order) for module in modules)

"""Parallel towers: modules with stacks of their own, of which none depends on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from lrd_registry.drafting.dependency_order import Order
from lrd_registry.drafting.module_tree import Node
from lrd_registry.drafting.open_tree import Opened


@dataclass(frozen=True)
class Tower:
    """One tower: where it is, and what it holds; without a prefix, some of it is at the top."""

    name: str
    prefix: str
    root: Node
    opened: Opened


@dataclass(frozen=True)
class Towers:
    """The towers of a model, and what is beside them: fused heads, scales."""

    towers: tuple[Tower, ...]
    outside: tuple[Node, ...]


def find_towers(root: Node, order: Order, opened: Opened) -> Towers | None:
    """The towers of a model, if it has several; what is used before two of them keeps them one."""
    base = _base(root, opened)
    homes = [child for child in base.children.values() if _within(child, opened).stacks]
    pairs = combinations(homes, 2)
    if len(homes) < 2 or not all(order.are_apart(a.names, b.names) for a, b in pairs):
        return None
    before: dict[str, list[Node]] = {home.path: [] for home in homes}
    outside: list[Node] = []
    for node in _beside(homes, opened):
        fed = [h for h in homes if order.mask(node.names) & order.before(h.names)]
        if len(fed) > 1:
            return None
        (before[fed[0].path] if fed else outside).append(node)
    towers = tuple(_tower(root, home, before[home.path], opened) for home in homes)
    return Towers(towers, tuple(outside))


def _base(root: Node, opened: Opened) -> Node:
    """The smallest module that holds all stacks."""
    for child in root.children.values():
        if opened.stacks and len(_within(child, opened).stacks) == len(opened.stacks):
            return _base(child, opened)
    return root


def _tower(root: Node, home: Node, before: list[Node], opened: Opened) -> Tower:
    name = home.path.rpartition(".")[2]
    inside = _within(home, opened)
    if not before:
        return Tower(name, home.path, home, inside)
    return Tower(name, "", root, Opened(inside.stacks, (*before, *inside.rest)))


def _within(node: Node, opened: Opened) -> Opened:
    start = f"{node.path}."
    return Opened(
        tuple(stack for stack in opened.stacks if stack.pattern.startswith(start)),
        tuple(other for other in opened.rest if other.path.startswith(start)),
    )


def _beside(homes: list[Node], opened: Opened) -> Iterator[Node]:
    starts = tuple(f"{home.path}." for home in homes)
    yield from (node for node in opened.rest if not node.path.startswith(starts))

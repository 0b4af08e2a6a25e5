"""Parallel towers: modules with stacks of their own, apart, or joined by one that they feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from lrd_registry.drafting.entries.naming import entry_name
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node
from lrd_registry.drafting.tree.open_tree import Opened


@dataclass(frozen=True)
class Tower:
    """One tower, or what joins some: where it is, and what it holds.

    Without a prefix, some of it is at the top. `before` is the part that it feeds, if there is one.
    """

    name: str
    prefix: str
    root: Node
    opened: Opened
    before: str = ""


@dataclass(frozen=True)
class Towers:
    """The towers of a model, what joins them as the last, and what is beside: heads, scales."""

    towers: tuple[Tower, ...]
    outside: tuple[Node, ...] = ()


def find_towers(root: Node, order: Order, opened: Opened) -> Towers | None:
    """The towers of a model, if it has several; what is used before two of them keeps them one.

    Towers are apart: nothing in one depends on another. They may all feed something with stacks
    of its own, which joins them.
    """
    homes = list(_homes(_base(root, opened), order, opened))
    joining = [home for home in homes if _sources(home, homes, order)]
    towers = [home for home in homes if home not in joining]
    if len(towers) < 2 or not all(_is_joined(tower, joining, order) for tower in towers):
        return None
    before: dict[str, list[Node]] = {tower.path: [] for tower in towers}
    others: list[Node] = []
    for node in _beside(homes, opened):
        fed = [t for t in towers if order.mask(node.names) & order.before(t.names)]
        if len(fed) > 1:
            return None
        (before[fed[0].path] if fed else others).append(node)
    names = _names(towers, joining)
    join = names.pop() if joining else ""
    found = tuple(
        _tower(Tower(name, tower.path, tower, _within(tower, opened), join), root, before)
        for name, tower in zip(names, towers, strict=True)
    )
    if not joining:
        return Towers(found, tuple(others))
    return Towers((*found, Tower(join, "", root, _joined(joining, others, opened))))


def _homes(base: Node, order: Order, opened: Opened) -> Iterator[Node]:
    """The modules that hold the stacks; of one with several of which none feeds another, these."""
    for child in base.children.values():
        if not _within(child, opened).stacks:
            continue
        inner = list(_homes(child, order, opened))
        are_apart = all(order.are_apart(a.names, b.names) for a, b in combinations(inner, 2))
        yield from inner if len(inner) > 1 and are_apart else [child]


def _names(towers: list[Node], joining: list[Node]) -> list[str]:
    """The names of the towers, and last of what joins them, if there is anything."""
    names: list[str] = []
    for tower in towers:
        names.append(entry_name(tower.path, names))
    if joining:
        names.append(entry_name(joining[0].path if len(joining) == 1 else "joined", names))
    return names


def _sources(home: Node, homes: list[Node], order: Order) -> list[Node]:
    """The others on which something in one depends."""
    before = order.before(home.names)
    return [other for other in homes if other is not home and order.mask(other.names) & before]


def _is_joined(tower: Node, joining: list[Node], order: Order) -> bool:
    """Whether a tower feeds what joins the towers, where there is anything that does."""
    return not joining or any(tower in _sources(home, [tower, home], order) for home in joining)


def _joined(joining: list[Node], others: list[Node], opened: Opened) -> Opened:
    """What joins the towers, with all that is beside these."""
    inside = [_within(home, opened) for home in joining]
    stacks = tuple(stack for found in inside for stack in found.stacks)
    return Opened(stacks, (*(node for found in inside for node in found.rest), *others))


def _base(root: Node, opened: Opened) -> Node:
    """The smallest module that holds all stacks."""
    for child in root.children.values():
        if opened.stacks and len(_within(child, opened).stacks) == len(opened.stacks):
            return _base(child, opened)
    return root


def _tower(tower: Tower, root: Node, before: Mapping[str, list[Node]]) -> Tower:
    """The tower with what is used before it alone, which may be anywhere in the model."""
    if not before[tower.prefix]:
        return tower
    inside = Opened(tower.opened.stacks, (*before[tower.prefix], *tower.opened.rest))
    return replace(tower, prefix="", root=root, opened=inside)


def _within(node: Node, opened: Opened) -> Opened:
    start = f"{node.path}."
    return Opened(
        tuple(stack for stack in opened.stacks if stack.pattern.startswith(start)),
        tuple(other for other in opened.rest if other.path.startswith(start)),
    )


def _beside(homes: list[Node], opened: Opened) -> Iterator[Node]:
    starts = tuple(f"{home.path}." for home in homes)
    yield from (node for node in opened.rest if not node.path.startswith(starts))

"""Parameter names as the tree of modules that they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """A module, or a parameter.

    Attributes:
        path: its name from the model's top; `""` is the model.
        names: the parameters in it, in the model's order.
        children: the modules and parameters directly in it, by the last part of their paths.
    """

    path: str
    names: tuple[str, ...]
    children: Mapping[str, Node]

    @property
    def pattern(self) -> str:
        """The pattern for all of it."""
        return f"{self.path}.**".lstrip(".") if self.children else self.path

    def at(self, relative: str) -> Node | None:
        """The node at a path below this one (`""`: this one), if there is one."""
        node: Node | None = self
        for part in relative.split(".") if relative else ():
            node = node.children.get(part) if node else None
        return node


def tree_of(names: Iterable[str], path: str = "") -> Node:
    """The tree of some names, all of which are under a path.

    >>> tree_of(["stem.weight", "blocks.0.weight", "blocks.1.weight"]).at("blocks").names
    ('blocks.0.weight', 'blocks.1.weight')
    """
    names = tuple(names)
    if names == (path,):
        return Node(path, names, {})
    start = len(path) + 1 if path else 0
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name[start:].partition(".")[0], []).append(name)
    below = {key: f"{path}.{key}".lstrip(".") for key in groups}
    return Node(path, names, {key: tree_of(group, below[key]) for key, group in groups.items()})


def shortest_patterns(root: Node, names: Collection[str]) -> Iterator[str]:
    """The fewest patterns that match these names and no other: modules where all of it is meant.

    >>> root = tree_of(["embed.weight", "embed.bias", "head.weight", "head.bias"])
    >>> list(shortest_patterns(root, {"embed.weight", "embed.bias", "head.bias"}))
    ['embed.**', 'head.bias']
    """
    wanted = set(names)
    if wanted.issuperset(root.names):
        yield root.pattern
        return
    for child in root.children.values():
        if not wanted.isdisjoint(child.names):
            yield from shortest_patterns(child, wanted)

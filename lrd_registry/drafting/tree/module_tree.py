"""Parameter names as the tree of modules that they come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

IsSilent: TypeAlias = Callable[[str], bool]


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Node:
    """A module, or a parameter.

    Attributes:
        path: its name from the model's top; `""` is the model.
        names: the parameters in it, in the model's order.
        children: the modules and parameters directly in it, by the last part of their paths.
        silent: the positions in it, if it is a list, of modules without parameters.
        has_aliases: whether a module in it is known by a shorter path, and stands there.
    """

    path: str
    names: tuple[str, ...]
    children: Mapping[str, Node]
    silent: frozenset[int] = frozenset()
    has_aliases: bool = False

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


def tree_of(
    names: Iterable[str], is_silent: IsSilent = _never, aliases: Iterable[str] = (), path: str = ""
) -> Node:
    """The tree of some names, all of which are under a path.

    Args:
        names: of parameters.
        is_silent: whether at a path there is a module that has no parameters.
        aliases: longer names of some of these, of modules that are there under several paths.
        path: the tree's own.

    >>> tree_of(["stem.weight", "blocks.0.weight", "blocks.1.weight"]).at("blocks").names
    ('blocks.0.weight', 'blocks.1.weight')
    """
    crossed = {name[:end] for name in aliases for end in _ends(name)} | ({""} if aliases else set())
    return _tree(tuple(names), is_silent, crossed, path)


def _ends(name: str) -> Iterator[int]:
    """Where the paths of the modules end that a name leads through."""
    return (place for place, letter in enumerate(name) if letter == ".")


def _tree(names: tuple[str, ...], is_silent: IsSilent, crossed: Collection[str], path: str) -> Node:
    if names == (path,):
        return Node(path, names, {})
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_below(path, name).partition(".")[0], []).append(name)
    children = {
        key: _tree(tuple(group), is_silent, crossed, _child(path, key))
        for key, group in groups.items()
    }
    return Node(path, names, children, _silent(path, children, is_silent), path in crossed)


def _silent(path: str, children: Collection[str], is_silent: IsSilent) -> frozenset[int]:
    """The positions without parameters among numbered children, up to one where nothing is."""
    positions = {int(key) for key in children if key.isdecimal()}
    between = (n for n in range(max(positions, default=0)) if n not in positions)
    return frozenset(takewhile(lambda n: is_silent(_child(path, str(n))), between))


def _below(path: str, name: str) -> str:
    return name[len(path) + 1 :] if path else name


def _child(path: str, key: str) -> str:
    return f"{path}.{key}".lstrip(".")


def merged_patterns(patterns: Iterable[str]) -> Iterator[str]:
    """The same with one pattern in place of those that differ in a number.

    >>> list(merged_patterns(["a.0.bias", "a.1.bias", "b.0.bias"]))
    ['a.{block}.bias', 'b.0.bias']
    """
    forms: dict[str, list[str]] = {}
    for pattern in patterns:
        forms.setdefault(_NUMBER.sub("{block}", pattern, count=1), []).append(pattern)
    yield from (form if len(found) > 1 else found[0] for form, found in forms.items())


_NUMBER = re.compile(r"(?<=\.)[0-9]+(?=\.)")


def shortest_patterns(root: Node, names: Collection[str]) -> Iterator[str]:
    """The fewest patterns that match these names and no other: modules where all of it is meant.

    >>> root = tree_of(["embed.weight", "embed.bias", "head.weight", "head.bias"])
    >>> list(shortest_patterns(root, {"embed.weight", "embed.bias", "head.bias"}))
    ['embed.**', 'head.bias']
    """
    wanted = set(names)
    if wanted.issuperset(root.names) and not root.has_aliases:
        yield root.pattern
        return
    for child in root.children.values():
        if not wanted.isdisjoint(child.names):
            yield from shortest_patterns(child, wanted)

"""Modules that repeat in no list, one entry after another in the order of use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lrd_registry.drafting.entries.naming import UNUSED, DraftEntry, entry_name
from lrd_registry.drafting.tree.block_stacks import numbered
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node, shortest_patterns

MOST = 0.5
"""The share of the weights from which a module is opened, and its children are entries."""


@dataclass
class _Link:
    nodes: list[Node] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for node in self.nodes for name in node.names)


class Chain:
    """Makes the entries of a model from its largest modules."""

    def __init__(self, root: Node, order: Order, weights: Collection[str]) -> None:
        self._root = root
        self._order = order
        self._weights = frozenset(weights)

    def entries(self) -> list[DraftEntry]:
        """The entries of the whole model in the order of use; the last is the head."""
        nodes = list(self._opened(self._root))
        links = self._merged(self._with_one_head(self._links(self._used(nodes))))
        unused = [node for node in nodes if not self._order.is_used(node.names)]
        return list(self._written(links, unused))

    def entries_below(self, nodes: Sequence[Node], taken: set[str]) -> list[DraftEntry]:
        """The entries of what is used before something else; `taken` are other entries' names."""
        opened = list(self._opened(Node("", (), {node.path: node for node in nodes})))
        links = self._merged(self._links(self._used(opened)))
        return [self._entry(link, taken) for link in links]

    def _used(self, nodes: Iterable[Node]) -> list[Node]:
        used = [node for node in nodes if self._order.is_used(node.names)]
        return sorted(used, key=lambda node: self._order.first_step(node.names))

    def _opened(self, node: Node) -> Iterator[Node]:
        """The children of a module, and in place of one that holds most weights, its own."""
        for child in node.children.values():
            inside = [c for c in child.children.values() if self._count(c)]
            is_list = len(inside) > 1 or (inside and self._is_wrapper(inside[0]))
            if is_list and self._count(child) >= MOST * len(self._weights):
                yield from self._opened(child)
            else:
                yield child

    def _is_wrapper(self, child: Node) -> bool:
        """Whether a module's one child is neither its weight nor the one block of a list."""
        return bool(child.children) and not numbered(child.path)[0]

    def _count(self, node: Node) -> int:
        return len(self._weights.intersection(node.names))

    def _links(self, nodes: list[Node]) -> list[_Link]:
        """A link for each module with weights; norms and other vectors join the one before."""
        links: list[_Link] = []
        for node in nodes:
            is_own = self._count(node) and not (
                links and self._order.are_apart(links[-1].names, node.names)
            )
            if not links or (is_own and any(map(self._count, links[-1].nodes))):
                links.append(_Link())
            links[-1].nodes.append(node)
        return links

    def _with_one_head(self, links: list[_Link]) -> list[_Link]:
        """What is used after a module that was opened is the head, all of it."""
        depths = [link.nodes[0].path.count(".") for link in links]
        start = max((n for n, depth in enumerate(depths) if depth == max(depths)), default=0) + 1
        head = _Link([node for link in links[start:] for node in link.nodes])
        return [*links[:start], head] if head.nodes else links

    def _merged(self, links: list[_Link]) -> list[_Link]:
        """The links, those that are used in turn as one."""
        merged: list[_Link] = []
        for link in links:
            merged.append(link)
            after = self._order.after(link.names)
            found = [n for n, e in enumerate(merged[:-1]) if self._order.mask(e.names) & after]
            if found:
                nodes = [node for other in merged[found[0] :] for node in other.nodes]
                merged[found[0] :] = [_Link(nodes)]
        return merged

    def _entry(self, link: _Link, taken: set[str]) -> DraftEntry:
        name = entry_name(link.nodes[0].path, taken)
        taken.add(name)
        return DraftEntry(name, {"match": list(shortest_patterns(self._root, set(link.names)))})

    def _written(self, links: list[_Link], unused: list[Node]) -> Iterator[DraftEntry]:
        taken = {"head"}
        for number, link in enumerate(links):
            is_last = number == len(links) - 1
            nodes = [*link.nodes, *(unused if is_last else [])]
            is_head = is_last and not numbered(link.nodes[0].path)[0]
            name = "head" if is_head else entry_name(link.nodes[0].path, taken)
            taken.add(name)
            names = {n for node in nodes for n in node.names}
            patterns = list(shortest_patterns(self._root, names))
            said = ", ".join(node.pattern for node in unused)
            comments = (UNUSED.format(said),) if is_last and unused else ()
            yield DraftEntry(name, {"match": patterns}, is_head and number > 0, comments)

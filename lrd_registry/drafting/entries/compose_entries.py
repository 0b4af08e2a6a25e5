"""An arrangement → entries: the stem, the stacks with what joins them, and the head."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from lrd_registry.drafting.entries.chain import Chain
from lrd_registry.drafting.entries.naming import UNSEEN, UNUSED, DraftEntry, entry_name, stack_names
from lrd_registry.drafting.layers.arrange import Arrangement
from lrd_registry.drafting.tree.block_stacks import Stack
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node, merged_patterns, shortest_patterns
from lrd_registry.drafting.tree.weighing import LEAST_WEIGHTS, is_encoder

SMALL_GAP = 2
"""So many weights between two stacks join the one before, or after towers the one that they feed;
more are an entry of their own."""

OPENS = (
    "{} opens its stage, and shares the layer of the block before it (`previous`); with `first`, "
    "it would share that of the stage's first block."
)
BETWEEN = "{} is used between two stacks, and shares the layer of the block before."
BY_NAME = (
    "{} to {} are entries by their own names; another size of the network may need other entries."
)
AFTER_TOWERS = "{} is used between the towers and what they feed, and shares its first layer."


class Composing:
    """Writes the entries of one arrangement, of a model or of a part, which towers may feed.

    Attributes:
        unsure: the choices that could have been made otherwise, a sentence each.
    """

    def __init__(
        self,
        root: Node,
        order: Order,
        arrangement: Arrangement,
        weights: Collection[str],
        aliases: Mapping[str, str],
        *,
        is_fed: bool = False,
    ) -> None:
        self._root = root
        self._order = order
        self._at = arrangement
        self._weights = frozenset(weights)
        self._aliases = aliases
        self._is_fed = is_fed
        self.unsure: list[str] = []
        self._idle = self._place_idle()
        self._note_unseen()

    def entries(self) -> list[DraftEntry]:
        """The entries in forward order."""
        return list(self._entries())

    def _entries(self) -> Iterator[DraftEntry]:
        names = stack_names([stack.path for stack in self._at.stacks])
        taken = {"stem", "head", *names}
        if not self._joins(0):
            yield from self._chain(taken) or self._plain("stem", 0)
        for number, stack in enumerate(self._at.stacks):
            yield self._of_stack(names[number], number, stack)
            if number + 1 < len(names) and not self._joins(number + 1):
                path = max(self._at.gaps[number + 1], key=lambda node: len(node.names)).path
                name = entry_name(path, taken)
                taken.add(name)
                yield from self._plain(name, number + 1)
        yield from self._plain("head", len(names))

    def _chain(self, taken: set[str]) -> list[DraftEntry]:
        """The entries of an encoder of single layers in place of a stem; none for a small one."""
        names = {name for node in self._at.gaps[0] for name in node.names}
        weights = self._weights & names
        if not is_encoder(weights, self._weights):
            return []
        chain = Chain(self._root, self._order, weights)
        entries = chain.entries_below(self._at.gaps[0], taken - {"stem"})
        if len(entries) < LEAST_WEIGHTS:
            return []
        taken.update(entry.name for entry in entries)
        self.unsure.append(BY_NAME.format(entries[0].name, entries[-1].name))
        idle = self._idle[0]
        first = {"match": [*entries[0].patterns["match"], *self._patterns(idle)]}
        return [
            replace(entries[0], patterns=first, comments=self._say_unused(idle)),
            *entries[1:],
        ]

    def _plain(self, name: str, gap: int) -> Iterator[DraftEntry]:
        if nodes := self._in_gap(gap):
            is_optional = name == "head" and self._has_weights(nodes)
            yield DraftEntry(
                name, {"match": self._patterns(nodes)}, is_optional, self._say_unused(nodes)
            )

    def _of_stack(self, name: str, number: int, stack: Stack) -> DraftEntry:
        roles: dict[str, list[str]] = {"match": [stack.pattern]}
        for role, patterns in self._at.joined[number].items():
            roles.setdefault(role, []).extend(patterns)
        ends = {role: list(nodes) for role, nodes in self._at.ends[number].items()}
        if number == 0 and self._joins(0):
            ends.setdefault("first", []).extend(self._in_gap(0))
        if self._joins(number + 1):
            ends.setdefault("last", []).extend(self._in_gap(number + 1))
        for role, nodes in ends.items():
            if nodes:
                roles.setdefault(role, []).extend(self._patterns(nodes))
        self._note(number, roles)
        return DraftEntry(name, roles)

    def _note(self, number: int, roles: Mapping[str, list[str]]) -> None:
        if opening := roles.get("previous"):
            self.unsure.append(OPENS.format(", ".join(opening)))
        if number == 0 and self._joins(0) and (nodes := self._at.gaps[0]):
            self.unsure.append(AFTER_TOWERS.format(", ".join(self._patterns(nodes))))
        if self._joins(number + 1) and (nodes := self._at.gaps[number + 1]):
            self.unsure.append(BETWEEN.format(", ".join(self._patterns(nodes))))

    def _note_unseen(self) -> None:
        """Nothing that the pass did not use has a layer in silence."""
        last = len(self._idle) - 1
        for gap, nodes in enumerate(self._idle):
            unseen = [node for node in nodes if node.names[0] not in self._aliases]
            if unseen:
                where = {0: "the first layer", last: "the last layer"}.get(gap, "a layer between")
                count = sum(len(node.names) for node in unseen)
                said = ", ".join(self._patterns(unseen))
                self.unsure.append(UNSEEN.format(said, count, len(self._root.names), where))
        idle = {name for nodes in self._idle for node in nodes for name in node.names}
        if within := (self._order.unused & self._at.names) - self._aliases.keys() - idle:
            said = ", ".join(merged_patterns(shortest_patterns(self._root, within)))
            where = "the layers of what is around them"
            self.unsure.append(UNSEEN.format(said, len(within), len(self._root.names), where))

    def _in_gap(self, gap: int) -> list[Node]:
        return [*self._at.gaps[gap], *self._idle[gap]]

    def _joins(self, gap: int) -> bool:
        """Whether what is in a gap joins a stack: a little, between two or below the first."""
        names = {name for node in self._at.gaps[gap] for name in node.names}
        is_between = gap < len(self._at.stacks) and (gap > 0 or self._is_fed)
        return is_between and len(self._weights & names) <= SMALL_GAP

    def _has_weights(self, nodes: Iterable[Node]) -> bool:
        names = {name for node in nodes for name in node.names}
        return not names.isdisjoint(self._weights | self._aliases.keys())

    def _patterns(self, nodes: Iterable[Node]) -> list[str]:
        names = {name for node in nodes for name in node.names}
        return list(shortest_patterns(self._root, names))

    def _say_unused(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        unused = [node for node in nodes if self._order.unused.issuperset(node.names)]
        return (UNUSED.format(", ".join(self._patterns(unused))),) if unused else ()

    def _place_idle(self) -> list[list[Node]]:
        """For each gap, what is not used, and further names of what is."""
        places: list[list[Node]] = [[] for _ in self._at.gaps]
        gap_of = {
            name: gap
            for gap, nodes in enumerate(self._at.gaps)
            for node in nodes
            for name in node.names
        }
        for node in self._at.unused:
            is_alias = node.names[0] in self._aliases
            gap = (self._gap_of_alias if is_alias else self._gap_beside)(node, gap_of)
            places[gap].append(node)
        return places

    def _gap_of_alias(self, node: Node, gap_of: Mapping[str, int]) -> int:
        """The head for a tied output layer, else the place of the tensor's first name."""
        first, module = self._aliases[node.names[0]], node.names[0].rpartition(".")[0]
        if self._order.is_last_used_in(first, module):
            return len(self._at.gaps) - 1
        return gap_of.get(first, 0)

    def _gap_beside(self, node: Node, gap_of: Mapping[str, int]) -> int:
        """The gap of the siblings around: the later one of a module, the earlier of a tensor."""
        siblings = self._siblings(node)
        place = siblings.index(node)
        after, before = (
            next((gap_of[other.names[0]] for other in run if other.names[0] in gap_of), None)
            for run in (siblings[place:], siblings[place::-1])
        )
        known = (after, before) if node.children else (before, after)
        default = len(self._at.gaps) - 1 if node.children else 0
        return next((gap for gap in known if gap is not None), default)

    def _siblings(self, node: Node) -> list[Node]:
        """The children of the module that a node is in."""
        start = len(self._root.path) + 1 if self._root.path else 0
        parent = self._root.at(node.path[start:].rpartition(".")[0])
        return list(parent.children.values()) if parent else [node]

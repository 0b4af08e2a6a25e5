"""Stacks, and where the rest of a model belongs: before, between, beside or after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from lrd_registry.drafting.layers.join_modules import Joining, indexed
from lrd_registry.drafting.tree.block_stacks import Groups, Indices, Joint, Stack, numbered
from lrd_registry.drafting.tree.dependency_order import NOWHERE, Order
from lrd_registry.drafting.tree.module_tree import Node
from lrd_registry.drafting.tree.open_tree import Opened


class CannotArrangeError(Exception):
    """A draft of this kind would be out of order; `stack` is the one that has to be split."""

    def __init__(self, what: str, stack: Stack) -> None:
        super().__init__(what)
        self.stack = stack


class Arrangement:
    """The places of all that a model holds.

    Attributes:
        stacks: in the order in which they are used.
        gaps: what is before the first stack, between each and the next, and after the last.
        joined: for each stack, the patterns with indices that join its layers, by role.
        ends: for each stack, the nodes that share its first or its last layer, by role.
        unused: what the pass does not use, by itself.
        names: the parameters of all.
    """

    def __init__(self, order: Order, opened: Opened) -> None:
        self._order = order
        self.stacks = sorted(opened.stacks, key=lambda stack: order.first_step(stack.names))
        self._check_sequence()
        runs = [sorted(stack.runs.items()) for stack in self.stacks]
        self._layers = [order.mask(names) for run in runs for _, names in run]
        self._starts = [0, *accumulate(map(len, runs))]
        self._runs: list[dict[Indices, int]] = [
            {index: start + n for n, (index, _) in enumerate(run)}
            for start, run in zip(self._starts, runs, strict=False)
        ]
        self.gaps: list[list[Node]] = [[] for _ in range(len(self.stacks) + 1)]
        self.joined: list[dict[str, list[str]]] = [{} for _ in self.stacks]
        self.ends: list[dict[str, list[Node]]] = [{} for _ in self.stacks]
        self.unused: list[Node] = []
        self.names = opened.names
        self._join_beside()
        self._place_rest(opened.rest)

    def _check_sequence(self) -> None:
        for number, later in enumerate(self.stacks):
            for earlier in self.stacks[:number]:
                if self._order.mask(earlier.names) & self._order.after(later.names):
                    smaller = min(earlier, later, key=lambda stack: len(stack.names))
                    raise CannotArrangeError("two stacks are used in turn", smaller)

    def _join_beside(self) -> None:
        for number, stack in enumerate(self.stacks):
            for joint in stack.beside:
                if not self._join(number, joint):
                    raise CannotArrangeError(f"{joint.pattern} is at neither end", stack)

    def _join(self, number: int, joint: Joint) -> bool:
        role = Joining(self._order, self._layers, self._runs[number]).role(joint)
        if role:
            self.joined[number].setdefault(role, []).append(joint.pattern)
        return role is not None

    def _join_later(self, joint: Joint) -> Indices | None:
        """Join the first stack without what opens it, whose index is given: that is the stem."""
        joining = Joining(self._order, self._layers, self._runs[0])
        opening = joining.opening(joint)
        if opening is None:
            return None
        later = {index: names for index, names in joint.groups.items() if index != opening}
        if joining.role(Joint(joint.pattern, later)) != "previous":
            return None
        self.joined[0].setdefault("previous", []).append(joint.pattern)
        return opening

    def _place_rest(self, rest: Sequence[Node]) -> None:
        nodes = [part for node in rest for part in self._in_order(node)]
        within: list[Node] = []
        for node in nodes:
            if not self._order.is_used(node.names):
                self.unused.append(node)
            elif (gap := self._gap(node)) is not None:
                self.gaps[gap].append(node)
            else:
                within.append(node)
        for group in self._families(nodes, within):
            self._place_within(group)

    def _in_order(self, node: Node) -> Iterator[Node]:
        """A node, or its children where no layer is right for all of it."""
        low, high = self._order.range(node.names, self._layers)
        if low <= high or not node.children:
            yield node
        else:
            for child in node.children.values():
                yield from self._in_order(child)

    def _gap(self, node: Node) -> int | None:
        """The gap that a node is in: what only the output depends on is after the last stack."""
        low, high = self._order.range(node.names, self._layers)
        if high == len(self._layers):
            return len(self.stacks)
        if low == NOWHERE:
            return None if high else 0
        gaps = range(1, len(self.stacks))
        return next((gap for gap in gaps if low < self._starts[gap] <= high), None)

    def _families(self, rest: Sequence[Node], within: list[Node]) -> Iterator[list[Node]]:
        """What is within stacks, together with its numbered siblings, if all is used."""
        done: set[str] = set()
        for node in within:
            if node.path in done:
                continue
            form, _ = numbered(node.path)
            group = [other for other in rest if form and numbered(other.path)[0] == form] or [node]
            done.update(other.path for other in group)
            yield group

    def _place_within(self, group: list[Node]) -> None:
        form, _ = numbered(group[0].path)
        if form and len(group) > 1:
            groups: Groups = {(numbered(node.path)[1],): node.names for node in group}
            end = ".**" if group[0].children else ""
            first = Joint(indexed(form, self.stacks[0]) + end, groups)
            if (opening := self._join_later(first)) is not None:
                self._remove([node for node in group if groups[opening] != node.names])
                return
            for number, stack in enumerate(self.stacks):
                if self._join(number, Joint(indexed(form, stack) + end, groups)):
                    self._remove(group)
                    return
        for node in group:
            if not any(node in gap for gap in self.gaps):
                self._place_at_end(node)

    def _remove(self, group: list[Node]) -> None:
        self.gaps = [[node for node in gap if node not in group] for gap in self.gaps]

    def _place_at_end(self, node: Node) -> None:
        low, high = self._order.range(node.names, self._layers)
        if low == NOWHERE:
            self._place_input(node, high)
            return
        for number in range(len(self.stacks)):
            ends = {"first": self._starts[number], "last": self._starts[number + 1] - 1}
            for role, layer in ends.items():
                if low <= layer <= high:
                    self.ends[number].setdefault(role, []).append(node)
                    return
        raise CannotArrangeError(f"{node.path} is used inside a stack", self._stack_at(high))

    def _place_input(self, node: Node, high: int) -> None:
        """What enters at a later stack, such as a decoder's embeddings, is with its first block."""
        number = self._starts.index(high) if high in self._starts else 0
        mask = self._order.mask(node.names)
        feeds_gap = any(mask & self._order.before(other.names) for other in self.gaps[number])
        if number and feeds_gap:
            self.gaps[number].append(node)
        elif number:
            self.ends[number].setdefault("first", []).append(node)
        else:
            self.gaps[0].append(node)

    def _stack_at(self, layer: int) -> Stack:
        inside = [n for n, start in enumerate(self._starts) if start <= layer]
        return self.stacks[min(inside[-1] if inside else 0, len(self.stacks) - 1)]

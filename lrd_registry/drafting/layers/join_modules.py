"""What stands beside a stack's blocks, and which of their layers it shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lrd_registry.drafting.tree.block_stacks import Indices, Joint, Stack
from lrd_registry.drafting.tree.dependency_order import NOWHERE, Order


class Span(NamedTuple):
    """The layers that some blocks make: the first and the last of them."""

    first: int
    last: int


class Joining:
    """Finds the role of joints of one stack.

    Attributes:
        order: what the trace says.
        layers: the parameters of each layer of the draft so far, as sets of `order`.
        runs: the layer of each of the stack's blocks.
    """

    def __init__(self, order: Order, layers: Sequence[int], runs: dict[Indices, int]) -> None:
        self._order = order
        self._layers = layers
        self._runs = runs

    def opening(self, joint: Joint) -> Indices | None:
        """The group that is used before all blocks, if there are others: a stem, in a stage."""
        stem = (NOWHERE, 0)
        found = (i for i, n in joint.groups.items() if self._order.range(n, self._layers) == stem)
        return next(found, None) if len(joint.groups) > 1 else None

    def role(self, joint: Joint) -> str | None:
        """The role in which each group is in order; None if there is none."""
        if any(self._span(index) is None for index in joint.groups):
            return None
        is_full = all(index in self._runs for index in joint.groups)
        starts = any(min(self._runs)[: len(index)] == index for index in joint.groups)
        at_ends = ("first", "last") if starts else ("previous", "first", "last")
        roles = ("match",) if is_full else at_ends
        return next((role for role in roles if self._fits(role, joint)), None)

    def _fits(self, role: str, joint: Joint) -> bool:
        for index, names in joint.groups.items():
            span = self._span(index)
            assert span is not None, "checked before"
            layer = {"previous": span.first - 1, "last": span.last}.get(role, span.first)
            low, high = self._order.range(names, self._layers)
            if not low <= layer <= high:
                return False
        return True

    def _span(self, index: Indices) -> Span | None:
        found = [layer for run, layer in self._runs.items() if run[: len(index)] == index]
        return Span(min(found), max(found)) if found else None


def indexed(pattern: str, stack: Stack) -> str:
    """A pattern with `{}` for its number, with the name of the stack's outermost index in it."""
    return pattern.replace("{}", "{stage}" if "{stage}" in stack.pattern else "{block}")

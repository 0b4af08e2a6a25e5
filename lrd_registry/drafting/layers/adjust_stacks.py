"""The stacks that were found, as layers count them: a stem is none, and an encoder has its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from lrd_registry.drafting.tree.block_stacks import Groups, Indices, Stack
from lrd_registry.drafting.tree.block_unit import is_residual
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node
from lrd_registry.drafting.tree.open_tree import Opened, Opening
from lrd_registry.drafting.tree.weighing import is_encoder

Shape: TypeAlias = tuple[int, ...]

STEM = 0.125
"""The share of the weights below which a run of modules before all stacks may be a stem."""


class Adjusting:
    """Adjusts what was opened in one model.

    Attributes:
        root: the model's tree.
        order: what the trace says.
        shapes: of the parameters of two or more dimensions.
    """

    def __init__(self, root: Node, order: Order, shapes: Mapping[str, Shape]) -> None:
        self._root = root
        self._order = order
        self._shapes = shapes

    def adjusted(self, opened: Opened) -> Opened:
        """The same without the stem's stack, and with those of encoders of single layers."""
        return self._with_encoders(self._with_stem(opened))

    def split(self, opened: Opened, stack: Stack) -> Opened:
        """The same with a stack's stages each by itself, or with its blocks among the rest."""
        stacks = tuple(other for other in opened.stacks if other is not stack)
        if "{stage}" not in stack.pattern:
            return replace(opened, stacks=stacks, rest=opened.rest + self._steps(stack))
        stages: dict[int, dict[Indices, tuple[str, ...]]] = {}
        for (stage, block), names in stack.runs.items():
            stages.setdefault(stage, {})[(block,)] = names
        parts = tuple(_stage(stack, n, runs) for n, runs in stages.items())
        beside = [j.pattern.replace("{stage}", str(n)) for j in stack.beside for (n,) in j.groups]
        rest = opened.rest + tuple(self._nodes(beside))
        return replace(opened, stacks=stacks + parts, rest=rest)

    def _with_stem(self, opened: Opened) -> Opened:
        stacks = sorted(opened.stacks, key=self._first_step)
        is_stem = len(stacks) > 1 and self._is_stem(stacks[0], stacks[1:])
        return self.split(opened, stacks[0]) if is_stem else opened

    def _is_stem(self, first: Stack, later: Iterable[Stack]) -> bool:
        """Whether a stack is a short run of plain modules that change the width: a stem."""
        own = self._shapes.keys() & set(first.names)
        is_stage = "{stage}" in first.pattern or _form(first) in map(_form, later)
        if is_stage or len(own) >= STEM * len(self._shapes) or self._is_uniform(first):
            return False
        return not any(is_residual(step, self._order) for step in self._steps(first))

    def _is_uniform(self, stack: Stack) -> bool:
        """Whether all steps have the same shapes, as blocks have."""
        steps = [
            tuple(self._shapes[name] for name in names if name in self._shapes)
            for names in stack.runs.values()
        ]
        return len(set(steps)) == 1

    def _with_encoders(self, opened: Opened) -> Opened:
        """The same with the stacks of encoders that are single layers below other stacks."""
        weights = self._shapes.keys()
        after = self._order.mask(name for stack in opened.stacks for name in stack.names)
        for node in opened.rest:
            own = weights & set(node.names)
            if is_encoder(own, weights) and after & self._order.after(node.names):
                found = Opening(self._order, own, levels=1, least=1).open(node)
                if found.stacks:
                    rest = tuple(other for other in opened.rest if other is not node)
                    opened = replace(opened, rest=rest) + found
        return opened

    def _first_step(self, stack: Stack) -> float:
        return self._order.first_step(stack.names)

    def _steps(self, stack: Stack) -> tuple[Node, ...]:
        """The modules of a stack without stages."""
        return tuple(
            self._nodes(stack.pattern.replace("{block}", str(number)) for (number,) in stack.runs)
        )

    def _nodes(self, patterns: Iterable[str]) -> Iterator[Node]:
        found = (self._root.at(pattern.removesuffix(".**")) for pattern in patterns)
        yield from (node for node in found if node)


def _stage(stack: Stack, number: int, runs: Groups) -> Stack:
    pattern = stack.pattern.replace("{stage}", str(number))
    return Stack(pattern.replace("{block}", "{}").removesuffix(".**"), pattern, runs)


def _form(stack: Stack) -> str:
    """The pattern without its numbers, which stages of one network share."""
    return re.sub("[0-9]+", "", stack.pattern)

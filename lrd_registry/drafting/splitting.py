"""Stacks taken apart, where something is used in the middle of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lrd_registry.drafting.opening import Opened
from lrd_registry.drafting.stacks import Groups, Indices, Stack
from lrd_registry.drafting.tree import Node


def split(opened: Opened, stack: Stack, root: Node) -> Opened:
    """The same with the stages of a stack each by itself, or with its blocks among the rest."""
    stacks = tuple(other for other in opened.stacks if other is not stack)
    if "{stage}" not in stack.pattern:
        blocks = [stack.pattern.replace("{block}", str(n)) for (n,) in stack.runs]
        return Opened(stacks, opened.rest + tuple(_nodes(root, blocks)))
    stages: dict[int, dict[Indices, tuple[str, ...]]] = {}
    for (stage, block), names in stack.runs.items():
        stages.setdefault(stage, {})[(block,)] = names
    parts = tuple(_stage(stack, n, runs) for n, runs in stages.items())
    beside = [j.pattern.replace("{stage}", str(n)) for j in stack.beside for (n,) in j.groups]
    return Opened(stacks + parts, opened.rest + tuple(_nodes(root, beside)))


def _stage(stack: Stack, number: int, runs: Groups) -> Stack:
    pattern = stack.pattern.replace("{stage}", str(number))
    return Stack(pattern.replace("{block}", "{}").removesuffix(".**"), pattern, runs)


def _nodes(root: Node, patterns: Iterable[str]) -> Iterator[Node]:
    found = (root.at(pattern.removesuffix(".**")) for pattern in patterns)
    yield from (node for node in found if node)

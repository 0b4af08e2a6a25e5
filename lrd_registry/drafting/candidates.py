"""Drafts of one model, the most telling first; the last fits any model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lrd_registry.drafting.arrange import Arrangement, CannotArrangeError
from lrd_registry.drafting.block_stacks import Groups, Indices, Stack
from lrd_registry.drafting.block_unit import is_residual
from lrd_registry.drafting.chain import Chain
from lrd_registry.drafting.compose_entries import Composing
from lrd_registry.drafting.dependency_order import Order
from lrd_registry.drafting.module_tree import Node, shortest_patterns
from lrd_registry.drafting.naming import UNSEEN, DraftEntry, entry_name, with_head
from lrd_registry.drafting.open_tree import Opened, Opening
from lrd_registry.drafting.towers import Tower, Towers, find_towers
from lrd_registry.drafting.weighing import is_encoder


def split(opened: Opened, stack: Stack, root: Node) -> Opened:
    """The same with the stages of a stack each by itself, or with its blocks among the rest."""
    stacks = tuple(other for other in opened.stacks if other is not stack)
    if "{stage}" not in stack.pattern:
        blocks = [stack.pattern.replace("{block}", str(n)) for (n,) in stack.runs]
        return replace(opened, stacks=stacks, rest=opened.rest + tuple(_nodes(root, blocks)))
    stages: dict[int, dict[Indices, tuple[str, ...]]] = {}
    for (stage, block), names in stack.runs.items():
        stages.setdefault(stage, {})[(block,)] = names
    parts = tuple(_stage(stack, n, runs) for n, runs in stages.items())
    beside = [j.pattern.replace("{stage}", str(n)) for j in stack.beside for (n,) in j.groups]
    rest = opened.rest + tuple(_nodes(root, beside))
    return replace(opened, stacks=stacks + parts, rest=rest)


def _stage(stack: Stack, number: int, runs: Groups) -> Stack:
    pattern = stack.pattern.replace("{stage}", str(number))
    return Stack(pattern.replace("{block}", "{}").removesuffix(".**"), pattern, runs)


def _form(stack: Stack) -> str:
    """The pattern without its numbers, which stages of one network share."""
    return re.sub("[0-9]+", "", stack.pattern)


def _nodes(root: Node, patterns: Iterable[str]) -> Iterator[Node]:
    found = (root.at(pattern.removesuffix(".**")) for pattern in patterns)
    yield from (node for node in found if node)


ATTEMPTS = 8
"""How often stacks are split, before a plainer draft is tried."""

LEAST = 0.25
"""The share of the weights that stacks have to hold, for a draft that speaks of them."""

STEM = 0.125
"""The share of the weights below which a run of modules before all stacks is no stack itself."""

LITERAL = (
    "No run of blocks without holes was found, so each module is an entry by its own name; "
    "another size of the network may need other entries."
)
WHOLE_STAGES = "Each member of the outermost list is one layer, however many blocks it holds."
ALL = "No order could be told, so all is one layer."
JOINED = "{} feed {}, so their scales go on below its first layer (`before`)."
PARTS = "The parts have a depth of their own each, as nothing in one depends on another."


@dataclass(frozen=True)
class Candidate:
    """What a draft says of a model's layers: `layers`, or `parts` and `outside`."""

    layout: dict[str, Any]
    comments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()


class Candidates:
    """Drafts one model in all ways."""

    def __init__(
        self, root: Node, order: Order, weights: Collection[str], aliases: Mapping[str, str]
    ) -> None:
        self._aliases = aliases
        self._root = root
        self._order = order
        self._weights = frozenset(weights)

    def __iter__(self) -> Iterator[Candidate]:
        """The drafts: of stages and blocks, of the outermost only, of modules, of one layer."""
        yield from self._of_stacks(Opening(self._order, self._weights))
        flat = Opening(self._order, self._weights, levels=1)
        yield from (_unsure(found, WHOLE_STAGES) for found in self._of_stacks(flat))
        for share in (0.5, LEAST):  # first one list of single layers, then several
            plain = Opening(self._order, self._weights, levels=1, least=1, share=share)
            yield from self._of_stacks(plain)
        if chain := Chain(self._root, self._order, self._weights).entries():
            yield _unsure(_of_layers(with_head(chain, self._root)), LITERAL, *self._unseen())
        yield _unsure(_of_layers([DraftEntry("all", {"match": ["**"]})]), ALL, *self._unseen())

    def _unseen(self) -> Iterator[str]:
        """Of a plain draft, a sentence on what the pass does not use."""
        if unseen := self._order.unused - self._aliases.keys():
            patterns = ", ".join(shortest_patterns(self._root, unseen))
            yield UNSEEN.format(patterns, len(unseen), len(self._root.names), "the last layer")

    def _of_stacks(self, opening: Opening) -> Iterator[Candidate]:
        opened = self._with_encoders(self._with_stem(opening.open(self._root)))
        for _ in range(ATTEMPTS):
            inside = {name for stack in opened.stacks for name in stack.names}
            if len(self._weights & inside) < LEAST * len(self._weights) or not inside:
                return
            try:
                yield self._composed(opened)
            except CannotArrangeError as error:
                opened = split(opened, error.stack, self._root)
            else:
                return

    def _with_stem(self, opened: Opened) -> Opened:
        """The same without a short run of plain modules before all stacks, which is a stem."""
        stacks = sorted(opened.stacks, key=lambda stack: self._order.first_step(stack.names))
        if len(stacks) < 2 or "{stage}" in stacks[0].pattern:
            return opened
        is_stage = _form(stacks[0]) in map(_form, stacks[1:])
        is_small = len(self._weights.intersection(stacks[0].names)) < STEM * len(self._weights)
        steps = split(Opened((stacks[0],)), stacks[0], self._root).rest
        is_plain = not any(is_residual(step, self._order) for step in steps)
        is_stem = is_small and is_plain and not is_stage
        return split(opened, stacks[0], self._root) if is_stem else opened

    def _with_encoders(self, opened: Opened) -> Opened:
        """The same with the stacks of encoders that are single layers below other stacks."""
        after = self._order.mask(name for stack in opened.stacks for name in stack.names)
        for node in opened.rest:
            own = self._weights.intersection(node.names)
            if is_encoder(own, self._weights) and after & self._order.after(node.names):
                found = Opening(self._order, own, levels=1, least=1).open(node)
                if found.stacks:
                    rest = tuple(other for other in opened.rest if other is not node)
                    opened = replace(opened, rest=rest) + found
        return opened

    def _composed(self, opened: Opened) -> Candidate:
        if towers := find_towers(self._root, self._order, opened):
            return self._of_towers(towers)
        entries, unsure = self._entries(self._root, opened)
        return replace(_of_layers(with_head(entries, self._root)), unsure=unsure)

    def _entries(
        self, root: Node, opened: Opened, *, is_fed: bool = False
    ) -> tuple[list[DraftEntry], tuple[str, ...]]:
        arrangement = Arrangement(self._order, opened)
        composing = Composing(
            root, self._order, arrangement, self._weights, self._aliases, is_fed=is_fed
        )
        return composing.entries(), (*opened.unsure, *composing.unsure)

    def _of_towers(self, found: Towers) -> Candidate:
        layout: dict[str, Any] = {"parts": {}}
        comments: dict[str, tuple[str, ...]] = {}
        fed = found.towers[-1].name
        towers = " and ".join(tower.name for tower in found.towers if tower.before)
        unsure = [JOINED.format(towers, fed) if towers else PARTS]
        for tower in found.towers:
            is_fed = bool(towers) and not tower.before
            composed, doubts = self._entries(tower.root, tower.opened, is_fed=is_fed)
            entries = [entry.below(tower.prefix) for entry in composed]
            unsure += doubts
            layout["parts"][tower.name] = _part(tower, entries)
            comments |= {f"{tower.name}.{e.name}": e.comments for e in entries if e.comments}
        if found.outside:
            layout["outside"] = self._outside(found)
        return Candidate(layout, comments, tuple(unsure))

    def _outside(self, found: Towers) -> dict[str, Any]:
        taken = {tower.name for tower in found.towers}
        names = {name for node in found.outside for name in node.names}
        is_one = len(found.outside) == 1
        name = entry_name(found.outside[0].path, taken) if is_one else entry_name("head", taken)
        patterns = list(shortest_patterns(self._root, names))
        return {name: DraftEntry(name, {"match": patterns}).data()}


def _part(tower: Tower, entries: Sequence[DraftEntry]) -> dict[str, Any]:
    where = {"prefix": tower.prefix} if tower.prefix else {}
    where |= {"before": tower.before} if tower.before else {}
    return where | {"layers": [{entry.name: entry.data()} for entry in entries]}


def _of_layers(entries: Sequence[DraftEntry]) -> Candidate:
    layers = [{entry.name: entry.data()} for entry in entries]
    comments = {entry.name: entry.comments for entry in entries if entry.comments}
    return Candidate({"layers": layers}, comments)


def _unsure(candidate: Candidate, *sentences: str) -> Candidate:
    return replace(candidate, unsure=(*candidate.unsure, *sentences))

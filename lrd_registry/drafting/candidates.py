"""Drafts of one model, the most telling first; the last fits any model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lrd_registry.drafting.entries.chain import Chain
from lrd_registry.drafting.entries.compose_entries import Composing
from lrd_registry.drafting.entries.naming import UNSEEN, DraftEntry, entry_name, with_head
from lrd_registry.drafting.layers.adjust_stacks import Adjusting, Shape
from lrd_registry.drafting.layers.arrange import Arrangement, CannotArrangeError
from lrd_registry.drafting.towers import Tower, Towers, find_towers
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import Node, shortest_patterns
from lrd_registry.drafting.tree.open_tree import Opened, Opening

ATTEMPTS = 8
"""How often stacks are split, before a plainer draft is tried."""

LEAST = 0.25
"""The share of the weights that stacks have to hold, for a draft that speaks of them."""

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
        self, root: Node, order: Order, shapes: Mapping[str, Shape], aliases: Mapping[str, str]
    ) -> None:
        self._aliases = aliases
        self._root = root
        self._order = order
        self._weights = frozenset(shapes)
        self._stacks = Adjusting(root, order, shapes)

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
        opened = self._stacks.adjusted(opening.open(self._root))
        for _ in range(ATTEMPTS):
            inside = {name for stack in opened.stacks for name in stack.names}
            if len(self._weights & inside) < LEAST * len(self._weights) or not inside:
                return
            try:
                yield self._composed(opened)
            except CannotArrangeError as error:
                opened = self._stacks.split(opened, error.stack)
            else:
                return

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
        *more, last = [tower.name for tower in found.towers if tower.before] or [""]
        towers = f"{', '.join(more)} and {last}" if more else last
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

"""Two ways to put one model's parameters into layers → what changes from one to the other."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lrd_registry.assignment import Level, Placement
from lrd_registry.decay import layer_scale
from lrd_registry.errors import InvalidArgumentError


@dataclass(frozen=True)
class Side:
    """One of the two: every parameter's layer, and the decay from one layer to the one before.

    Attributes:
        spec: the side as it was asked for.
        arch: what it turned out to be.
        layout: which layout of it.
        depths: how many layers each part has; `""` where the model is all of one part.
        layer_decay: above 0, at most 1.
        before: part -> the part that it goes on below.
        places: parameter name -> its placement, in the model's order; its entry and its pattern are
            empty where the side has no rule set.

    Raises:
        InvalidArgumentError: layer 0 has a scale that floating point takes for 0.
    """

    spec: str
    arch: str
    layout: str
    depths: Mapping[str, int]
    layer_decay: float
    places: Mapping[str, Placement] = field(repr=False)
    before: Mapping[str, str] = field(default_factory=dict)

    @property
    def num_layers(self) -> int:
        """How many layers there are; of several parts, the most."""
        return max(self.depths.values())

    def __post_init__(self) -> None:
        for part, depth in self.depths.items():
            if depth and self._scale((part, 0)) < sys.float_info.min:
                raise InvalidArgumentError(
                    f"{self.spec}: with layer decay {self.layer_decay:g}, layer 0 of {depth}"
                    f"{f' in {part}' if part else ''} has a scale of 0, and 0 cannot be compared; "
                    "take a larger one"
                )

    def scale(self, name: str) -> float:
        """The learning-rate scale of a parameter."""
        return self._scale(self.places[name].level)

    def _scale(self, level: Level) -> float:
        return layer_scale(level, self.depths, self.before, self.layer_decay)


class Move(NamedTuple):
    """One parameter that has another layer or another scale on side B."""

    name: str
    layer_a: int
    layer_b: int
    scale_a: float
    scale_b: float

    @property
    def shift(self) -> int:
        """By how many layers it is deeper on side B."""
        return self.layer_b - self.layer_a

    @property
    def factor(self) -> float:
        """Its scale on side B over that on side A."""
        return self.scale_b / self.scale_a


class Origin(NamedTuple):
    """What puts a parameter into its layer; empty where the side has no rule set."""

    entry: str
    pattern: str


@dataclass(frozen=True)
class Change:
    """Parameters of one pattern on each side, with no scale that rises beside one that falls.

    Attributes:
        a: what puts them into their layers on side A.
        b: the same on side B.
        of: how many parameters the pattern on side A has, these and others.
        moves: the parameters, in the model's order.
    """

    a: Origin
    b: Origin
    of: int
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Difference:
    """What changes from side A to side B.

    Attributes:
        parameters: how many parameters both sides place.
        changes: those that change, in forward order on side A.
    """

    a: Side
    b: Side
    parameters: int
    changes: tuple[Change, ...]


def compare(a: Side, b: Side) -> Difference:
    """Compare two sides, over the parameters that both of them place.

    >>> names = ["embed", "block", "head"]
    >>> places = {name: Placement(layer, "e", name) for layer, name in enumerate(names)}
    >>> a = Side("a", "mine", "default", {"": 3}, 0.5, places)
    >>> b = Side("b", "mine", "default", {"": 3}, 0.5, {**places, "block": places["head"]})
    >>> [move for change in compare(a, b).changes for move in change.moves]
    [Move(name='block', layer_a=1, layer_b=2, scale_a=0.5, scale_b=1.0)]
    """
    names = [name for name in a.places if name in b.places]
    moves = [move for move in _moves(names, a, b) if move.shift or move.factor != 1]
    return Difference(a, b, len(names), tuple(_changes(moves, a, b)))


def _moves(names: list[str], a: Side, b: Side) -> Iterator[Move]:
    for name in names:
        layers = a.places[name].layer, b.places[name].layer
        yield Move(name, *layers, a.scale(name), b.scale(name))


def _changes(moves: list[Move], a: Side, b: Side) -> list[Change]:
    sizes = Counter(map(_origin, a.places.values()))
    alike: dict[tuple[Origin, Origin], list[Move]] = {}
    for move in moves:
        origins = _origin(a.places[move.name]), _origin(b.places[move.name])
        alike.setdefault(origins, []).append(move)
    changes = [
        Change(*origins, sizes[origins[0]], part)
        for origins, members in alike.items()
        for part in _rising_apart(members)
    ]
    return sorted(changes, key=lambda change: min(move.layer_a for move in change.moves))


def _rising_apart(moves: list[Move]) -> Iterator[tuple[Move, ...]]:
    """All together, unless the scales of some rise and those of others fall."""
    rising = tuple(move for move in moves if move.factor > 1)
    if rising and any(move.factor < 1 for move in moves):
        yield rising
        yield tuple(move for move in moves if move.factor <= 1)
    else:
        yield tuple(moves)


def _origin(place: Placement) -> Origin:
    return Origin(place.entry, place.pattern)

"""The result for one model: each parameter's layer, with the entry and pattern behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lrd_registry.layers.decay import layer_scale
from lrd_registry.patterns.pattern import Pattern


class Placement(NamedTuple):
    """A layer, the entry that it belongs to, and the pattern that put a parameter there."""

    layer: int
    entry: str
    pattern: str


class Row(NamedTuple):
    """One parameter of an assignment."""

    name: str
    layer: int
    entry: str
    pattern: str


@dataclass(frozen=True)
class Assignment(Mapping[str, Row]):
    """Every parameter of one model in its layer: a mapping from parameter name to `Row`.

    Attributes:
        arch: the rule set's name.
        layout: the layout that fits the model.
        entries: the names of the layout's entries, in forward order.
        layers: the entry of each layer, 0 to `num_layers - 1`.
        placements: parameter name -> placement, in the model's order.
        no_weight_decay: the rule set's patterns of parameters without weight decay.
    """

    arch: str
    layout: str
    entries: tuple[str, ...]
    layers: tuple[str, ...]
    placements: Mapping[str, Placement] = field(repr=False)
    no_weight_decay: tuple[Pattern, ...] = ()

    def __getitem__(self, name: str) -> Row:
        return Row(name, *self.placements[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.placements)

    def __len__(self) -> int:
        return len(self.placements)

    @property
    def num_layers(self) -> int:
        """How many layers there are, from the input to the head."""
        return len(self.layers)

    def scale(self, name: str, layer_decay: float) -> float:
        """The learning-rate scale of a parameter: `layer_decay ** (num_layers - 1 - layer)`.

        Raises:
            KeyError: the model has no parameter of this name.
        """
        return layer_scale(self.placements[name].layer, self.num_layers, layer_decay)

    def to_dict(self) -> dict[str, Any]:
        """The assignment as plain data, ready for JSON."""
        return {
            "arch": self.arch,
            "layout": self.layout,
            "num_layers": self.num_layers,
            "parameters": [row._asdict() for row in self.values()],
        }

    def fingerprint(self) -> str:
        """A digest of what determines the scales: the number of layers and each one's layer.

        SHA-256, in hexadecimal, of UTF-8 text: a line with the number of layers, then a line
        `name TAB layer` for each parameter, sorted, and no newline at the end. Equal on every
        machine and in every Python version; parameter order, freezing and the names of entries
        do not change it. `build_param_groups` stores it in every group as `assignment`, which
        an optimizer keeps in its `state_dict()`.
        """
        lines = sorted([f"{name}\t{placed.layer}" for name, placed in self.placements.items()])
        return hashlib.sha256("\n".join([str(self.num_layers), *lines]).encode()).hexdigest()

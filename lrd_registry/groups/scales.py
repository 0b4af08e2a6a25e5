"""What turns a layer into a learning-rate scale: the decay, multipliers by entry, a least scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lrd_registry.arguments import ABOVE_0, UP_TO_1, check_number
from lrd_registry.assignment import Assignment, Level
from lrd_registry.decay import (
    LayerDecay,
    check_layer_decay,
    check_parts,
    layer_scales,
    warn_above_1,
)
from lrd_registry.errors import InvalidArgumentError
from lrd_registry.wording import did_you_mean

FREEZE = ". To keep parameters as they are, freeze them: requires_grad_(False)"


@dataclass(frozen=True)
class Scales:
    """The scales of one training.

    A layer's scale is `layer_decay ** (num_layers - 1 - layer)` times the multiplier of its
    entry in `lr_mult`, and not below `min_scale`. Each part of a model has a number of layers of
    its own, and may have a `layer_decay` of its own. A part that is before another goes on below
    it: the scale of that one's first layer, without `lr_mult` and `min_scale`, is times
    `layer_decay ** (num_layers - layer)`.

    Raises:
        InvalidArgumentError: one of the numbers is out of its range.
    """

    layer_decay: LayerDecay
    lr_mult: Mapping[str, float] = field(default_factory=dict)
    min_scale: float = 0.0

    def __post_init__(self) -> None:
        check_layer_decay(self.layer_decay)
        warn_above_1(self.layer_decay)
        check_number("min_scale", self.min_scale, UP_TO_1)
        for entry, factor in self.lr_mult.items():
            check_number(f"lr_mult[{entry!r}]", factor, ABOVE_0, FREEZE)

    def of(self, assignment: Assignment) -> dict[Level, float]:
        """The scale of each layer of an assignment, 0 to `num_layers - 1` in each part.

        Raises:
            InvalidArgumentError: `lr_mult` names an entry that its layout does not have, or
                `layer_decay` other parts than it has.
        """
        self._check_entries(assignment)
        depths, before = assignment.depths, assignment.before
        check_parts(self.layer_decay, depths, before, assignment.arch)
        scales, multipliers = layer_scales(depths, before, self.layer_decay), self.lr_mult
        return {
            level: max(self.min_scale, scales[level] * multipliers.get(entry, 1.0))
            for level, entry in assignment.levels.items()
        }

    def _check_entries(self, assignment: Assignment) -> None:
        for entry in self.lr_mult:
            if entry not in assignment.entries:
                hint = did_you_mean(entry, assignment.entries, quote="{!r}")
                raise InvalidArgumentError(
                    f"lr_mult: {assignment.arch!r} (layout {assignment.layout!r}) has no entry "
                    f"{entry!r}{hint}; its entries: {', '.join(assignment.entries)}"
                )

"""The learning rates of an optimizer's parameters: what was asked for, and what they get."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from lrd_registry.errors import LearningRateFault


class Rate(NamedTuple):
    """One parameter's learning rates.

    Attributes:
        name: the parameter.
        layer: its layer.
        group: the index of its group.
        scale: of its layer.
        asked: the base learning rate times the scale.
        base: what the schedule works from; without one, the same as `now`.
        now: what the optimizer would step with.
        part: the part of the model that the layer is in; empty where it is all of one part.
    """

    name: str
    layer: int
    group: int
    scale: float
    asked: float
    base: float
    now: float
    part: str = ""


@dataclass(frozen=True)
class LearningRates:
    """The learning rates of an optimizer, and what is wrong with them.

    `str()` gives a line for each layer, then the faults.

    Attributes:
        lr: the base learning rate that was asked for.
        factor: what the schedule multiplies all of them by now.
        rates: a row for each parameter in each group, in the optimizer's order.
        faults: what is wrong, if anything.
    """

    lr: float
    factor: float
    rates: tuple[Rate, ...] = field(repr=False)
    faults: tuple[LearningRateFault, ...] = ()

    @property
    def is_right(self) -> bool:
        """Every parameter gets the learning rate that was asked for."""
        return not self.faults

    def __str__(self) -> str:
        rows = Counter((r.part, r.layer, r.scale, r.asked, r.base, r.now) for r in self.rates)
        table = [
            f"{layer:5}{scale:10.4g}{asked:11.4g}{base:11.4g}{now:11.4g}{count:12}"
            f"{'  ' if part else ''}{part}"
            for (part, layer, scale, asked, base, now), count in sorted(rows.items())
        ]
        head = "layer     scale      asked       base        now  parameters"
        faults = [fault.message for fault in self.faults]
        right = "every parameter has the learning rate that was asked for"
        return "\n".join([head, *table, *(faults or [right])])

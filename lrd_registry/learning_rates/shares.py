"""Live groups, each with the one scale that its parameters were asked to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lrd_registry.layers.assignment import Assignment, Level
from lrd_registry.learning_rates.common_factor import close, common_factor
from lrd_registry.learning_rates.live_groups import LiveGroup
from lrd_registry.learning_rates.membership import assigned
from lrd_registry.learning_rates.schedules import Schedule


@dataclass(frozen=True)
class Share:
    """A group whose parameters were all asked to have one scale.

    Attributes:
        group: which.
        names: its parameters.
        distance: how many layers there are from here to the last.
        scale: what was asked for, over the base learning rate.
        base: what the group starts from.
    """

    group: LiveGroup
    names: tuple[str, ...]
    distance: int
    scale: float
    base: float


def shares_of(
    groups: Sequence[LiveGroup],
    assignment: Assignment,
    scales: Mapping[Level, float],
    bases: Sequence[float],
) -> list[Share]:
    """The groups of one scale; not those of several, nor those without parameters it knows.

    Args:
        groups: the optimizer's.
        assignment: the layer of each parameter.
        scales: the scale of each layer of each part.
        bases: what each group starts from.
    """
    shares, depths = [], assignment.depths
    for group, base in zip(groups, bases, strict=True):
        names = assigned(group, assignment)
        levels = {assignment[name].level for name in names}
        found = {scales[level] for level in levels}
        if len(found) == 1:
            distance = min(depths[part] - 1 - layer for part, layer in levels)
            shares.append(Share(group, names, distance, found.pop(), base))
    return shares


def likely_bases(
    shares: Sequence[Share], groups: Sequence[LiveGroup], schedule: Schedule, lr: float
) -> list[float]:
    """What each group started from where only what it has now is known.

    The schedule may have multiplied all of them by one factor, which is 1 at most. What has come
    down to its least learning rate tells nothing, and counts as right.
    """
    down = [share for share in shares if is_at_least(share.group, schedule)]
    moving = [share for share in shares if share not in down]
    asked = [lr * share.scale for share in moving]
    factor = common_factor([share.group.lr for share in moving], asked, lr)
    bases = [group.lr / (min(factor, 1.0) or 1.0) for group in groups]
    for share in down:
        bases[share.group.index] = lr * share.scale
    return bases


def is_at_least(group: LiveGroup, schedule: Schedule) -> bool:
    """Whether a group has a learning rate that its schedule goes down to."""
    leasts = [least.rates for least in schedule.leasts if group.index < len(least.rates)]
    return group.lr > 0 and any(close(group.lr, rates[group.index]) for rates in leasts)

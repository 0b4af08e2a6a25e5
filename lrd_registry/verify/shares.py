"""Live groups, each with the one scale asked for, and the factor that the schedule put on all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lrd_registry.assignment import Assignment, Level
from lrd_registry.decay import steps_to_full_rate
from lrd_registry.verify.membership import assigned
from lrd_registry.verify.optimizer_groups import LiveGroup
from lrd_registry.verify.schedulers import Schedule

TOLERANCE = 1e-4
"""Relative: far below what layers differ by, and far above what a learning rate in a float32 tensor
strays by when a scheduler multiplies it step by step (1.2e-5 in 20,000 steps)."""


def close(a: float, b: float) -> bool:
    """Equal but for rounding; 0 is close to 0 alone."""
    return math.isclose(a, b, rel_tol=TOLERANCE)


def common_factor(now: Sequence[float], bases: Sequence[float], lr: float) -> float:
    """What most of `now` is a multiple of its base by; of the highest base where none is most.

    Something may have set all learning rates alike, or scaled them again, since: where more of
    them agree on a factor of `lr` itself, or of the scale squared, it is that one.

    Args:
        now: learning rates.
        bases: the one that each was made from.
        lr: the base learning rate of scale 1.

    >>> common_factor([0.1, 0.05, 0.5], [1.0, 0.5, 0.25], 1.0)
    0.1
    >>> common_factor([0.1, 0.1], [0.5, 0.25], 1.0)
    0.1
    """
    squares = [base * base / lr for base in bases]
    found = [_agreed(now, each) for each in (bases, [lr] * len(bases), squares)]
    _, factor = max(found, key=lambda votes_and_factor: votes_and_factor[0])
    return factor


def _agreed(now: Sequence[float], bases: Sequence[float]) -> tuple[int, float]:
    """How many agree on a factor, and that factor; 1 where there is none to be had."""
    ratios = [(base, rate / base) for rate, base in zip(now, bases, strict=True) if base > 0]
    voted = [(sum(close(ratio, r) for _, r in ratios), base, ratio) for base, ratio in ratios]
    votes, _, factor = max(voted, default=(0, 0.0, 1.0))
    return votes, factor


@dataclass(frozen=True)
class Share:
    """A group whose parameters were all asked to have one scale.

    Attributes:
        group: which.
        names: its parameters.
        distance: how many layers there are from here to the full rate.
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
    shares, depths, before = [], assignment.depths, assignment.before
    for group, base in zip(groups, bases, strict=True):
        names = assigned(group, assignment)
        levels = {assignment[name].level for name in names}
        found = {scales[level] for level in levels}
        if len(found) == 1:
            steps = (steps_to_full_rate(level, depths, before).values() for level in levels)
            distance = min(map(sum, steps))
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

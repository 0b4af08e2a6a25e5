"""How far a saved schedule had come: the learning rates at which a new group goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose
from typing import NamedTuple

from lrd_registry.errors import ResumeError
from lrd_registry.resume.check_resume import Group, Groups

BASE = "initial_lr"
"""Where a scheduler of torch's or timm's keeps a group's learning rate from before it began."""

TOLERANCE = 1e-6


class Point(NamedTuple):
    """Where a schedule has brought a base learning rate."""

    base: float
    lr: float


def resumed_rates(group: Group, members: Groups, saved: Groups) -> dict[str, float]:
    """The learning rates of a group that goes on with the schedule of the saved groups.

    A group whose members began at its own rate has their `lr`, to the bit. Any other is put on
    the line through all saved groups: at one moment, a schedule of one shape for all groups turns
    `initial_lr` into `lr` by a straight line, from the origin or (`eta_min`) from above it. Where
    all began at one base, it is taken to come from the origin.

    Args:
        group: the group as the optimizer has it.
        members: the saved groups that its parameters come from.
        saved: all saved groups.

    >>> resumed_rates({"lr": 0.1}, [], [{"initial_lr": 1.0, "lr": 0.5}])
    {'initial_lr': 0.1, 'lr': 0.05}
    """
    begun = [other for other in saved if _peak(other) > 0]
    if not begun:
        return {}
    base = float(group.get(BASE, group["lr"]))
    reached = {(_peak(member), float(member["lr"])) for member in members}
    if len(reached) == 1 and (found := reached.pop())[0] == base * _scale(group):
        return {BASE: base, "lr": found[1]}
    return {BASE: base, "lr": _line(list(map(_point, begun)))(base) * _scale(group)}


def _scale(group: Group) -> float:
    """What timm's schedulers multiply their rate by, once for each group."""
    return float(group.get("lr_scale", 1.0))


def _peak(group: Group) -> float:
    return float(group.get(BASE, 0.0)) * _scale(group)


def _point(group: Group) -> Point:
    return Point(float(group[BASE]), float(group["lr"]) / _scale(group))


def _line(points: Sequence[Point]) -> Callable[[float], float]:
    """Base → learning rate: the line through all points; from the origin, if they share a base."""
    low, high = min(points), max(points)
    if isclose(low.base, high.base):
        low = Point(0.0, 0.0)
    slope = (high.lr - low.lr) / (high.base - low.base)

    def rate(base: float) -> float:
        return low.lr + slope * (base - low.base)

    slack = TOLERANCE * high.base
    off = [point for point in points if abs(rate(point.base) - point.lr) > slack]
    if off or slope < -TOLERANCE or rate(0.0) < -slack:
        raise _no_schedule((off or [low])[0], high)
    return rate


def _no_schedule(*points: Point) -> ResumeError:
    found = ", another ".join(f"from {base:g} to {lr:g}" for base, lr in points)
    return ResumeError(
        "the saved groups do not follow one schedule, so nothing tells the learning rate of a "
        f"group that begins at another base: one went {found} (from 'initial_lr' to 'lr'). Take "
        "'initial_lr' out of the saved groups to have each group begin at its own 'lr'"
    )

"""What a scheduler works from: the learning rate of each group that it multiplies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Groups: TypeAlias = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Least:
    """A learning rate that a schedule starts or ends at, whatever a group's own.

    Attributes:
        argument: the scheduler's argument, such as `eta_min`.
        rates: what it is in each group.
    """

    argument: str
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Schedule:
    """What a scheduler makes learning rates from.

    Attributes:
        name: its class.
        bases: of each group, the highest learning rate, which it multiplies by a factor of the
            step; None where it keeps no such thing and goes on from the learning rate it finds.
        leasts: the learning rates that it does not multiply.
        reads_lr_scale: it multiplies by a group's `lr_scale` (timm's schedulers).
        takes_max_lr: it has the learning rates from its own `max_lr`, and not from the groups.
        has_started: it may have changed the learning rates that it found.
    """

    name: str
    bases: tuple[float, ...] | None
    leasts: tuple[Least, ...] = ()
    reads_lr_scale: bool = False
    takes_max_lr: bool = False
    has_started: bool = True


def read_schedule(scheduler: Any, groups: Groups) -> Schedule:
    """Read a scheduler of torch's or timm's, or one that is wrapped, chained or in a sequence.

    Args:
        scheduler: what has `base_lrs` (torch's), `base_values` (timm's) or `max_lrs`, or
            nothing of the kind (`ReduceLROnPlateau`); or holds one as `scheduler` (Accelerate).
        groups: the optimizer's.
    """
    whole, *others = _parts(scheduler)
    parts = [whole, *others]
    found = [bases for part in parts if (bases := _bases(part, groups)) is not None]
    return Schedule(
        name=type(whole).__name__,
        bases=_for_all(found[-1], groups) if found else _initial(groups),
        leasts=tuple(least for part in parts for least in _leasts(part, groups)),
        reads_lr_scale=any(map(_is_timm, parts)),
        takes_max_lr=any(map(_takes_max_lr, parts)),
        has_started=getattr(whole, "last_epoch", None) != 0,
    )


def _parts(scheduler: Any) -> Iterator[Any]:
    """The scheduler inside its wrappers, then those that it runs."""
    while hasattr(scheduler, "scheduler"):
        scheduler = scheduler.scheduler
    yield scheduler
    inner = [scheduler.lr_scheduler] if hasattr(scheduler, "lr_scheduler") else []
    for part in [*getattr(scheduler, "_schedulers", ()), *inner]:
        yield from _parts(part)


def _bases(part: Any, groups: Groups) -> Iterable[Any] | None:
    """The highest learning rate of each group, where a scheduler keeps it."""
    if _is_timm(part):
        return _times_lr_scale(part.base_values, groups)
    if _is_one_cycle(part):
        return [group["max_lr"] for group in groups]
    bases: Iterable[Any] | None = getattr(part, "max_lrs", getattr(part, "base_lrs", None))
    return bases


def _leasts(part: Any, groups: Groups) -> Iterator[Least]:
    if hasattr(part, "eta_min"):
        yield _least("eta_min", [part.eta_min] * len(groups))
    if hasattr(part, "min_lrs"):
        yield _least("min_lr", part.min_lrs)
    if hasattr(part, "max_lrs") and hasattr(part, "base_lrs"):
        yield _least("base_lr", part.base_lrs)
    if _is_timm(part):
        warms_up = getattr(part, "warmup_t", 0) > 0
        for argument in ("lr_min", *(["warmup_lr_init"] if warms_up else [])):
            if (rate := getattr(part, argument, None)) is not None:
                yield _least(argument, _times_lr_scale([rate] * len(groups), groups))


def _least(argument: str, rates: Iterable[Any]) -> Least:
    return Least(argument, tuple(map(float, rates)))


def _for_all(bases: Iterable[Any], groups: Groups) -> tuple[float, ...]:
    """As many as there are groups: those that were added later have their own learning rate."""
    own = [float(base) for base in bases][: len(groups)]
    later = [float(group.get("initial_lr", group["lr"])) for group in groups[len(own) :]]
    return (*own, *later)


def _initial(groups: Groups) -> tuple[float, ...] | None:
    if all("initial_lr" in group for group in groups):
        return tuple(float(group["initial_lr"]) for group in groups)
    return None


def _times_lr_scale(rates: Iterable[float], groups: Groups) -> list[float]:
    return [rate * group.get("lr_scale", 1.0) for rate, group in zip(rates, groups, strict=False)]


def _is_timm(part: Any) -> bool:
    return hasattr(part, "base_values")


def _takes_max_lr(part: Any) -> bool:
    return _is_one_cycle(part) or hasattr(part, "max_lrs")


def _is_one_cycle(part: Any) -> bool:
    """Told by name, as it keeps what it works from in the groups, where Megatron has a key too."""
    return any(kind.__name__ == "OneCycleLR" for kind in type(part).__mro__)

"""Wrong learning rates in words: where, what was expected and found, and the likely fix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lrd_registry.errors import LearningRateFault
from lrd_registry.verify.optimizer_groups import SCALE_KEYS, LiveGroup
from lrd_registry.verify.schedulers import Least, Schedule

SHOWN = 3
"""How many groups, layers or names a message lists."""


@dataclass(frozen=True)
class Finding:
    """One group with one learning rate that is not the one asked for.

    Attributes:
        kind: what is wrong, as in `LearningRateFault`.
        group: which.
        names: its parameters.
        scale: what was asked for, over the base learning rate.
        asked: what was asked for.
        found: what is there.
        verb: what the group does with it, such as `is at` or `starts from`.
    """

    kind: str
    group: LiveGroup
    names: tuple[str, ...]
    scale: float
    asked: float
    found: float
    verb: str

    def __str__(self) -> str:
        return (
            f"{self.group} {self.verb} {self.found:.4g} instead of {self.asked:.4g} "
            f"(scale {self.scale:.4g}): {listed(self.names)}"
        )


def scale_ignored(
    findings: Sequence[Finding], total: int, lr: float, schedule: Schedule | None
) -> LearningRateFault:
    """Groups at the full learning rate."""
    head = (
        f"the scale is ignored in {len(findings)} of {total} groups: they train at the full "
        f"learning rate, {lr:.4g}, whatever their depth"
    )
    keys = dict.fromkeys(key for finding in findings for key in finding.group.scale_keys)
    return _of_groups("ignored", head, findings, _why_ignored(list(keys), lr, schedule))


def _why_ignored(keys: Sequence[str], lr: float, schedule: Schedule | None) -> str:
    build = f'build the groups with lr={lr:.4g} (convention="torch")'
    if schedule and schedule.takes_max_lr:
        return (
            f"{schedule.name} has the learning rates from its max_lr, and not from the groups: "
            f"{build}, and give it one for each: "
            'max_lr=[group["lr"] for group in optimizer.param_groups]'
        )
    if not keys or (schedule and schedule.reads_lr_scale and "lr_scale" in keys):
        return (
            "no scale reaches these groups: build them with build_param_groups, and let nothing "
            "else set their lr"
        )
    carried = f'the groups carry {keys[0]} (convention="{SCALE_KEYS[keys[0]]}")'
    if schedule:
        reads = "lr and lr_scale" if schedule.reads_lr_scale else "lr"
        return f"{carried}, and {schedule.name} reads only {reads}: {build}"
    if keys[0] == "lr_scale":
        return (
            f"{carried}, and nothing has multiplied lr by it: {build}, or, if a scheduler of "
            "timm's is to do it, pass that as scheduler="
        )
    return (
        f"{carried}, and nothing has multiplied lr by it: {build}, or, if the training loop is "
        "to do it, look again after its first step"
    )


def scale_twice(
    findings: Sequence[Finding], total: int, schedule: Schedule | None
) -> LearningRateFault:
    """Groups at the learning rate times the square of their scale."""
    head = (
        f"the scale is applied twice in {len(findings)} of {total} groups: they train at the "
        "learning rate times the square of their scale"
    )
    why = "a scaled lr was multiplied by the scale again: leave it to the groups or to the loop"
    if schedule and schedule.reads_lr_scale:
        why = (
            f"the groups carry a scaled lr and lr_scale, and {schedule.name} multiplies one by "
            'the other: build them with convention="timm", or without lr_scale'
        )
    return _of_groups("twice", head, findings, why)


def why_other(
    findings: Sequence[Finding],
    lr: float,
    schedule: Schedule | None,
    multiple: float | None,
    layer_decay: float | None,
) -> str:
    """What may explain other learning rates.

    Args:
        findings: the groups that have them.
        lr: the base learning rate that was asked for.
        schedule: what works on them.
        multiple: what every group has, over what was asked for, where that is the same in all.
        layer_decay: the layer decay that explains what every group has.
    """
    if schedule is None and findings[0].group.is_scheduled:
        return (
            "a scheduler was built on this optimizer: pass it as scheduler=, and as lr the top of "
            "its schedule"
        )
    if multiple:
        return (
            f"every group is at {multiple:.4g} times what was asked for, as with "
            f"lr={multiple * lr:.4g}: pass the one that was meant"
        )
    if layer_decay:
        return f"every group is as with layer_decay={layer_decay:.4g}: pass the one that was meant"
    return (
        "build the groups with this lr, layer_decay, lr_mult and min_scale, and let nothing else "
        "set their lr"
    )


def other_rate(findings: Sequence[Finding], total: int, why: str) -> LearningRateFault:
    """Groups at a learning rate that the scale does not explain."""
    head = f"another learning rate than the one asked for in {len(findings)} of {total} groups"
    return _of_groups("other", head, findings, why)


def lifted_by_floor(findings: Sequence[Finding], total: int, least: Least) -> LearningRateFault:
    """Groups that end, or start, higher than their scale says."""
    head = (
        f"the schedule lifts {len(findings)} of {total} groups: its {least.argument} is the same "
        "for all of them, whatever their depth"
    )
    fixes = {
        "eta_min": "leave eta_min at 0, or use LambdaLR, whose factor multiplies each group's lr",
        "min_lr": "give it a list, min_lr=[least * scale, …], one for each group, or leave it at 0",
        "base_lr": "give it a list, base_lr=[least * scale, …], one for each group",
    }
    timm = f'build the groups with convention="timm": then {least.argument} is scaled too'
    return _of_groups("floor", head, findings, fixes.get(least.argument, timm))


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c", "d", "e"])
    ('a, b, c', 'a, b, c and 2 more')
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _of_groups(kind: str, head: str, findings: Sequence[Finding], why: str) -> LearningRateFault:
    return LearningRateFault(
        kind,
        f"{head}{in_lines(map(str, findings))}\n  fix: {why}",
        groups=tuple(finding.group.index for finding in findings),
        names=tuple(name for finding in findings for name in finding.names),
    )


def in_lines(lines: Iterable[str]) -> str:
    """Each on a line of its own; the first few, and how many more."""
    each = list(lines)
    more = [f"… and {len(each) - SHOWN} more"] if len(each) > SHOWN else []
    return "".join(f"\n  {line}" for line in [*each[:SHOWN], *more])

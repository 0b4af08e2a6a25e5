"""The learning rates of groups, and what a schedule makes of them, against those asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lrd_registry.errors import LearningRateFault
from lrd_registry.verify import faults as words
from lrd_registry.verify.faults import Finding
from lrd_registry.verify.schedulers import Least, Schedule
from lrd_registry.verify.shares import Share, close, common_factor


@dataclass(frozen=True)
class Audit:
    """The groups of an optimizer, beside what was asked for.

    Attributes:
        shares: those that can be judged.
        total: how many there are, these and others.
        lr: the base learning rate that was asked for.
        schedule: what works on them; None where nothing does.
    """

    shares: Sequence[Share]
    total: int
    lr: float
    schedule: Schedule | None


def rate_faults(audit: Audit) -> Iterator[LearningRateFault]:
    """What is wrong with what groups start from, and, where that is right, with what they have."""
    findings = list(_wrong_bases(audit))
    right = _without(findings, audit.shares)
    floors = [pair for pair in _floors(audit, right) if pair[1]]
    lifted = [finding for _, found in floors for finding in found]
    findings += _wrong_now(audit, _without(lifted, right), factor_now(audit))
    yield from _in_words(audit, findings)
    for least, found in floors:
        yield words.lifted_by_floor(found, audit.total, least)


def factor_now(audit: Audit) -> float:
    """What the schedule has multiplied by, told from groups that it lifts nothing in.

    Those with a wrong start tell it only where there are no others.
    """
    shares = _without(list(_wrong_bases(audit)), audit.shares) or audit.shares
    lifted = [finding for _, found in _floors(audit, shares) for finding in found]
    shares = _without(lifted, shares)
    return common_factor([s.group.lr for s in shares], [s.base for s in shares], audit.lr)


def _without(findings: Sequence[Finding], shares: Sequence[Share]) -> list[Share]:
    named = {finding.group.index for finding in findings}
    return [share for share in shares if share.group.index not in named]


def _wrong_bases(audit: Audit) -> Iterator[Finding]:
    verb = "starts from" if audit.schedule else "is at"
    multiple = _multiple(audit)
    for share in audit.shares:
        kind = "other" if multiple else _kind(share.base, share.scale, audit.lr)
        if kind:
            yield _finding(kind, share, verb, share.base, audit.lr * share.scale)


def _wrong_now(audit: Audit, shares: Sequence[Share], factor: float) -> Iterator[Finding]:
    for share in shares:
        kind = _kind(share.group.lr, share.scale, audit.lr * factor)
        if kind:
            asked = audit.lr * share.scale * factor
            yield _finding(kind, share, "is now at", share.group.lr, asked)


def _kind(found: float, scale: float, lr: float) -> str | None:
    """What is wrong with a learning rate where that of scale 1 is `lr`.

    >>> [_kind(found, 0.5, 1.0) for found in (0.5, 1.0, 0.25, 0.3)]
    [None, 'ignored', 'twice', 'other']
    >>> _kind(1.0, 1.0, 1.0)
    """
    if close(found, lr * scale):
        return None
    if close(found, lr):
        return "ignored"
    return "twice" if close(found, lr * scale**2) else "other"


def _floors(audit: Audit, shares: Sequence[Share]) -> list[tuple[Least, list[Finding]]]:
    leasts = audit.schedule.leasts if audit.schedule else ()
    return [(least, list(_lifted(least, shares))) for least in leasts]


def _lifted(least: Least, shares: Sequence[Share]) -> Iterator[Finding]:
    """The groups for which a least learning rate is more than for the one that starts highest."""
    known = [share for share in shares if share.group.index < len(least.rates) and share.base > 0]
    if not known:
        return
    top = max(known, key=lambda share: share.base)
    for share in known:
        found = least.rates[share.group.index]
        asked = least.rates[top.group.index] * share.base / top.base
        if found > asked and not close(found, asked):
            yield _finding("floor", share, "goes down to", found, asked)


def _multiple(audit: Audit) -> float | None:
    """What every group starts from, over what was asked for, where that is the same in all.

    Nothing can be told from groups of one scale.
    """
    ratios = [share.base / (audit.lr * share.scale) for share in audit.shares]
    if len({share.scale for share in audit.shares}) < 2 or close(ratios[0], 1):
        return None
    return ratios[0] if all(close(ratio, ratios[0]) for ratio in ratios) else None


def _layer_decay(audit: Audit) -> float | None:
    """The layer decay that explains what every group starts from; it takes two layers."""
    found = [
        (share.base / audit.lr) ** (1 / share.distance) for share in audit.shares if share.distance
    ]
    if len({share.distance for share in audit.shares if share.distance}) < 2:
        return None
    return found[0] if all(close(decay, found[0]) for decay in found) else None


def _finding(kind: str, share: Share, verb: str, found: float, asked: float) -> Finding:
    return Finding(kind, share.group, share.names, share.scale, asked, found, verb)


def _in_words(audit: Audit, findings: Sequence[Finding]) -> Iterator[LearningRateFault]:
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    total, schedule = audit.total, audit.schedule
    if ignored := by_kind.get("ignored"):
        yield words.scale_ignored(ignored, total, audit.lr, schedule)
    if twice := by_kind.get("twice"):
        yield words.scale_twice(twice, total, schedule)
    if other := by_kind.get("other"):
        why = words.why_other(other, audit.lr, schedule, _multiple(audit), _layer_decay(audit))
        yield words.other_rate(other, total, why)

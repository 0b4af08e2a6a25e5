"""The one factor that a schedule has multiplied many learning rates by: arithmetic only."""

from __future__ import annotations

import math
from collections.abc import Sequence

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

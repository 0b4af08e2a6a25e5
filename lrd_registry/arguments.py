"""Arguments that are numbers: what is none, or out of its range, is refused by its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from lrd_registry.errors import InvalidArgumentError

YAML = "YAML reads 1e-3 as text, and 1.0e-3 as a number"


class Range(NamedTuple):
    """Which numbers are allowed, and how that is said."""

    holds: Callable[[float], bool]
    text: str


ABOVE_0 = Range(lambda value: value > 0, "finite and above 0")
NOT_BELOW_0 = Range(lambda value: value >= 0, "finite and not below 0")
UP_TO_1 = Range(lambda value: 0 <= value <= 1, "between 0 and 1")
DECAY = Range(lambda value: value > 0, "finite and above 0, usually 0.5 to 1")


def check_number(argument: str, value: Any, allowed: Range, advice: str = "") -> None:
    """Refuse what is no number, not finite, or out of a range.

    Raises:
        InvalidArgumentError: it is.

    >>> check_number("lr", 1e-3, ABOVE_0)
    >>> check_number("lr", 0, ABOVE_0)
    Traceback (most recent call last):
    lrd_registry.errors.InvalidArgumentError: lr must be finite and above 0; found 0
    """
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise InvalidArgumentError(f"{argument} must be a number; found {value!r}{_hint(value)}")
    if not (math.isfinite(value) and allowed.holds(value)):
        raise InvalidArgumentError(f"{argument} must be {allowed.text}; found {value!r}{advice}")


def _hint(value: object) -> str:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    reason = f". {YAML}" if "e" in str(value).lower() else ""
    return f", which is text; pass float({value!r}){reason}"

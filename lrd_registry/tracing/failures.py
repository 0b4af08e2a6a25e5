"""Why a forward pass failed, in words, and what would help."""

from __future__ import annotations

import re
from typing import Any

import torch

from lrd_registry.errors import Needs, TraceError

NEEDS_DATA = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""How torch marks operations whose result depends on numbers, not on shapes alone."""

NO_DATA = re.compile(
    r"meta (tensor|device)|fake impl|register_meta|unallocated storage"
    r"|\bmeta\b.*\bcpu\b|\bcpu\b.*\bmeta\b",
    re.IGNORECASE,
)
"""What torch says where a tensor without data is not enough."""

FORMS = "a shape such as (2, 3, 224, 224), tensors, or a mapping by argument name"

WORDS: dict[Needs, str] = {
    "inputs": f"pass inputs: {FORMS}",
    "data": "pass real tensors",
    "weights": "build it with its weights, and pass real tensors",
}
"""What to do, in Python's words."""


def trace_error(why: str, needs: Needs | None) -> TraceError:
    """The error that says why, and what to do.

    >>> print(trace_error("Net does not say what it takes", "data"))
    Net does not say what it takes; pass real tensors
    """
    return TraceError(f"{why}; {WORDS[needs]}" if needs else why, why=why, needs=needs)


def lacks_data(error: Exception) -> bool:
    """Whether an error of a forward pass is only that tensors hold no data."""
    return NO_DATA.search(_text(error)) is not None


def failure(error: Exception, operation: Any, module: str) -> str:
    """What went wrong.

    Args:
        error: as the forward pass raised it.
        operation: the one that was running, if one was.
        module: the path of the module that was running.
    """
    without_data = lacks_data(error)
    if operation is None:
        return f"{' on the meta device' if without_data else ''}: {phrase(error)}"
    what = f"{operation.overloadpacket}{f' in {module}' if module else ''}"
    if without_data and NEEDS_DATA.intersection(operation.tags):
        return f" on the meta device: {what} needs data"
    if without_data:
        return f" on the meta device: {what} has no kernel for it"
    return f": {what}: {phrase(error)}"


def phrase(error: Exception) -> str:
    r"""An error of somebody else's, in one line.

    >>> phrase(ValueError("no heads\nno tails"))
    'ValueError: no heads'
    """
    lines = _text(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _text(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # an exception of somebody else's may fail to say what it is
        return ""

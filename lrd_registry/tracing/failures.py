"""Why a forward pass failed, in words."""

from __future__ import annotations

import re
from typing import Any

import torch

NEEDS_DATA = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""How torch marks operations whose result depends on numbers, not on shapes alone."""

NO_DATA = re.compile(
    r"meta (tensor|device)|fake impl|register_meta|unallocated storage", re.IGNORECASE
)
"""What torch says where a tensor without data is not enough."""


def failure(error: Exception, operation: Any, module: str, fix: str) -> str:
    """What went wrong, and what to do where it is only that there is no data.

    Args:
        error: as the forward pass raised it.
        operation: the one that was running, if one was.
        module: the path of the module that was running.
        fix: what to do where data is needed.
    """
    without_data = NO_DATA.search(str(error)) is not None
    if operation is None:
        why = f": {phrase(error)}"
        return f" on the meta device{why}; {fix}" if without_data else why
    what = f"{operation.overloadpacket}{f' in {module}' if module else ''}"
    if without_data and NEEDS_DATA.intersection(operation.tags):
        return f" on the meta device: {what} needs data; {fix}"
    if without_data:
        return f" on the meta device: {what} has no kernel for it; {fix}"
    return f": {what}: {phrase(error)}"


def phrase(error: Exception) -> str:
    r"""An error of somebody else's, in one line.

    >>> phrase(ValueError("no heads\nno tails"))
    'ValueError: no heads'
    """
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__

"""A text file of parameter names, one per line: a model of which only the names are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError
from lrd_registry.models.files import read_text
from lrd_registry.models.skeleton import build_skeleton

if TYPE_CHECKING:
    from torch import nn


def named_model(path: Path) -> nn.Module:
    """Build a skeleton whose parameters have names and no shape yet.

    Raises:
        ModelError: the file cannot be read; a name stands in it twice; or it is no name for a
            parameter.
    """
    import torch

    without_shape: Any = torch.nn.parameter.UninitializedParameter
    lines = _line_of_each_name(path)
    return build_skeleton({name: without_shape(device="meta") for name in lines}, str(path))


def _line_of_each_name(path: Path) -> dict[str, int]:
    lines: dict[str, int] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name = line.strip()
        if name in lines:
            raise ModelError(
                f"{path}: {name!r} stands on line {lines[name]} and again on line {number}; "
                "a model has each name once"
            )
        if name:
            lines[name] = number
    return lines

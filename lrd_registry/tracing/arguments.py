"""The arguments of a forward pass."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

Arguments: TypeAlias = "tuple[tuple[Any, ...], dict[str, Any]]"
"""Positional ones, and those by name."""

BATCH = 2


def float_dtype(model: nn.Module) -> torch.dtype:
    """The type of a model's numbers, such as float32."""
    kinds = (parameter.dtype for parameter in model.parameters())
    return next((kind for kind in kinds if kind.is_floating_point), torch.get_default_dtype())


def image(model: nn.Module, *shape: int) -> Tensor:
    """A batch of images, or of anything that consists of numbers."""
    return torch.empty(BATCH, *shape, dtype=float_dtype(model), device="meta")


def tokens(length: int) -> Tensor:
    """A batch of texts."""
    return torch.empty(BATCH, length, dtype=torch.int64, device="meta")


def described(arguments: Arguments) -> str:
    """What arguments were made, in words.

    >>> described(((torch.zeros(2, 3),), {"input_ids": torch.zeros(2, 7)}))
    ', on what was made for it: (2, 3), input_ids (2, 7)'
    """
    positional, by_name = arguments
    shown = [_shape(value) for value in positional]
    shown += [f"{name} {_shape(value)}" for name, value in by_name.items()]
    return f", on what was made for it: {', '.join(shown)}"


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else repr(value)

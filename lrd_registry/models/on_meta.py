"""Building on the meta device, where parameters have shapes and take no memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError

if TYPE_CHECKING:
    from torch import nn


def build_on_meta(build: Callable[[], Any], name: str) -> nn.Module:
    """Call `build` with the meta device as torch's default.

    Warnings are dropped: those of model libraries concern weights, and here are none.

    Args:
        build: gives the model.
        name: what it is called in messages.

    Raises:
        ModelError: `build` failed, or gave something other than a module.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = call_on_meta(build)
    except ModelError:
        raise
    except Exception as error:
        what = f"building {name} on the meta device failed"
        raise ModelError(f"{what}: {describe_error(error)}") from error
    if not isinstance(model, torch.nn.Module):
        raise ModelError(f"{name} gave a {type(model).__name__}, not a torch.nn.Module")
    return model


def call_on_meta(build: Callable[[], Any]) -> Any:
    """What `build` gives, with the meta device as torch's default.

    Where it fails because it reads numbers that it has made itself, such as the rates of
    stochastic depth in timm before 1.0.21, it is called again with such numbers in memory.
    """
    import torch

    from lrd_registry.models.numbers_on_cpu import NumbersOnCpu

    with torch.device("meta"):
        try:
            return build()
        except (RuntimeError, NotImplementedError) as error:
            if "meta tensor" not in str(error).lower():
                raise
        with NumbersOnCpu():
            return build()


def describe_error(error: Exception) -> str:
    """An error of somebody else's, in one phrase.

    >>> describe_error(ValueError("no heads"))
    'ValueError: no heads'
    """
    return f"{type(error).__name__}: {str(error).strip()}"

"""A model from its name, on the meta device: its parameters have shapes and take no memory."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def build_model(name: str) -> nn.Module:
    """Build a model on the meta device.

    Args:
        name: `timm:NAME` or plainly `NAME`, a timm architecture; or `package.module:callable`,
            called without arguments.

    Raises:
        ModelError: there is no such model, or building it failed.

    >>> model = build_model("vit_tiny_patch16_224")
    >>> model.pos_embed.shape, model.pos_embed.device
    (torch.Size([1, 197, 192]), device(type='meta'))
    """
    kind, colon, rest = name.partition(":")
    if not colon or kind == "timm":
        return _from_timm(rest if colon else name)
    return _from_callable(kind, rest)


def _from_timm(name: str) -> nn.Module:
    try:
        timm = importlib.import_module("timm")
    except ModuleNotFoundError:
        raise ModelError(
            f"{name!r} is looked up in timm, which is not installed: pip install "
            "'lrd-registry[timm]'. A model of your own is named package.module:callable"
        ) from None
    if name.partition(".")[0] not in timm.list_models():
        hint = did_you_mean(name, timm.list_models(), quote="{!r}")
        raise ModelError(f"timm {timm.__version__} has no model {name!r}{hint}")
    return _on_meta(lambda: timm.create_model(name), f"timm:{name}")


def _from_callable(module_name: str, path: str) -> nn.Module:
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        target: Any = importlib.import_module(module_name)
    except Exception as error:
        raise ModelError(f"cannot import {module_name!r}: {_say(error)}") from error
    for part in path.split("."):
        if not hasattr(target, part):
            hint = did_you_mean(part, dir(target), quote="{!r}")
            raise ModelError(f"{module_name!r} has no {path!r}{hint}")
        target = getattr(target, part)
    if not callable(target):
        raise ModelError(f"{module_name}:{path} is a {type(target).__name__}, not a callable")
    return _on_meta(target, f"{module_name}:{path}")


def _on_meta(build: Callable[[], Any], name: str) -> nn.Module:
    import torch

    try:
        with torch.device("meta"):
            model = build()
    except Exception as error:
        raise ModelError(f"building {name} on the meta device failed: {_say(error)}") from error
    if not isinstance(model, torch.nn.Module):
        raise ModelError(f"{name} gave a {type(model).__name__}, not a torch.nn.Module")
    return model


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"

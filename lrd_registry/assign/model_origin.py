"""What the command line calls a model, as far as the model itself tells."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def origin(model: nn.Module) -> str | None:
    """The name under which `lrd` builds a model like this one; None where nothing tells.

    >>> from torch import nn
    >>> origin(nn.Identity()), origin(nn.Linear(2, 3))
    ('torch.nn.modules.linear:Identity', None)
    """
    for source in (_timm, _transformers, _callable):
        if name := source(model, type(model)):
            return name
    return None


def _timm(model: nn.Module, kind: type) -> str | None:
    """Not for what timm wraps around an architecture, such as `features_only`."""
    config: Any = getattr(model, "pretrained_cfg", None) or {}
    is_whole = kind.__module__.startswith("timm.models.") and "._" not in kind.__module__
    return f"timm:{config['architecture']}" if is_whole and "architecture" in config else None


def _transformers(model: nn.Module, kind: type) -> str | None:
    if not kind.__module__.startswith("transformers.models."):
        return None
    model_type = getattr(getattr(model, "config", None), "model_type", None)
    return f"hf:{model_type}:{kind.__name__}" if model_type else None


def _callable(_: nn.Module, kind: type) -> str | None:
    """The class itself, where it can be found and asks for nothing."""
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        return None
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    asks = (
        parameter.default is parameter.empty and parameter.kind not in optional
        for parameter in inspect.signature(kind).parameters.values()
    )
    return None if any(asks) else f"{kind.__module__}:{kind.__qualname__}"

"""What the command line calls a model, and how its rule file is drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from lrd_registry.errors import LrdError

if TYPE_CHECKING:
    from torch import nn

Modules: TypeAlias = "list[tuple[str, type, list[str]]]"


def how_to_draft(model: nn.Module | None, call: str = "model") -> str:
    """What drafts a rule file, `my.yaml`, for a model that Python calls `call`.

    A command is added only where it builds this very model; None is for one that is not at hand.
    """
    in_python = f'lrd_registry.draft({call}).save("my.yaml")'
    name = origin(model) if model is not None else None
    return f"{in_python}, or lrd init {name} -o my.yaml" if name else in_python


def origin(model: nn.Module) -> str | None:
    """The name under which `lrd` builds this very model; None where there is none.

    It is the same model where all modules have the same names and classes, and all parameters the
    same names. Sizes may differ, as with another number of classes: a rule file has none.

    >>> import timm
    >>> origin(timm.create_model("test_vit", num_classes=5))
    'timm:test_vit'
    >>> origin(timm.create_model("test_vit", global_pool="avg"))
    """
    for source in (_timm, _transformers):
        name = source(model, type(model))
        if name and _is_built_by(name, model):
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


def _is_built_by(name: str, model: nn.Module) -> bool:
    from lrd_registry.models import build_model

    try:
        return _modules(build_model(name)) == _modules(model)
    except LrdError:
        return False


def _modules(model: nn.Module) -> Modules:
    return [
        (path, type(module), [name for name, p in module._parameters.items() if p is not None])
        for path, module in model.named_modules()
    ]

"""`hf:TYPE` and `hf:TYPE:CLASS`: a model type of transformers, in its default configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError
from lrd_registry.models.importing import import_library
from lrd_registry.models.on_meta import build_on_meta
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def transformers_model(model_type: str, class_name: str | None = None) -> nn.Module:
    """Build a model of transformers. The type alone decides the configuration.

    Args:
        model_type: what a `config.json` calls `model_type`, such as `vit`.
        class_name: the model class; left out: the one that AutoModel has for the type.

    Raises:
        ModelError: transformers is missing; it has no such type or class; AutoModel has no
            class for the type; or the class takes another type's configuration.
    """
    name = ":".join(["hf", model_type, *([] if class_name is None else [class_name])])
    transformers = import_library("transformers", name)
    version = f"transformers {transformers.__version__}"
    types = transformers.CONFIG_MAPPING
    if model_type not in types:
        hint = did_you_mean(model_type, types, quote="{!r}")
        what = f"model type {model_type!r} (as config.json has it in model_type)"
        raise ModelError(f"{version} has no {what}{hint}")
    if class_name is not None and class_name not in dir(transformers):
        hint = did_you_mean(class_name, dir(transformers), quote="{!r}")
        raise ModelError(f"{version} has no class {class_name!r}{hint}")
    with _quiet(transformers):
        return build_on_meta(lambda: _build(transformers, model_type, class_name), name)


def _build(transformers: Any, model_type: str, class_name: str | None) -> Any:
    config = transformers.CONFIG_MAPPING[model_type]()
    if class_name is not None:
        return _model_class(transformers, class_name, model_type, config)(config)
    if type(config) not in transformers.MODEL_MAPPING:
        raise ModelError(
            f"transformers' AutoModel has no class for {model_type!r}; name one: "
            f"hf:{model_type}:CLASS"
        )
    return transformers.AutoModel.from_config(config)


def _model_class(transformers: Any, name: str, model_type: str, config: Any) -> Any:
    found = getattr(transformers, name)
    if not (isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)):
        raise ModelError(f"transformers' {name} is not a model class, such as ViTModel")
    taken: Any = getattr(found, "config_class", None)
    if taken is None or isinstance(config, taken):
        return found
    raise ModelError(
        f"{name} takes a {taken.__name__}, and the configuration of {model_type!r} is a "
        f"{type(config).__name__}; write hf:{taken.model_type}:{name}"
    )


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers from logging the defaults that it fills in."""
    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(verbosity)

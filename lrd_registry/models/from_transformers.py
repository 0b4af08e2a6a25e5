"""`hf:TYPE[:CLASS]` and `hf:PATH[:CLASS]`: a model of transformers, from its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError
from lrd_registry.models.config_file import class_in, is_path, read_config, split_class
from lrd_registry.models.importing import import_library
from lrd_registry.models.on_meta import build_on_meta
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def transformers_model(what: str) -> nn.Module:
    """Build a model of transformers. Its configuration alone decides what it is.

    Args:
        what: a model type, as a `config.json` calls it, such as `vit`: its default configuration
            is taken; or the path of a `config.json`, or of its folder, with a `/` in it or
            `.json` at its end. Either may be followed by a model class, as in `vit:ViTModel`.
            Left out, the class is the file's own (`architectures`), or the one that AutoModel has
            for the type.

    Raises:
        ModelError: transformers is missing; there is no such file; transformers has no such type
            or class; AutoModel has no class for the type; or the class takes another type's
            configuration.
    """
    name = f"hf:{what}"
    transformers = import_library("transformers", name)
    if is_path(what):
        path, class_name = split_class(what)
        data = read_config(Path(path))
        model_type, class_name = data["model_type"], class_name or class_in(data)
    else:
        model_type, colon, rest = what.partition(":")
        data, class_name = {}, rest if colon else None
    _check_known(transformers, model_type, class_name)
    with _quiet(transformers):
        return build_on_meta(lambda: _build(transformers, model_type, data, class_name), name)


def _check_known(transformers: Any, model_type: str, class_name: str | None) -> None:
    version = f"transformers {transformers.__version__}"
    types = transformers.CONFIG_MAPPING
    if model_type not in types:
        hint = did_you_mean(model_type, types, quote="{!r}")
        what = f"model type {model_type!r} (as config.json has it in model_type)"
        raise ModelError(f"{version} has no {what}{hint}")
    if class_name is not None and class_name not in dir(transformers):
        hint = did_you_mean(class_name, dir(transformers), quote="{!r}")
        raise ModelError(f"{version} has no class {class_name!r}{hint}")


def _build(transformers: Any, model_type: str, data: dict[str, Any], class_name: str | None) -> Any:
    kind = transformers.CONFIG_MAPPING[model_type]
    config = kind.from_dict(data) if data else kind()
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

"""Every architecture that the zoo drafts a rule file for: its name, its family, how it is built."""

from __future__ import annotations

from typing import Any

import timm
import torchvision
from torch import nn

from lrd_registry.models import build_model
from zoo import transformers_types


def names() -> dict[str, list[str]]:
    """What the models are of -> their names, a row of the table each."""
    return {
        "timm": [f"timm:{name}" for name in timm.list_models()],
        "torchvision": [
            f"torchvision:{name}" for name in torchvision.models.list_models(torchvision.models)
        ],
        **{what: transformers_types.names(what) for what in transformers_types.OF},
    }


def family(name: str) -> str:
    """The code that a model is built by, in which its other sizes are too."""
    library, _, rest = name.partition(":")
    if library == "timm":
        return f"timm:{timm.models._registry._model_to_module[rest]}"
    return library if library == "torchvision" else name


def deeper(name: str) -> str | None:
    """The name of the same model with more blocks, where it is of a library that can be asked."""
    return transformers_types.deeper(name) if name.startswith("hf:") else None


def build(name: str) -> nn.Module:
    """The model of a name."""
    return transformers_types.build(name) if name.startswith("hf:") else build_model(name)


def inputs(name: str) -> dict[str, Any] | None:
    """What a model is to be run on, where it does not say so itself."""
    return transformers_types.inputs(name) if name.startswith("hf:") else None

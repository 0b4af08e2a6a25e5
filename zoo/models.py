"""Every architecture that the zoo drafts a rule file for, by name; and how it is built."""

from __future__ import annotations

import timm
import torchvision
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as HUGGING_FACE,
)


def names() -> list[str]:
    """All of timm's architectures, torchvision's classifiers, transformers' image classifiers."""
    return [
        *(f"timm:{name}" for name in timm.list_models()),
        *(f"torchvision:{name}" for name in torchvision.models.list_models(torchvision.models)),
        *(f"hf:{kind}:{_one(of)}" for kind, of in HUGGING_FACE.items()),
    ]


def _one(classes: str | tuple[str, ...]) -> str:
    return classes if isinstance(classes, str) else classes[0]


def family(name: str) -> str:
    """The code that a model is built by, in which its other sizes are too."""
    library, _, rest = name.partition(":")
    if library == "timm":
        return f"timm:{timm.models._registry._model_to_module[rest]}"
    return library if library == "torchvision" else name

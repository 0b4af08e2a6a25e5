"""`torchvision:NAME`: any model of torchvision, without weights."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError
from lrd_registry.models.importing import import_library
from lrd_registry.models.on_meta import build_on_meta
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def torchvision_model(name: str) -> nn.Module:
    """Build a model that `torchvision.models.list_models()` names.

    Raises:
        ModelError: torchvision is missing, or has no such model.
    """
    torchvision = import_library("torchvision", f"torchvision:{name}")
    models = torchvision.models.list_models()
    if name not in models:
        hint = did_you_mean(name, models, quote="{!r}")
        raise ModelError(f"torchvision {torchvision.__version__} has no model {name!r}{hint}")

    def build() -> Any:
        builder = torchvision.models.get_model_builder(name)
        # A detection model would download a trained backbone if nothing were said of it.
        options = {"weights", "weights_backbone"} & inspect.signature(builder).parameters.keys()
        return builder(**dict.fromkeys(options))

    return build_on_meta(build, f"torchvision:{name}")

"""A model from its name, on the meta device: its parameters take no memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lrd_registry.models.from_callable import callable_model
from lrd_registry.models.from_checkpoint import CHECKPOINT_ENDINGS, checkpoint_model
from lrd_registry.models.from_names import named_model
from lrd_registry.models.from_timm import timm_model
from lrd_registry.models.from_torchvision import torchvision_model
from lrd_registry.models.from_transformers import transformers_model

if TYPE_CHECKING:
    from torch import nn


def build_model(name: str) -> nn.Module:
    """Build a model on the meta device.

    Args:
        name: what to build, in one of these forms:

            - `timm:NAME`, or plainly `NAME`: an architecture of timm;
            - `hf:TYPE`: a model type of transformers, such as `hf:vit`, in its default
              configuration and the base class that AutoModel has for it;
            - `hf:TYPE:CLASS`: another class of transformers with that configuration, such as
              `hf:vit:ViTForImageClassification`;
            - `hf:PATH` and `hf:PATH:CLASS`: a model of transformers in the configuration of a
              `config.json`, or of one in a folder, of the class that the file names in
              `architectures`, or of another;
            - `torchvision:NAME`: any name that `torchvision.models.list_models()` gives;
            - `package.module:callable`, called without arguments;
            - the path of a `.safetensors` file, or of the `.safetensors.index.json` of one in
              parts: bare modules that hold the tensors' names, shapes and dtypes;
            - the path of a `.txt` file with one parameter name per line: bare modules whose
              parameters have no shape yet (`torch.nn.parameter.UninitializedParameter`).

            What else ends in `.safetensors`, `.json` or `.txt` is a path. Pickled checkpoints
            (`.bin`, `.pt`, `.pth`, `.ckpt`) are refused.

    Raises:
        ModelError: there is no such model, library or file, or building it failed.

    >>> model = build_model("vit_tiny_patch16_224")
    >>> model.pos_embed.shape, model.pos_embed.device
    (torch.Size([1, 197, 192]), device(type='meta'))
    """
    source, colon, rest = name.partition(":")
    if name.endswith(CHECKPOINT_ENDINGS) and source != "hf":
        return checkpoint_model(Path(name))
    if name.endswith(".txt"):
        return named_model(Path(name))
    match source if colon else "timm":
        case "timm":
            return timm_model(rest if colon else name)
        case "hf":
            return transformers_model(rest)
        case "torchvision":
            return torchvision_model(rest)
        case module:
            return callable_model(module, rest)

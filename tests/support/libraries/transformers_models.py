"""transformers': every task's class of a model type, in every published size."""

import importlib
import inspect
from functools import partial

import transformers
from transformers import CONFIG_MAPPING

from tests.support.libraries import from_table
from tests.support.libraries.transformers_sizes import SIZES
from tests.support.releases import HAS_NEW_NAMES

TYPES = {
    "vit": ("vit", "huggingface"),
    "deit": ("vit", "huggingface"),
    "beit": ("vit", "huggingface"),
    "ijepa": ("vit", "huggingface"),
    "vit_msn": ("vit", "huggingface"),
    "vit_mae": ("vit", "huggingface"),
    "dinov2": ("vit", "huggingface_encoder"),
    "dinov2_with_registers": ("vit", "huggingface_encoder"),
    "data2vec-vision": ("vit", "huggingface_encoder"),
    "dinov3_vit": ("vit", "huggingface_dinov3"),
    "clip_vision_model": ("vit", "huggingface_clip"),
    "siglip_vision_model": ("vit", "huggingface_clip"),
    "siglip2_vision_model": ("vit", "huggingface_clip"),
    "clip_text_model": ("clip_text", "huggingface"),
    "siglip_text_model": ("clip_text", "huggingface"),
    "siglip2_text_model": ("clip_text", "huggingface"),
    "clip": ("clip", "huggingface"),
    "siglip": ("clip", "huggingface"),
    "siglip2": ("clip", "huggingface"),
    "swin": ("swin", "huggingface"),
    "swinv2": ("swin", "huggingface"),
    "convnext": ("convnext", "huggingface"),
    "convnextv2": ("convnext", "huggingface"),
}

TOWERS = {
    "clip_text_model": ["CLIPTextModel", "CLIPTextModelWithProjection"],
    "siglip_text_model": ["SiglipTextModel"],
    "siglip2_text_model": ["Siglip2TextModel"],
    "clip": ["CLIPModel"],
    "siglip": ["SiglipModel"],
    "siglip2": ["Siglip2Model"],
}
"""The classes of text towers, and of both towers, which share a module with the image models."""

OTHERS = {"ViTMAEForPreTraining"}.union(*TOWERS.values())
"""Classes of these types' modules that are not one image model."""

MASKED = {"vit_mae": ("mae", "huggingface")}
"""Types that have a class of an encoder and a decoder too."""


def tasks(model_type):
    """The classes of a model type: of an image model the base, the backbone, and each task."""
    module = modeling(model_type)
    if model_type in TOWERS:
        return [getattr(module, name) for name in TOWERS[model_type]]
    found = [getattr(module, name) for name in module.__all__ if name not in OTHERS]
    return [c for c in found if inspect.isclass(c) and not c.__name__.endswith("PreTrainedModel")]


def modeling(model_type):
    configuration = CONFIG_MAPPING[model_type].__module__
    return importlib.import_module(configuration.replace("configuration_", "modeling_"))


def build(cls, model_type, size):
    """A class in a size; where its configuration has two towers, the size is the image's."""
    own = CONFIG_MAPPING[model_type]
    config = cls.config_class or own
    if config is own:
        return cls(own(**size))
    return cls(config(vision_config=own(**size).to_dict()))


def classes(model_type):
    return sized(tasks(model_type), model_type)


def pretraining(model_type):
    return sized([modeling(model_type).ViTMAEForPreTraining], model_type)


def sized(found, model_type):
    return {
        f"{cls.__name__}/{name}": partial(build, cls, model_type, size)
        for cls in found
        for name, size in SIZES[model_type].items()
    }


transformers.logging.set_verbosity_error()
MODELS = (
    [
        *from_table("transformers", TYPES, classes),
        *from_table("transformers", MASKED, pretraining),
    ]
    if HAS_NEW_NAMES
    else []  # the names before are tested as recorded
)

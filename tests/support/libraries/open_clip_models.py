"""open_clip's: the towers that are its own, and every configuration whose two towers are known."""

import json
from copy import deepcopy
from functools import partial

import open_clip
from open_clip.coca_model import CoCa
from open_clip.model import CLIP, CustomTextCLIP, _build_text_tower, _build_vision_tower
from timm.models import is_model_in_modules

from tests.support.libraries import from_table
from tests.support.libraries.timm_models import MODULES

FAMILIES = {
    "visual": ("vit", "open_clip"),
    "text": ("clip_text", "open_clip"),
    "CLIP": ("clip", "open_clip"),
    "CustomTextCLIP": ("clip", "open_clip_custom_text"),
}
CONFIGS = {name: open_clip.get_model_config(name) for name in open_clip.list_models()}


def class_of(config):
    """As open_clip chooses it."""
    if not config.get("custom_text") and "hf_model_name" not in config["text_cfg"]:
        return CLIP
    return CoCa if "multimodal_cfg" in config else CustomTextCLIP


def model(config):
    """The whole model, without weights."""
    options = deepcopy(config)
    options.pop("custom_text", None)
    return class_of(config)(**options)


def has_own_visual_tower(config):
    """A tower of timm's is none, and neither is a ResNet, whose `layers` is a list."""
    vision = config["vision_cfg"]
    return "timm_model_name" not in vision and not isinstance(vision.get("layers"), list)


TRUNKS = ("fastvit", "vitamin", "vision_transformer_hybrid")
"""More modules of timm's that are towers here."""


def is_known(config):
    """Whether its towers are of bundled families: open_clip's own, or of timm's modules."""
    trunk = config["vision_cfg"].get("timm_model_name", "").split(".")[0]
    visual = not trunk or is_model_in_modules(trunk, {*MODULES, *TRUNKS})
    return visual and "hf_model_name" not in config["text_cfg"] and class_of(config) != CoCa


def visual_towers():
    return {
        name: partial(_build_vision_tower, config["embed_dim"], config["vision_cfg"])
        for name, config in CONFIGS.items()
        if has_own_visual_tower(config)
    }


def text_towers():
    """One of each size and kind; most configurations share theirs."""
    configs = {
        json.dumps([config["embed_dim"], config["text_cfg"]]): name
        for name, config in reversed(CONFIGS.items())
        if "hf_model_name" not in config["text_cfg"]
    }
    return {
        f"text/{name}": partial(
            _build_text_tower, CONFIGS[name]["embed_dim"], CONFIGS[name]["text_cfg"]
        )
        for name in reversed(configs.values())
    }


def models(family):
    if family == "visual":
        return visual_towers()
    if family == "text":
        return text_towers()
    return {
        f"{family}/{name}": partial(model, config)
        for name, config in CONFIGS.items()
        if is_known(config) and class_of(config).__name__ == family
    }


MODELS = from_table("open_clip", FAMILIES, models)

"""Small CLIPs and SigLIPs with each kind of tower, and their towers as models of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import NamedTuple

import transformers as hf
from open_clip.model import CLIP, CustomTextCLIP, _build_text_tower
from torch import nn

from tests.support.building import on_meta

WIDTH, VISUAL_DEPTH, TEXT_DEPTH = 8, 3, 5
TIMMS_DEPTH = 12
SIZE = {"width": WIDTH, "mlp_ratio": 4.0}
VISION = SIZE | {"layers": VISUAL_DEPTH, "head_width": 4, "image_size": 32, "patch_size": 16}
TEXT = SIZE | {"layers": TEXT_DEPTH, "heads": 2, "vocab_size": 16, "context_length": 4}
CLASS_TEXT = TEXT | {"embed_cls": True}
SIGLIP_TEXT = TEXT | {"proj_bias": True, "no_causal_mask": True, "pool_type": "last"}
VIT = {"timm_model_name": "vit_tiny_patch16_224"}
SIGLIP = {"timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map", "timm_proj": "none"}
EVA = {"timm_model_name": "eva02_tiny_patch14_224"}
SWIN = {"timm_model_name": "swin_tiny_patch4_window7_224"}
CONVNEXT = {"timm_model_name": "convnext_tiny"}

SCALE = {"logit_scale": "logit_scale"}
BIAS = {"logit_bias": "logit_scale"}
HEAD = {"visual.head.proj.weight": "visual_head"}
WITH_BIAS = {"init_logit_bias": -10.0}


class TwoTowers(NamedTuple):
    """A model, and for each of its towers the same alone and what its names begin with here.

    `beside` has what is in no tower, and the entry that it belongs to.
    """

    model: nn.Module
    alone: Mapping[str, tuple[nn.Module, str]]
    beside: Mapping[str, str]


def open_clip(make, vision, text, beside, **options):
    """A text tower at the model's top is no module of the model, and is built again."""
    model = make(WIDTH, vision, text, **options)
    trunk = getattr(model.visual, "trunk", None)
    alone = {
        "visual": (model.visual, "visual.") if trunk is None else (trunk, "visual.trunk."),
        "text": (_build_text_tower(WIDTH, text), "") if make is CLIP else (model.text, "text."),
    }
    return TwoTowers(model, alone, beside)


def huggingface_clip():
    """The towers that have their projections have the names of the whole."""
    vision, text = _sizes(VISUAL_DEPTH)
    alone = {
        "visual": (hf.CLIPVisionModelWithProjection(hf.CLIPVisionConfig(**vision)), ""),
        "text": (hf.CLIPTextModelWithProjection(hf.CLIPTextConfig(**text)), ""),
    }
    config = hf.CLIPConfig(vision_config=vision, text_config=text)
    return TwoTowers(hf.CLIPModel(config), alone, SCALE)


def huggingface_siglip(kind):
    """As deep as timm's, to be compared with it."""
    vision, text = _sizes(TIMMS_DEPTH)
    config = getattr(hf, f"{kind}Config")(vision_config=vision, text_config=text)
    model = getattr(hf, f"{kind}Model")(config)
    visual, text = (model.vision_model, "vision_model."), (model.text_model, "text_model.")
    return TwoTowers(model, {"visual": visual, "text": text}, SCALE | BIAS)


def _sizes(visual_depth):
    size = {"hidden_size": WIDTH, "num_attention_heads": 2}
    return size | {"num_hidden_layers": visual_depth}, size | {"num_hidden_layers": TEXT_DEPTH}


MAKE = {
    "open_clip": partial(open_clip, CLIP, VISION, TEXT, SCALE | BIAS, **WITH_BIAS),
    "open_clip, ViT": partial(open_clip, CLIP, VIT, TEXT, SCALE | HEAD),
    "open_clip, Swin": partial(open_clip, CLIP, SWIN, TEXT, SCALE | HEAD),
    "open_clip, ConvNeXt": partial(open_clip, CLIP, CONVNEXT, TEXT, SCALE | HEAD),
    "text apart": partial(open_clip, CustomTextCLIP, VISION, CLASS_TEXT, SCALE),
    "text apart, EVA": partial(open_clip, CustomTextCLIP, EVA, TEXT, SCALE | HEAD),
    "text apart, Swin": partial(open_clip, CustomTextCLIP, SWIN, TEXT, SCALE | HEAD),
    "text apart, ConvNeXt": partial(open_clip, CustomTextCLIP, CONVNEXT, TEXT, SCALE | HEAD),
    "text apart, SigLIP": partial(
        open_clip, CustomTextCLIP, SIGLIP, SIGLIP_TEXT, SCALE | BIAS, **WITH_BIAS
    ),
    "transformers, CLIP": huggingface_clip,
    "transformers, SigLIP": partial(huggingface_siglip, "Siglip"),
    "transformers, SigLIP 2": partial(huggingface_siglip, "Siglip2"),
}


@cache
def two_towers(name: str) -> TwoTowers:
    """One of these, on the meta device."""
    return on_meta(MAKE[name])

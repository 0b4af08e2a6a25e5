"""timm's: every architecture of a module, with its head."""

from functools import partial

import timm

from tests.support.libraries import from_table

MODULES = {
    "vision_transformer": ("vit", "timm"),
    "deit": ("vit", "timm"),
    "beit": ("vit", "timm"),
    "eva": ("vit", "timm"),
    "vision_transformer_relpos": ("vit", "timm"),
    "naflexvit": ("vit", "timm_naflex"),
    "swin_transformer": ("swin", "timm"),
    "swin_transformer_v2": ("swin", "timm"),
    "swin_transformer_v2_cr": ("swin", "timm_cr"),
    "convnext": ("convnext", "timm"),
}


def architectures(module):
    return {name: partial(timm.create_model, name) for name in timm.list_models(module=module)}


MODELS = from_table("timm", MODULES, architectures)

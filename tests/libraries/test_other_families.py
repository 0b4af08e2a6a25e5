"""Families that fit a bundled rule set by name, as docs/numbering.md says."""

import pytest

from lrd_registry import assign_layers
from lrd_registry.models import build_model
from tests.support.building import layers_of, timm_model
from tests.support.releases import need_type

pytestmark = pytest.mark.library


def assign(name):
    return assign_layers(timm_model(name))


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("vit_small_r26_s32_224", "vit"),
        ("hiera_tiny_224", "vit"),
        ("edgenext_small", "convnext"),
        ("convit_tiny", "vit"),
    ],
)
def test_it_fits_by_name(name, arch):
    assert assign(name).arch == arch


@pytest.mark.parametrize(
    ("model_type", "arch"),
    [
        *[(name, "vit") for name in ("audio-spectrogram-transformer", "internvl_vision", "dpt")],
        *[(name, "vit") for name in ("chinese_clip_vision_model", "idefics3_vision")],
        *[(name, "vit") for name in ("smolvlm_vision", "tipsv2_vision_model", "timesformer")],
        *[(name, "vit") for name in ("videomae", "vivit", "vilt")],
        *[(name, "swin") for name in ("donut-swin", "maskformer-swin")],
    ],
)
def test_a_type_of_transformers_fits_by_name(model_type, arch):
    need_type(f"hf:{model_type}")
    assert assign_layers(build_model(f"hf:{model_type}")).arch == arch


def test_a_resnet_stem_is_one_layer():
    layers = layers_of(assign("vit_small_r26_s32_224"))
    assert {layer for name, layer in layers.items() if name.startswith("patch_embed.")} == {0}


def test_convits_class_token_trains_with_the_stem():
    assert layers_of(assign("convit_tiny"))["cls_token"] == 0

"""Families that fit a bundled rule set by name, as docs/numbering.md says."""

import pytest

from lrd_registry import assign_layers
from lrd_registry.models import build_model
from tests.support.releases import need_type

pytestmark = pytest.mark.library


@pytest.mark.parametrize(
    ("model_type", "arch"),
    [
        *[(name, "vit") for name in ("internvl_vision", "dpt")],
        *[(name, "vit") for name in ("chinese_clip_vision_model", "idefics3_vision")],
        *[(name, "vit") for name in ("smolvlm_vision", "tipsv2_vision_model", "timesformer")],
        *[(name, "vit") for name in ("videomae", "vivit")],
        *[(name, "swin") for name in ("donut-swin", "maskformer-swin")],
    ],
)
def test_a_type_of_transformers_fits_by_name(model_type, arch):
    need_type(f"hf:{model_type}")
    assert assign_layers(build_model(f"hf:{model_type}")).arch == arch

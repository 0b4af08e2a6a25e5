"""The same network has the same layers in every library's names (design rule).

`name_maps` has the names, `twins` the networks, `agreement` what is compared.
"""

import pytest
import timm
from hypothesis import given, settings
from hypothesis import strategies as st

from lrd_registry import assign_layers, get_rule_set
from tests.support.agreement import (
    Network,
    decay_differences,
    layer_differences,
    name_mismatches,
    shape_mismatches,
)
from tests.support.building import layers_of, timm_model
from tests.support.name_maps import MAPS, read_map
from tests.support.name_maps.stand_ins import with_stand_ins
from tests.support.releases import only_new_names
from tests.support.twins import FAMILIES, TWINS, network, small_size

pytestmark = [pytest.mark.library, only_new_names]

SWIN_T = {"microsoft": "simmim-swin_t", "mmpretrain": "mmpretrain-swin_tiny"}
PUBLISHED = [
    ("vit", (12, 768, 12), {"mmpretrain": "mmpretrain-vit_b"}),
    ("vit", (24, 1024, 16), {}),
    ("deit", (12, 192, 3), {}),
    ("beit", (12, 768, 12), {"timm": "beit-beit_base_patch16_224"}),
    ("beit_with_shared_bias", (12, 768, 12), {"simmim": "simmim-vit_b_shared_relpos"}),
    ("clip", (12, 768, 12), {}),
    ("siglip", (12, 768, 12), {}),
    ("clip_text", (12, 512, 8), {}),
    ("siglip_text", (12, 768, 12), {}),
    ("dinov2", (12, 768, 12), {}),
    ("dinov2_with_registers", (12, 384, 6), {}),
    ("dinov2_without_scale", (12, 768, 12), {"facebook_chunked": "dinov2-vitb14_chunked"}),
    ("dinov2_with_registers_without_scale", (12, 384, 6), {"facebook": "dinov2-vits14_reg"}),
    ("dinov3", (12, 384, 6), {}),
    ("swin", ((2, 2, 6, 2), 96, 3), SWIN_T),
    ("swin", ((2, 2, 18, 2), 128, 4), {}),
    ("swin_with_positions", ((2, 2, 6, 2), 96, 3), {}),
    ("swinv2", ((2, 2, 6, 2), 96, 3), {}),
    ("swinv2_with_positions", ((2, 2, 6, 2), 96, 3), {}),
    ("convnext", ((3, 3, 9, 3), 96), {"mmpretrain": "mmpretrain-convnext_tiny"}),
    ("convnext", ((3, 3, 27, 3), 96), {"facebook": "convnext-convnext_small"}),
    ("convnextv2", ((2, 2, 6, 2), 40), {}),
    ("convnextv2", ((3, 3, 9, 3), 96), {}),
]
"""Networks of published sizes, and the recorded models among their twins."""


@pytest.fixture(scope="module", params=PUBLISHED, ids=lambda case: f"{case[0]} {case[1]}")
def published(request):
    family, size, references = request.param
    return network(family, *size, references=references)


def test_the_map_reaches_every_parameter_exactly_once(published):
    assert list(name_mismatches(published)) == []


def test_the_map_joins_tensors_of_one_shape(published):
    assert list(shape_mismatches(published)) == []


def test_equal_layers_in_every_library(published):
    assert layer_differences(published) == []


def test_equal_weight_decay_in_every_library(published):
    assert decay_differences(published) == []


def test_the_backbone_alone_has_the_layers_that_it_has_in_the_task_model(published):
    for model in published.models.values():
        whole = assign_layers(model)
        for prefix in get_rule_set(whole.arch).layouts[whole.layout].prefix:
            if hasattr(model, prefix):
                alone = assign_layers(getattr(model, prefix))
                assert (alone.layout, alone.num_layers) == (whole.layout, whole.num_layers)
                for name, layer in layers_of(alone).items():
                    assert layer == whole[f"{prefix}.{name}"].layer


def sizes(family):
    """Sizes of a network: its blocks, its width and, where it has them, its attention heads."""
    few, heads = st.integers(1, 3), st.integers(1, 3)
    if FAMILIES[family][1].startswith("convnext"):
        return st.tuples(st.tuples(few, few, st.integers(1, 12), few), st.integers(2, 8))
    depth = st.integers(1, 6)
    if FAMILIES[family][1].startswith("swin"):
        depth = st.tuples(few, few, depth, few)
    return st.tuples(depth, few, heads).map(lambda size: (size[0], 4 * size[1] * size[2], size[2]))


@pytest.mark.slow
@pytest.mark.parametrize("family", TWINS)
@settings(max_examples=settings().max_examples // 2)
@given(st.data())
def test_twins_of_any_size_agree(family, data):
    twins = network(family, *data.draw(sizes(family)))
    assert list(name_mismatches(twins)) == []
    assert list(shape_mismatches(twins)) == []
    assert layer_differences(twins) == []
    assert decay_differences(twins) == []


TIMM = [
    *[("swin", name) for name in timm.list_models(module="swin_transformer")],
    *[("swinv2", name) for name in timm.list_models(module="swin_transformer_v2")],
    *[("convnext", name) for name in timm.list_models(module="convnext") if "v2" not in name],
    *[("convnextv2", name) for name in timm.list_models("convnextv2*", module="convnext")],
]
ONLY_TIMMS = {
    "stem.2.weight": "stem",  # of overlapping patches
    "stem.2.bias": "stem",
    "stem.3.weight": "stem",
    "norm_pre.weight": "head",  # in place of the norm after pooling
    "norm_pre.bias": "head",
    "head.pre_logits.fc.weight": "head",
    "head.pre_logits.fc.bias": "head",
}
"""What no other library has, and the entry that it belongs to."""


@pytest.mark.parametrize(("names", "name"), TIMM)
def test_every_architecture_of_timm_keeps_its_layers_in_other_libraries_names(names, name):
    """The twins are stand-ins, by the map: some architectures are in no other library."""
    model = timm_model(name)
    stages = model.layers if "swin" in names else model.stages
    depths = [len(stage.blocks) for stage in stages]
    twins = with_stand_ins(Network(read_map(names), depths, {"timm": model}))
    assert layer_differences(twins) == []
    mapped = {name for tensor in twins.tensors for _, name in twins.stored(tensor)}
    others = {n: row.entry for n, row in assign_layers(model).items() if n not in mapped}
    assert others.items() <= ONLY_TIMMS.items()


def test_every_line_of_every_map_has_a_tensor():
    used = {name: set() for name in MAPS}
    for family, (_, names) in FAMILIES.items():
        used[names] |= {tensor.kind for tensor in network(family, *small_size(family)).tensors}
    assert used == {name: set(read_map(name).lines) for name in MAPS}


def test_every_bundled_layout_takes_part_but_those_that_no_other_library_has():
    taking_part = {layout for name in MAPS for layout in read_map(name).layouts.values()}
    bundled = {
        f"{arch}/{layout}"
        for arch in ("vit", "swin", "convnext", "clip_text")
        for layout in get_rule_set(arch).layouts
    }
    assert bundled - taking_part == {
        "swin/timm_cr",
        *(f"vit/timm_{kind}" for kind in ("hybrid", "hybrid_resnet", "hybrid_stem", "mci")),
        *(
            "vit/timm_vitamin",
            "vit/timm_sam",
            "vit/mmpretrain_sam",
            "vit/satmae",
            "vit/ft_clip",
            "vit/internvideo2",
            "vit/labram",
        ),
        *("vit/huggingface_vitdet", "vit/huggingface_vjepa2"),
        *("swin/torchvision_video", "convnext/huggingface_dinov3"),
    }

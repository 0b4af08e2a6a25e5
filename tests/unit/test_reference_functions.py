"""The published numbering, restated: right on the data, and ours on sizes that the data lack."""

import json
from functools import partial

import pytest

from lrd_registry import assign_layers
from tests.support import published
from tests.support.building import layers_of, model_with, timm_model
from tests.support.places import REFERENCES

pytestmark = pytest.mark.engine

SWIN_TINY = (2, 2, 6, 2)


@pytest.mark.parametrize(
    ("case", "function"),
    [
        ("beit-beit_base_patch16_224", partial(published.beit, depth=12)),
        ("mae-vit_base_avgpool", partial(published.mae, depth=12)),
        ("mae-vit_base_patch16_224", partial(published.mae, depth=12)),
        ("simmim-vit_b_shared_relpos", partial(published.simmim_vit, depth=12)),
        ("mmpretrain-vit_b", partial(published.mmpretrain_vit, depth=12)),
        ("dinov2-vits14_reg", partial(published.dinov2, depth=12)),
        ("dinov2-vitb14_chunked", partial(published.dinov2, depth=12)),
        ("simmim-swin_t", partial(published.simmim_swin, depths=SWIN_TINY)),
        ("mmpretrain-swin_tiny", partial(published.mmpretrain_swin, depths=SWIN_TINY)),
        ("convnext-convnext_small", published.convnext),
        ("mmpretrain-convnext_tiny", partial(published.mmpretrain_convnext, depths=(3, 3, 9, 3))),
    ],
)
def test_the_restated_function_gives_the_real_ones_answers(case, function):
    params = json.loads((REFERENCES / f"{case}.json").read_text())["params"]
    assert {name: function(name) for name, _, _ in params} == {n: layer for n, _, layer in params}


def test_convnext_v2s_single_numbering_counts_every_block_and_the_stem_as_the_first():
    names = ["downsample_layers.0.0.weight", "stages.0.0.gamma", "stages.0.2.gamma"]
    names += ["downsample_layers.1.0.weight", "stages.2.5.gamma", "stages.3.2.gamma", "norm.weight"]
    layers = [published.convnext_v2_single(name, (3, 3, 27, 3)) for name in names]
    assert layers == [1, 1, 3, 4, 12, 36, 37]


@pytest.mark.parametrize("name", ["norm_pre.weight", "reg_token", "dist_token", "rope.freqs"])
@pytest.mark.parametrize("function", [published.beit, published.mae, published.mmpretrain_vit])
def test_what_a_function_does_not_know_falls_through_to_the_last_layer(function, name):
    assert function(name, 12) == 13


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "vit_large_patch16_224",
        "vit_huge_patch14_224",
        "vit_giant_patch14_224",
        "beit_large_patch16_512",
        "beitv2_large_patch16_224",
        "deit3_small_patch16_224",
    ],
)
@pytest.mark.parametrize("function", [published.beit, published.mae])
def test_vit_of_every_depth(name, function):
    model = timm_model(name)
    assignment = assign_layers(model, "vit")
    depth = len(model.blocks)
    assert assignment.num_layers == depth + 2
    assert layers_of(assignment) == {n: function(n, depth) for n, _ in model.named_parameters()}


def convnext_names(depths):
    for stage, depth in enumerate(depths):
        yield from (f"downsample_layers.{stage}.{i}.weight" for i in (0, 1))
        yield from (f"stages.{stage}.{block}.dwconv.weight" for block in range(depth))
    yield from ("norm.weight", "head.weight")


@pytest.mark.parametrize(("depths", "last"), [((3, 3, 9, 3), 7), ((3, 3, 27, 3), 13)])
def test_convnext_of_every_published_numbering(depths, last):
    assignment = assign_layers(model_with(convnext_names(depths)), "convnext")
    assert assignment.num_layers == last + 1
    assert layers_of(assignment) == {
        name: published.mmpretrain_convnext(name, depths) for name in convnext_names(depths)
    }


def test_a_convnext_smaller_than_the_published_numbering_has_no_empty_layers():
    """mmpretrain leaves atto's layer 5 empty; a layer here is a rank, without holes."""
    names, depths = list(convnext_names((2, 2, 6, 2))), (2, 2, 6, 2)
    assert {published.mmpretrain_convnext(n, depths) for n in names} == {0, 1, 2, 3, 4, 6, 7}
    assert set(layers_of(assign_layers(model_with(names), "convnext")).values()) == set(range(7))


def swin_names(depths):
    yield from ("patch_embed.proj.weight", "absolute_pos_embed", "mask_token")
    for stage, depth in enumerate(depths):
        yield from (f"layers.{stage}.blocks.{block}.norm1.weight" for block in range(depth))
        if stage < len(depths) - 1:
            yield f"layers.{stage}.downsample.reduction.weight"
    yield from ("norm.weight", "head.weight")


@pytest.mark.parametrize("depths", [(2, 2, 6, 2), (2, 2, 18, 2), (2, 2, 42, 4), (1, 1)])
def test_swin_of_every_depth(depths):
    """SimMIM's layers, but for the absolute embedding, unknown to it: in the stem that uses it."""
    expected = {name: published.simmim_swin(name, depths) for name in swin_names(depths)}
    assert expected["absolute_pos_embed"] == sum(depths) + 1
    assignment = assign_layers(model_with(swin_names(depths)), "swin")
    assert layers_of(assignment) == expected | {"absolute_pos_embed": 0}

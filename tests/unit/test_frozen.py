"""Frozen parameters stay out of the groups, and move nobody's layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrd_registry import InvalidArgumentError, assign_layers, build_param_groups
from tests.support.building import layers_of, model_with, timm_model
from tests.support.model_strategies import cases

pytestmark = pytest.mark.engine


@given(cases(), st.data())
def test_freezing_changes_no_layer_and_leaves_out_what_is_frozen(case, data):
    model = model_with(list(case.layers))
    trains = data.draw(st.sets(st.sampled_from(list(case.layers)), min_size=1))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trains)
    assert layers_of(assign_layers(model, case.rules)) == case.layers
    groups = build_param_groups(model, case.rules)
    found = {name: group["layer"] for group in groups for name in group["param_names"]}
    assert found == {name: case.layers[name] for name in trains}


def test_a_frozen_stem_leaves_the_scales_of_the_blocks():
    model = timm_model("vit_tiny_patch16_224", depth=2)
    model.patch_embed.requires_grad_(False)
    model.blocks[0].requires_grad_(False)
    groups = build_param_groups(model, layer_decay=0.5)
    scales = {name: group["lr_scale"] for group in groups for name in group["param_names"]}
    assert scales["cls_token"] == 0.125
    assert scales["blocks.1.norm1.weight"] == 0.5
    assert not [name for name in scales if name.startswith(("patch_embed", "blocks.0"))]


def test_a_multiplier_of_0_is_refused_with_a_pointer_to_freezing():
    with pytest.raises(InvalidArgumentError) as caught:
        build_param_groups(timm_model("vit_tiny_patch16_224", depth=1), lr_mult={"stem": 0})
    assert str(caught.value) == (
        "lr_mult['stem'] must be finite and above 0; found 0. To keep parameters as they are, "
        "freeze them: requires_grad_(False)"
    )

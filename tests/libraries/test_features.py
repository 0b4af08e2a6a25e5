"""timm's models inside others: as features, and in the classes of transformers."""

import pytest
import torch
from torch import nn
from transformers import TimmBackbone, TimmBackboneConfig

from lrd_registry import assign_layers, build_param_groups
from lrd_registry.model_names.flattened_lists import children_as_written
from lrd_registry.model_names.wrappers import find_module
from lrd_registry.models import build_model
from tests.support.building import layers_of, timm_model
from tests.support.releases import need_type

pytestmark = [pytest.mark.library, pytest.mark.engine]

NAMES = {
    "vit_tiny_patch16_224": "model.",  # what holds the model under a name
    "nasnetalarge": "body.",
    "resnet18": "",  # what holds its children
    "convnext_atto": "stages_0.",  # what takes its lists apart
    "tresnet_m": "body_",
    "cs3darknet_s": "stem_",
}


@pytest.mark.parametrize("name", NAMES)
def test_features_are_read_as_the_model_that_they_are_of(name):
    model = timm_model(name, features_only=True)
    assert any(parameter.startswith(NAMES[name]) for parameter, _ in model.named_parameters())
    whole, features = assign_layers(timm_model(name)), assign_layers(model)
    assert features.arch == whole.arch
    assert {features.written[n]: layer for n, layer in layers_of(features).items()} == {
        written: whole[written].layer for written in features.written.values()
    }


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "resnet18", "convnext_atto"])
def test_pairs_of_names_and_parameters_are_read_so_too(name):
    model = timm_model(name, features_only=True)
    pairs = assign_layers(model.named_parameters())
    assert layers_of(pairs) == layers_of(assign_layers(model))


def test_features_inside_a_network_are_found_under_their_prefix():
    net = nn.ModuleDict(
        {"backbone": timm_model("convnext_atto", features_only=True), "head": nn.Linear(2, 2)}
    )
    assignment = assign_layers(net, prefix="backbone", outside="head")
    assert assignment["backbone.stages_2.downsample.1.weight"].layer == 3
    assert assignment["head.weight"].layer == assignment.num_layers - 1
    assert find_module(net, "backbone.stages.2") is net["backbone"]["stages_2"]


def test_a_child_that_keeps_its_name_is_found_with_what_is_in_it():
    features = timm_model("swin_tiny_patch4_window7_224", features_only=True)
    assert find_module(features, "patch_embed.proj") is features["patch_embed"].proj


def test_what_a_wrapper_of_features_leaves_out_shifts_nothing():
    whole = timm_model("vit_tiny_patch16_224")
    features = timm_model("vit_tiny_patch16_224", features_only=True, out_indices=(3, 5))
    scales = {
        name: group["lr_scale"]
        for group in build_param_groups(features)
        for name in group["param_names"]
    }
    assert "model.blocks.6.norm1.weight" not in scales
    assert len(scales) < len(list(whole.parameters()))


def test_the_class_in_a_wrapper_of_transformers_counts():
    need_type("hf:timm_wrapper")
    model = build_model("hf:timm_wrapper:TimmWrapperForImageClassification")
    assert assign_layers(model).known_by == "class"


def test_so_it_does_in_a_backbone_of_transformers():
    config = TimmBackboneConfig(backbone="resnet18", use_pretrained_backbone=False)
    with torch.device("meta"):
        model = TimmBackbone(config)
    assert assign_layers(model)["_backbone.layer4.0.conv1.weight"].entry == "stage_4"


def test_a_wrapper_that_keeps_a_list_has_taken_none_apart():
    wrapper = nn.Module()
    wrapper.stages = nn.Sequential()
    wrapper.conv_1 = nn.Linear(1, 1)
    assert children_as_written(wrapper) == {"stages": "stages", "conv_1": "conv_1"}


def test_what_a_wrapper_of_features_has_set_to_none_is_no_fault():
    model = timm_model("mobilenetv5_base", features_only=True)
    if model.model.msfa is not None:
        pytest.skip("this timm keeps the module that its features do not use")
    assert assign_layers(model).layout == "timm"

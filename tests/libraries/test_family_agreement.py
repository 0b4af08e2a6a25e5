"""The same network in two libraries has the same layers, under whatever names.

Where both libraries register their tensors in one order, each is told from its place, and checked
for its shape; where they do not, each layer holds tensors of the same sizes. `test_agreement.py`
has maps of every tensor's names.
"""

import pytest
import timm
import torch
from torchvision.models import get_model

from lrd_registry import assign_layers
from lrd_registry.models import build_model
from tests.support.building import timm_model
from tests.support.releases import need_type, release

pytestmark = pytest.mark.library

TORCHVISION = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "densenet121": "densenet121",
    "vgg11": "vgg11",
    "vgg16_bn": "vgg16_bn",
    "mobilenetv2_100": "mobilenet_v2",
    "mobilenetv3_large_100": "mobilenet_v3_large",
    "mobilenetv3_small_100": "mobilenet_v3_small",
    "mnasnet_100": "mnasnet1_0",
    "efficientnet_b0": "efficientnet_b0",
    "tf_efficientnetv2_s": "efficientnet_v2_s",
    "regnetx_016": "regnet_x_1_6gf",
    "regnety_016": "regnet_y_1_6gf",
}
TRANSFORMERS = {  # in the size of the default configuration
    "resnet50": "resnet:ResNetForImageClassification",
    "resnetv2_50x1_bit": "bit:BitForImageClassification",
    "efficientnet_b7": "efficientnet:EfficientNetForImageClassification",
    "regnety_040": "regnet:RegNetForImageClassification",
    "mobilenetv1_100": "mobilenet_v1:MobileNetV1ForImageClassification",
    "mobilenetv2_100": "mobilenet_v2:MobileNetV2ForImageClassification",
    "lcnet_100": "pp_lcnet:PPLCNetForImageClassification",
    "mobilevit_s": "mobilevit:MobileViTForImageClassification",
    "mobilevitv2_100": "mobilevitv2:MobileViTV2ForImageClassification",
    "hiera_base_224": "hiera:HieraForImageClassification",
    "focalnet_tiny_srf": "focalnet:FocalNetForImageClassification",
    "pvt_v2_b0": "pvt_v2:PvtV2ForImageClassification",
    "poolformer_s12": "poolformer:PoolFormerForImageClassification",
    "swiftformer_xs": "swiftformer:SwiftFormerForImageClassification",
    "levit_128": "levit:LevitForImageClassificationWithTeacher",
}


IN_OTHER_ORDER = {
    *("vgg11", "vgg16_bn", "mobilenetv3_large_100", "mobilenetv3_small_100"),
    *("regnetx_016", "regnety_016", "regnety_040", "resnet50", "hiera_base_224"),
    *("focalnet_tiny_srf", "poolformer_s12", "swiftformer_xs"),
}
"""In the other library, or with a linear layer in place of a convolution."""
FUSED = {"mobilevit_s", "pvt_v2_b0"}
"""Queries, keys and values are one tensor in one library, and several in the other."""


def shapes_in_order(model):
    """The shape and the layer of each tensor below the head."""
    assignment = assign_layers(model)
    rows = ((tuple(p.shape), assignment[n].layer) for n, p in model.named_parameters())
    return [(shape, layer) for shape, layer in rows if layer < assignment.num_layers - 1]


def sizes(model):
    """How many elements each tensor of each layer has, sorted."""
    assignment = assign_layers(model)
    found = [[] for _ in range(assignment.num_layers)]
    for name, parameter in model.named_parameters():
        found[assignment[name].layer].append(parameter.numel())
    return [sorted(layer) for layer in found]


def timms(name):
    if not timm.is_model(name):
        pytest.skip(f"timm {timm.__version__} has no {name}")
    return timm_model(name)


@pytest.mark.parametrize("name", TORCHVISION)
def test_each_layer_has_tensors_of_the_same_sizes_in_torchvision(name):
    assert sizes(timms(name)) == sizes(of_torchvision(name))


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_each_layer_below_the_head_has_tensors_of_the_same_sizes_in_transformers(name):
    """The heads tell apart another number of classes."""
    ours, theirs = sizes(timms(name)), sizes(of_transformers(name))
    assert len(ours) == len(theirs)
    if name in FUSED:
        ours, theirs = list(map(sum, ours)), list(map(sum, theirs))
    assert ours[:-1] == theirs[:-1]


@pytest.mark.parametrize("name", sorted(TORCHVISION.keys() - IN_OTHER_ORDER | {"resnet50"}))
def test_each_tensor_has_the_same_layer_in_torchvision(name):
    assert shapes_in_order(timms(name)) == shapes_in_order(of_torchvision(name))


@pytest.mark.parametrize("name", sorted(TRANSFORMERS.keys() - IN_OTHER_ORDER - FUSED))
def test_each_tensor_below_the_head_has_the_same_layer_in_transformers(name):
    assert shapes_in_order(timms(name)) == shapes_in_order(of_transformers(name))


def of_torchvision(name):
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        return get_model(TORCHVISION[name], weights=None)


def of_transformers(name):
    if release("transformers") < (5, 24):
        pytest.skip("transformers before 5.24 has other names for some of them")
    need_type(f"hf:{TRANSFORMERS[name]}")
    return build_model(f"hf:{TRANSFORMERS[name]}")

"""The same network in two libraries: each layer holds as many elements, under whatever names.

This is the weaker form of `test_agreement.py`, whose maps have every tensor's names.
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


def elements(model):
    """How many elements each layer has."""
    assignment = assign_layers(model)
    counts = [0] * assignment.num_layers
    for name, parameter in model.named_parameters():
        counts[assignment[name].layer] += parameter.numel()
    return counts


def timms(name):
    if not timm.is_model(name):
        pytest.skip(f"timm {timm.__version__} has no {name}")
    return timm_model(name)


@pytest.mark.parametrize("name", TORCHVISION)
def test_each_layer_has_as_many_elements_in_torchvision(name):
    device = "cpu" if name.startswith("regnet") else "meta"
    with torch.device(device):
        other = get_model(TORCHVISION[name], weights=None)
    assert elements(timms(name)) == elements(other)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_each_layer_below_the_head_has_as_many_elements_in_transformers(name):
    """The heads tell apart another number of classes."""
    if release("transformers") < (5, 24):
        pytest.skip("transformers before 5.24 has other names for some of them")
    need_type(f"hf:{TRANSFORMERS[name]}")
    ours, theirs = elements(timms(name)), elements(build_model(f"hf:{TRANSFORMERS[name]}"))
    assert ours[:-1] == theirs[:-1]
    assert len(ours) == len(theirs)

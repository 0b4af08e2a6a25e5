"""Detectors and segmentation networks of torchvision: the backbone as alone, then the rest."""

import pytest
import torch
from torchvision.models import list_models, segmentation

from lrd_registry import assign_layers, build_param_groups
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import check_order
from tests.support.building import layers_of
from tests.support.libraries.task_models import torchvision_model
from tests.support.releases import is_pinned

pytestmark = pytest.mark.library

BACKBONES = {
    "fasterrcnn_resnet50_fpn_v2": ("backbone.body.", "resnet50", ""),
    "fasterrcnn_mobilenet_v3_large_fpn": ("backbone.body.", "mobilenet_v3_large", "features."),
    "keypointrcnn_resnet50_fpn": ("backbone.body.", "resnet50", ""),
    "maskrcnn_resnet50_fpn": ("backbone.body.", "resnet50", ""),
    "retinanet_resnet50_fpn": ("backbone.body.", "resnet50", ""),
    "fcos_resnet50_fpn": ("backbone.body.", "resnet50", ""),
    "fcn_resnet101": ("backbone.", "resnet101", ""),
    "deeplabv3_resnet50": ("backbone.", "resnet50", ""),
    "deeplabv3_mobilenet_v3_large": ("backbone.", "mobilenet_v3_large", "features."),
    "lraspp_mobilenet_v3_large": ("backbone.", "mobilenet_v3_large", "features."),
}
"""Model -> the prefix of its backbone, the classifier that this is of, and the prefix there."""


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_has_the_scales_that_it_has_alone_and_the_rest_the_full_rate(name):
    prefix, classifier, inner = BACKBONES[name]
    assignment, alone = (
        assign_layers(torchvision_model(name)),
        assign_layers(torchvision_model(classifier)),
    )
    assert assignment.known_by == "class"
    for parameter in assignment:
        scale = assignment.scale(parameter, 0.5)
        if parameter.startswith(prefix):
            own = f"{inner}{parameter.removeprefix(prefix)}"
            assert scale == alone.scale(own, 0.5), parameter
        else:
            assert scale == 1.0, parameter


def test_ssds_backbone_has_the_layers_that_vgg_has_alone():
    layers, alone = (
        layers_of(assign_layers(torchvision_model("ssd300_vgg16"))),
        assign_layers(torchvision_model("vgg16")),
    )
    shared = [n for n in layers if n.startswith("backbone.features.")]
    assert len(shared) == 20
    assert all(layers[n] == alone[n.removeprefix("backbone.")].layer for n in shared)
    assert layers["backbone.scale_weight"] == layers["backbone.features.21.weight"] == 9
    last = [layers[f"backbone.extra.0.{conv}.weight"] for conv in (1, 3, 5)]
    assert last == [alone[f"features.{conv}.weight"].layer for conv in (24, 26, 28)] == [10, 11, 12]
    assert layers["backbone.extra.0.7.1.weight"] == layers["backbone.extra.0.7.3.weight"] == 13
    assert [layers[f"backbone.extra.{block}.0.weight"] for block in range(1, 5)] == [14, 15, 16, 17]
    heads = {layer for n, layer in layers.items() if n.startswith("head.")}
    assert heads == {18}


def test_a_block_that_ssdlite_takes_apart_stays_one_layer():
    layers = layers_of(assign_layers(torchvision_model("ssdlite320_mobilenet_v3_large")))
    alone = assign_layers(torchvision_model("mobilenet_v3_large"))
    for block in range(13):
        path = f"backbone.features.0.{block}."
        own = {layer for n, layer in layers.items() if n.startswith(path)}
        assert own == {alone[f"features.{block}.{'0' if not block else 'block.0.0'}.weight"].layer}
    taken_apart = {
        layer
        for n, layer in layers.items()
        if n.startswith(("backbone.features.0.13.", "backbone.features.1.0."))
    }
    assert taken_apart == {13}
    assert [layers[f"backbone.features.1.{n}.block.0.0.weight"] for n in (1, 2)] == [14, 15]
    assert layers["backbone.features.1.3.0.weight"] == 16
    assert [layers[f"backbone.extra.{n}.0.0.weight"] for n in range(4)] == [17, 18, 19, 20]


@pytest.mark.parametrize("name", list_models(module=segmentation))
def test_a_segmentation_network_is_in_the_order_of_its_use(name):
    if not is_pinned("torch"):
        pytest.skip("an older torch cannot run all of them without weights")
    options = {} if name.startswith("lraspp") else {"aux_loss": True}
    model = torchvision_model(name, **options)
    assert check_order(assign_layers(model), trace(model, (2, 3, 224, 224))).contradictions == ()


def test_features_with_a_classifier_of_ones_own_end_with_it():
    features = torchvision_model("mobilenet_v3_small").features
    features.classifier = torch.nn.Linear(1, 1)
    assignment = assign_layers(features)
    assert (assignment.arch, assignment.layout) == ("mobilenetv3", "torchvision_features")
    assert assignment["classifier.weight"].layer == assignment.num_layers - 1 == 13


def test_groups_of_a_detector_are_ready_for_training():
    groups = build_param_groups(
        torchvision_model("fasterrcnn_resnet50_fpn"), lr=1e-3, layer_decay=0.7
    )
    assert max(group["lr"] for group in groups) == 1e-3
    assert min(group["lr"] for group in groups) == pytest.approx(1e-3 * 0.7**7)

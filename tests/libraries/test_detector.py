"""torchvision's detectors on a backbone of timm's, by a rule file of one's own."""

import pytest
import timm
from torch import nn
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from lrd_registry import CoverageError, assign_layers, build_param_groups
from tests.support.building import layers_of, on_meta

pytestmark = pytest.mark.engine

RULES = """\
arch: detector
layouts:
  faster_rcnn:
    signature: roi_heads.box_predictor.bbox_pred.weight
    parts:
      backbone: {prefix: backbone.body, rules: [swin, convnext]}
    outside:
      fpn: backbone.fpn.**
      rpn: rpn.**
      roi_heads: roi_heads.**
  retinanet:
    signature: head.regression_head.bbox_reg.weight
    parts:
      backbone: {prefix: backbone.body, rules: [swin, convnext]}
    outside:
      fpn: backbone.fpn.**
      head: head.**
"""
START = "backbone.body."
BACKBONES = {"swin": "swin_tiny_patch4_window7_224", "convnext": "convnext_tiny"}
DETECTORS = {
    "faster_rcnn": (FasterRCNN, {"backbone", "fpn", "rpn", "roi_heads"}),
    "retinanet": (RetinaNet, {"backbone", "fpn", "head"}),
}


class Pyramid(nn.Module):
    """A backbone with a feature pyramid on its stages, as torchvision's detectors take it."""

    out_channels = 16

    def __init__(self, name, **options):
        super().__init__()
        self.body = timm.create_model(name, num_classes=0, **options)
        widths = [stage["num_chs"] for stage in self.body.feature_info]
        self.fpn = FeaturePyramidNetwork(widths, self.out_channels, LastLevelMaxPool())

    def forward(self, images):
        maps = self.body.forward_intermediates(images, intermediates_only=True)
        return self.fpn({str(level): features for level, features in enumerate(maps)})


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "detector.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request):
    return request.param


@pytest.fixture(scope="module", params=BACKBONES)
def backbone(request):
    return request.param


@pytest.fixture(scope="module")
def model(detector, backbone):
    make, _ = DETECTORS[detector]
    return on_meta(lambda: make(Pyramid(BACKBONES[backbone]), num_classes=5))


@pytest.fixture(scope="module")
def alone(model, backbone):
    assignment = assign_layers(model.backbone.body)
    assert assignment.arch == backbone
    return assignment


def test_the_backbone_has_the_layers_that_it_has_alone(model, alone, rules):
    rows = [row for row in assign_layers(model, rules).values() if row.part == "backbone"]
    expected = {START + name: layer for name, layer in layers_of(alone).items()}
    assert {row.name: row.layer for row in rows} == expected


def test_each_part_has_a_depth_of_its_own(model, alone, rules, detector):
    _, parts = DETECTORS[detector]
    expected = dict.fromkeys(parts, 1) | {"backbone": alone.num_layers}
    assert assign_layers(model, rules).depths == expected


def test_the_backbone_decays_and_all_else_trains_at_the_full_rate(model, alone, rules):
    groups = build_param_groups(model, rules, lr=1.0, layer_decay=0.5)
    rates = {name: group["lr"] for group in groups for name in group["param_names"]}
    body = {START + row.name: 0.5 ** (alone.num_layers - 1 - row.layer) for row in alone.values()}
    assert rates == {name: body.get(name, 1.0) for name, _ in model.named_parameters()}


def test_what_the_rule_file_does_not_speak_of_is_named(rules):
    """A branch for masks, which the file has not."""
    model = on_meta(lambda: FasterRCNN(Pyramid("convnext_tiny"), num_classes=5))
    model.mask_branch = nn.Linear(2, 2)
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rules)
    assert caught.value.unmatched == ("mask_branch.weight", "mask_branch.bias")

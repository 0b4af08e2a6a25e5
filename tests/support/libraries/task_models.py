"""Models for detection, segmentation, depth and video, by layouts that names decide for."""

from collections.abc import Iterator

import torch
from torch import nn
from torchvision import models
from torchvision.models import get_model, list_models
from transformers import (
    DepthProConfig,
    DepthProForDepthEstimation,
    EdgeTamConfig,
    EdgeTamModel,
    EdgeTamVisionConfig,
    TimmWrapperConfig,
)

from lrd_registry.models import build_model
from tests.support.releases import release

TRANSFORMERS = [
    "depth_anything:DepthAnythingForDepthEstimation",
    "depth_pro:DepthProForDepthEstimation",
    "dinov3_convnext:DINOv3ConvNextModel",
    "dpt:DPTForSemanticSegmentation",
    "maskformer-swin:MaskFormerSwinBackbone",
    "pixio:PixioBackbone",
    "sam:SamModel",
    "sam2:Sam2Model",
    "sam3_tracker:Sam3TrackerModel",
    "timesformer:TimesformerForVideoClassification",
    "tipsv2_dpt:Tipsv2DptForSemanticSegmentation",
    "upernet:UperNetForSemanticSegmentation",
    "videomae:VideoMAEForVideoClassification",
    "vitdet:VitDetBackbone",
    "vivit:VivitForVideoClassification",
    "vjepa2:VJEPA2ForVideoClassification",
    "zoedepth:ZoeDepthForDepthEstimation",
]
"""Of transformers, as `type:Class`, in their default configurations."""

TORCHVISION = {
    "maskrcnn_resnet50_fpn": {},
    "retinanet_resnet50_fpn": {},
    "ssdlite320_mobilenet_v3_large": {},
    "fcn_resnet50": {"aux_loss": True},
    "lraspp_mobilenet_v3_large": {},
}
"""Of torchvision, with the options that they are built with."""


def torchvision_model(name: str, **options) -> nn.Module:
    """A model of torchvision for any task, on the meta device."""
    backbone = {} if name in list_models(module=models) else {"weights_backbone": None}
    with torch.device("meta"):
        return get_model(name, weights=None, **backbone, **options)


def with_a_field_of_view() -> nn.Module:
    """Depth Pro with the encoder that its released weights have besides."""
    with torch.device("meta"):
        return DepthProForDepthEstimation(DepthProConfig(use_fov_model=True))


def edgetam() -> nn.Module:
    """EdgeTAM on the RepViT of its released weights, which its bare configuration has not."""
    features = {"in_chans": 3, "features_only": True, "out_indices": (0, 1, 2, 3)}
    timm_model = TimmWrapperConfig(architecture="repvit_m1.dist_in1k", model_args=features)
    vision = EdgeTamVisionConfig(backbone_config=timm_model)
    with torch.device("meta"):
        return EdgeTamModel(EdgeTamConfig(vision_config=vision))


def task_models() -> Iterator[tuple[str, nn.Module]]:
    """All of them, but what an older transformers has not, or has in other names."""
    for name, options in TORCHVISION.items():
        yield name, torchvision_model(name, **options)
    yield "mobilenet_v3_small/features", torchvision_model("mobilenet_v3_small").features
    if release("transformers") >= (5, 24):
        yield from ((name, build_model(f"hf:{name}")) for name in TRANSFORMERS)
        yield "depth_pro/fov", with_a_field_of_view()

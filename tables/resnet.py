"""The ResNet family: ResNet-50 in full, as three number it and as `layers_by` gives it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lrd_registry import assign_layers
from tables.answers import Answers, timm_answers
from tables.comparison import Comparison
from tests.support.building import timm_model
from tests.support.places import REFERENCES

if TYPE_CHECKING:
    from lrd_registry.engine.layers_by import LayersBy

KINDS = {
    "stem": ("conv1.*", "bn1.*"),
    "stage 1, of 3 blocks": ("layer1.*",),
    "stage 2, of 4": ("layer2.*",),
    "stage 3, of 6": ("layer3.*",),
    "stage 4, of 3": ("layer4.*",),
    "downsampling in stages 2, 3, 4": tuple(f"layer{n}.0.downsample.*" for n in (2, 3, 4)),
    "head": ("fc.*", "attnpool.*"),
}


def comparisons() -> list[Comparison]:
    """The kinds of parameters, and everyone's answers."""
    model = timm_model("resnet50")

    def ours(layers_by: LayersBy) -> Answers:
        assignment = assign_layers(model, layers_by=layers_by)
        return [(name, row.layer) for name, row in assignment.items()]

    answers = {
        "SparK": recorded("spark-resnet50"),
        "open_clip's": recorded("open_clip-rn50-visual"),
        "timm": timm_answers([model]),
        "by block": ours("block"),
        "by stage": ours("stage"),
        "lrd-registry": ours("published"),
    }
    return [Comparison(KINDS, answers)]


def recorded(name: str) -> Answers:
    """What a published function said of its own model."""
    case = json.loads((REFERENCES / f"{name}.json").read_text())
    return [(parameter, layer) for parameter, _, layer in case["params"]]

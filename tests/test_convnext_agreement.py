"""timm's ConvNeXt and the authors' ConvNeXt give the same tensor the same layer (design rule)."""

import json
import re
from pathlib import Path

import pytest
import timm

from lrd_registry import assign_layers
from tests.building import layers_of, model_with, timm_model

SMALL = Path(__file__).parent / "reference_layers" / "convnext-convnext_small.json"
AUTHORS = [
    (r"^stem\.", "downsample_layers.0."),
    (r"^stages\.(\d+)\.downsample\.", r"downsample_layers.\1."),
    (r"^stages\.(\d+)\.blocks\.", r"stages.\1."),
    (r"\.conv_dw\.", ".dwconv."),
    (r"\.mlp\.fc(\d)\.", r".pwconv\1."),
    (r"\.mlp\.grn\.", ".grn."),
    (r"^(head\.norm|norm_pre)\.", "norm."),
    (r"^head\.(pre_logits\.)?fc\.", r"head.\1"),
]


def authors_name(name):
    """The authors' name of a parameter of timm's ConvNeXt."""
    for pattern, replacement in AUTHORS:
        name = re.sub(pattern, replacement, name)
    return name


def test_the_map_reaches_every_parameter_of_the_authors_model_in_its_shape():
    theirs = {name: tuple(shape) for name, shape, _ in json.loads(SMALL.read_text())["params"]}
    ours = timm_model("convnext_small").named_parameters()
    assert {authors_name(name): tuple(p.shape) for name, p in ours} == theirs


@pytest.mark.parametrize("name", timm.list_models(module="convnext"))
def test_equal_layers_in_both_layouts(name):
    model = timm_model(name)
    renamed = model_with({authors_name(n): p for n, p in model.named_parameters()})
    ours, theirs = assign_layers(model), assign_layers(renamed)
    assert (ours.layout, theirs.layout) == ("timm", "facebook")
    assert ours.num_layers == theirs.num_layers
    assert {authors_name(n): layer for n, layer in layers_of(ours).items()} == layers_of(theirs)

"""timm's ConvNeXt and the authors' ConvNeXt give the same tensor the same layer (design rule)."""

import re

import pytest
import timm

from tests.agreement import assert_same_layers, assert_same_tensors

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
    assert_same_tensors("convnext_small", authors_name, "convnext-convnext_small")


@pytest.mark.parametrize("name", timm.list_models(module="convnext"))
def test_equal_layers_in_both_layouts(name):
    assert_same_layers(name, authors_name, "facebook")

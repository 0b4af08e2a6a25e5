"""timm's Swin and the authors' Swin give the same tensor the same layer (design rule).

timm holds the downsampling between two stages at the start of the later one, the authors at the
end of the earlier one; and timm's classifier is `head.fc`. All other names are equal.
"""

import pytest
import timm

from lrd_registry import assign_layers
from tests.agreement import assert_same_layers, assert_same_tensors
from tests.building import layers_of, model_with, timm_model

NAMES = timm.list_models(module="swin_transformer") + timm.list_models(module="swin_transformer_v2")


def authors_name(name):
    """The authors' name of a parameter of timm's Swin."""
    parts = name.split(".")
    if parts[2:3] == ["downsample"]:
        parts[1] = str(int(parts[1]) - 1)
    return ".".join(parts).replace("head.fc.", "head.")


def mmpretrains_name(name):
    """mmpretrain's name, up to what lies inside a block: stages, and no classifier."""
    return name.replace("layers.", "stages.").replace("norm.", "norm3.", name.startswith("norm."))


def test_the_map_reaches_every_parameter_of_the_authors_model_in_its_shape():
    assert_same_tensors("swin_tiny_patch4_window7_224", authors_name, "simmim-swin_t")


@pytest.mark.parametrize("name", NAMES)
def test_equal_layers_in_both_layouts(name):
    assert_same_layers(name, authors_name, "microsoft")


def test_downsampling_shares_the_layer_of_the_block_before_it():
    layers = layers_of(assign_layers(timm_model("swin_small_patch4_window7_224")))
    assert layers["layers.3.downsample.reduction.weight"] == layers["layers.2.blocks.17.norm1.bias"]
    assert layers["layers.2.blocks.17.norm1.bias"] == 22


@pytest.mark.parametrize(
    ("name", "rename", "layout"),
    [
        ("swin_tiny_patch4_window7_224", authors_name, "mmpretrain"),
        ("swinv2_tiny_window8_256", lambda name: name, "mmpretrain_v2"),
    ],
)
def test_equal_layers_in_mmpretrains_names(name, rename, layout):
    """mmpretrain has V1's downsampling where the authors have it, and V2's where timm has it."""
    names = {n: mmpretrains_name(rename(n)) for n, _ in timm_model(name).named_parameters()}
    ours = layers_of(assign_layers(timm_model(name)))
    backbone = [n for n in names if not n.startswith("head.")]
    theirs = assign_layers(model_with([names[n] for n in backbone]))
    assert theirs.layout == layout
    assert layers_of(theirs) == {names[n]: ours[n] for n in backbone}

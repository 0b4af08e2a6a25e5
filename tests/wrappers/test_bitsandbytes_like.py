"""Quantized weights, scalars and shapes that are not known yet, bare and wrapped."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from lrd_registry import ModelError, assign_layers, build_param_groups
from tests.support.building import layers_of
from tests.support.wrappers.checking import decays
from tests.support.wrappers.tiny import NET, Net

pytestmark = pytest.mark.engine

wraps = pytest.mark.parametrize(
    ("wrap", "start"),
    [(lambda model: model, ""), (nn.DataParallel, "module."), (torch.compile, "_orig_mod.")],
    ids=["bare", "DataParallel", "compile"],
)


def quantized(dtype):
    """The blocks' weights as whole numbers, which take no gradient, as bitsandbytes keeps them."""
    model = Net()
    for block in model.blocks:
        block.weight = nn.Parameter(torch.zeros(4, 4, dtype=dtype), requires_grad=False)
    return model


@wraps
@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8])
def test_quantized_weights_have_a_layer_and_are_in_no_group(dtype, wrap, start):
    model = wrap(quantized(dtype))
    names = {f"{start}{name}" for name, _ in Net().named_parameters()}
    weights = {f"{start}blocks.0.weight": 1, f"{start}blocks.1.weight": 2}
    layers = layers_of(assign_layers(model, NET))
    assert layers.keys() == names
    assert layers.items() >= weights.items()
    assert decays(build_param_groups(model, NET)).keys() == names - weights.keys()


def test_packed_weights_have_the_layers_of_the_whole_ones():
    """Four bits a weight: two in each byte, in a tensor of another shape."""
    model = Net()
    before = layers_of(assign_layers(model, NET))
    for block in model.blocks:
        block.weight = nn.Parameter(torch.zeros(8, 1, dtype=torch.uint8), requires_grad=False)
    assert layers_of(assign_layers(model, NET)) == before


def test_adapters_of_quantized_weights_train_alone():
    wrapped = get_peft_model(Net(), LoraConfig(target_modules=["blocks.0", "blocks.1"], r=2))
    for block in wrapped.base_model.model.blocks:
        block.base_layer.weight = nn.Parameter(
            torch.zeros(4, 4, dtype=torch.int8), requires_grad=False
        )
    groups = build_param_groups(wrapped, NET)
    assert {name: group["layer"] for group in groups for name in group["param_names"]} == {
        f"base_model.model.blocks.{block}.lora_{side}.default.weight": block + 1
        for block in range(2)
        for side in "AB"
    }


@wraps
def test_a_scalar_gets_no_weight_decay(wrap, start):
    model = Net()
    model.head.weight = nn.Parameter(torch.ones(()))
    found = decays(build_param_groups(wrap(model), NET, weight_decay=0.1))
    assert found[f"{start}head.weight"] == 0
    assert found[f"{start}blocks.0.weight"] == 0.1


@wraps
def test_an_unknown_shape_is_refused_by_the_models_own_name(wrap, start):
    model = Net()
    model.head = nn.LazyLinear(2)
    with pytest.raises(ModelError, match=rf"shape of '{start}head\.weight' \(and 1 more\)"):
        build_param_groups(wrap(model), NET)

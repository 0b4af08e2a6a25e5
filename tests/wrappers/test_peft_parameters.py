"""PEFT: adapters of single parameters, a bank that several share, and their weight decay."""

import peft
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from lrd_registry import CoverageError, assign_layers, build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of
from tests.support.wrappers.checking import LORA, Before, check, check_form, decays, named
from tests.support.wrappers.tiny import NET, Net, timm_vit, torchvision_vit

pytestmark = [pytest.mark.engine, pytest.mark.library]


def test_adapters_decay_as_their_own_shapes_say():
    """Not as the tensor that comes first in what they adapt, which may be a bias."""
    model = timm_vit()
    weight_norm(model.head)
    normed = peft.get_peft_model(model, peft.LoraConfig(target_modules=["head"]))
    attention = peft.get_peft_model(
        torchvision_vit(), peft.LoraConfig(target_modules=["self_attention"])
    )
    for wrapped in (normed, attention):
        groups = build_param_groups(wrapped, "vit", weight_decay=0.1)
        assert set(decays(groups).values()) == {0.1}


def test_an_adapter_of_one_parameter_among_those_of_all_layers():
    """The encoder's own position embedding is in the stem; its blocks and norm are not."""
    model = torchvision_vit()
    before = Before(model, "vit")
    config = peft.LoraConfig(target_modules=[], target_parameters=["encoder.pos_embedding"])
    check(peft.get_peft_model(model, config), before, named("base_model.model.encoder", LORA, 0))


def test_adapters_within_a_module_of_which_one_parameter_is_adapted():
    model = torchvision_vit()
    before = Before(model, "vit")
    config = peft.LoraConfig(
        target_modules=r".*layer_1\.mlp\.0", target_parameters=["encoder.pos_embedding"]
    )
    start = "base_model.model.encoder"
    inner = f"{start}.base_layer.layers.encoder_layer_1.mlp.0"
    new = named(start, LORA, 0) | named(inner, LORA, 2)
    check(peft.get_peft_model(model, config), before, new)


class Ends(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = (nn.Parameter(torch.zeros(4, 4)) for _ in range(2))


def test_an_adapter_of_a_modules_last_parameter():
    model = nn.ModuleDict({"ends": Ends()})
    entries = [{"stem": "ends.first"}, {"head": "ends.last"}]
    before = Before(model, rule_set_from_mapping({"arch": "ends", "layers": entries}))
    config = peft.LoraConfig(target_modules=[], target_parameters=["ends.last"], r=2)
    wrapped = peft.get_peft_model(model, config)
    expected = before.expected(wrapped, named("base_model.model.ends", LORA, 1))
    check_form(wrapped, before, expected)


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = (nn.Parameter(torch.zeros(2, 4, 4)) for _ in range(2))


def test_adapters_of_several_parameters_of_a_module():
    model = nn.ModuleDict({"embed": nn.Linear(4, 4)})
    model["blocks"] = nn.ModuleList(Experts() for _ in range(2))
    rules = {"arch": "moe", "layers": [{"stem": "embed.*"}]}
    rules["layers"].append({"block": ["blocks.{i}.up", "blocks.{i}.down"]})
    before = Before(model, rule_set_from_mapping(rules))
    config = peft.LoraConfig(target_modules=[], target_parameters=["up", "down"], r=2)
    start = "base_model.model.blocks"
    new = {}
    for block in range(2):
        new |= named(f"{start}.{block}", LORA, block + 1)
        new |= named(f"{start}.{block}.base_layer", LORA, block + 1)
    check(peft.get_peft_model(model, config), before, new)


def test_adapters_without_what_they_adapt_are_refused():
    """From their names alone, an author's own module might be called so."""
    model = timm_vit()
    layers = assign_layers(model, "vit")
    wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=["head"]))
    pairs = [(name, p) for name, p in wrapped.named_parameters() if p.requires_grad]
    with pytest.raises(CoverageError) as caught:
        build_param_groups(pairs, layers)
    assert set(caught.value.unmatched) == named("base_model.model.head", LORA, 4).keys()
    groups = build_param_groups(wrapped, layers)
    assert [g["layer"] for g in groups] == [4]


def vb_lora(places):
    config = peft.VBLoRAConfig(target_modules=places, r=2, num_vectors=4, vector_length=4)
    return peft.get_peft_model(Net(), config)


def test_a_bank_of_one_module_has_its_layer():
    layers = layers_of(assign_layers(vb_lora(["blocks.1"]), NET))
    new = ["vblora_logits_A.default", "vblora_logits_B.default", "vblora_vector_bank.default"]
    assert layers.items() >= named("base_model.model.blocks.1", new, 2).items()


def test_a_bank_shared_by_two_layers_is_refused_unless_the_rules_say_where_it_goes():
    model = vb_lora(["blocks.0", "blocks.1"])
    bank = "base_model.model.blocks.0.vblora_vector_bank.default"
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, NET)
    assert list(caught.value.overlapping) == [bank]
    for choice, layer in [("shallowest", 1), ("deepest", 2)]:
        rules = rule_set_from_mapping(NET.to_dict() | {"tied": choice})
        assert assign_layers(model, rules)[bank].layer == layer

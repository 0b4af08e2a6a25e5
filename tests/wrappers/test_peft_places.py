"""PEFT: copies of modules, adapters in adapters, and adapters in other places."""

import peft
import pytest
import torch
from torch import nn

from lrd_registry import assign_layers, build_param_groups
from tests.support.building import layers_of
from tests.support.releases import need_new_names
from tests.support.wrappers import tiny
from tests.support.wrappers.checking import LORA, Before, check, check_form, named
from tests.support.wrappers.tiny import NET, Net, timm_vit, torchvision_vit

pytestmark = [pytest.mark.engine, pytest.mark.library]


def transformers_vit():
    need_new_names()
    return tiny.transformers_vit()


LOHA = [f"hada_w{half}_{side}.second" for half in (1, 2) for side in "ab"]


@pytest.mark.parametrize(
    ("build", "head", "target"),
    [
        (timm_vit, "head", "blocks.0.attn.qkv"),
        (transformers_vit, "classifier", "vit.layers.0.attention.q_proj"),
    ],
)
def test_a_saved_copy_of_the_head_has_its_layer(build, head, target):
    model = build()
    before = Before(model, "vit")
    config = peft.LoraConfig(target_modules=target.replace(".", r"\."), modules_to_save=[head])
    wrapped = peft.get_peft_model(model, config)
    copies = named(f"base_model.model.{head}.modules_to_save.default", ["weight", "bias"], 4)
    new = copies | named(f"base_model.model.{target}", LORA, 1)
    check(wrapped, before, new)
    groups = build_param_groups(wrapped, "vit")
    assert {n: g["layer"] for g in groups for n in g["param_names"]} == new


def test_saved_copies_of_many_layers_each_have_their_own():
    model = timm_vit()
    before = Before(model, "vit")
    blocks = {name for name, _ in model.blocks.named_parameters()}
    config = peft.LoraConfig(target_modules=["head"], modules_to_save=["blocks", "patch_embed"])
    wrapped = peft.get_peft_model(model, config)
    new = named("base_model.model.head", LORA, 4)
    new |= named(
        "base_model.model.patch_embed.modules_to_save.default", ["proj.weight", "proj.bias"], 0
    )
    for name in blocks:
        new[f"base_model.model.blocks.modules_to_save.default.{name}"] = int(name[0]) + 1
    check(wrapped, before, new)


def test_two_adapters_on_overlapping_modules():
    model = timm_vit()
    before = Before(model, "vit")
    wrapped = peft.get_peft_model(
        model, peft.LoraConfig(target_modules=r"blocks\.0.*fc1", modules_to_save=["head"])
    )
    wrapped.add_adapter(
        "second", peft.LoraConfig(target_modules=r"blocks\.[01].*fc1", modules_to_save=["head"])
    )
    second = [name.replace("default", "second") for name in LORA]
    check(
        wrapped,
        before,
        named("base_model.model.blocks.0.mlp.fc1", LORA + second, 1)
        | named("base_model.model.blocks.1.mlp.fc1", second, 2)
        | named("base_model.model.head.modules_to_save.default", ["weight", "bias"], 4)
        | named("base_model.model.head.modules_to_save.second", ["weight", "bias"], 4),
    )


def test_adapters_of_two_methods_around_one_module():
    model = timm_vit()
    before = Before(model, "vit")
    wrapped = peft.get_peft_model(
        model, peft.LoraConfig(target_modules=r"blocks\.1.*fc1"), mixed=True
    )
    wrapped.add_adapter("second", peft.LoHaConfig(target_modules=["fc1"]))
    new = named("base_model.model.blocks.1.mlp.fc1.base_layer", LORA, 2)
    for block in range(3):
        new |= named(f"base_model.model.blocks.{block}.mlp.fc1", LOHA, block + 1)
    check(wrapped, before, new)


def test_a_model_that_was_wrapped_twice():
    model = timm_vit()
    before = Before(model, "vit")
    inner = peft.get_peft_model(model, peft.LoraConfig(target_modules=r"blocks\.0.*fc1"))
    wrapped = peft.get_peft_model(
        inner, peft.IA3Config(target_modules=["head"], feedforward_modules=[])
    )
    start = "base_model.model.base_model.model"
    new = named(f"{start}.blocks.0.mlp.fc1", LORA, 1) | {f"{start}.head.ia3_l.default": 4}
    check(wrapped, before, new)


def test_an_adapted_backbone_beside_a_head_of_its_owner():
    model = nn.ModuleDict({"backbone": timm_vit(), "top": nn.Linear(5, 2)})
    bare = layers_of(assign_layers(model, "vit", prefix="backbone", outside="head"))
    config = peft.LoraConfig(target_modules=r"blocks\.1.*fc1", modules_to_save=["head"])
    model["backbone"] = torch.compile(peft.get_peft_model(model["backbone"], config))
    start = "backbone._orig_mod.base_model.model"
    layers = layers_of(assign_layers(model, "vit", prefix="backbone", outside="head"))
    assert layers["top.weight"] == bare["top.weight"] == 4
    assert layers[f"{start}.blocks.1.mlp.fc1.lora_A.default.weight"] == 2
    assert layers[f"{start}.head.modules_to_save.default.weight"] == 4
    assert layers[f"{start}.blocks.2.norm1.weight"] == bare["backbone.blocks.2.norm1.weight"] == 3


def add_adapter(config, model):
    """transformers' own way, which some of its releases have for PEFTs of later than themselves."""
    try:
        model.add_adapter(config)
    except (ImportError, ValueError) as refusal:
        if "PEFT" not in str(refusal):
            raise
        pytest.skip(f"transformers refuses this PEFT: {refusal}")


def inject_adapter(config, model):
    peft.inject_adapter_in_model(config, model)


@pytest.mark.parametrize("add", [add_adapter, inject_adapter])
def test_adapters_injected_without_a_model_around_them(add):
    model = transformers_vit()
    before = Before(model, "vit")
    add(peft.LoraConfig(target_modules=r"vit\.layers\.1.*q_proj"), model)
    expected = before.expected(model, named("vit.layers.1.attention.q_proj", LORA, 2))
    check_form(model, before, expected)
    assert layers_of(assign_layers(model.named_parameters(), "vit")) == expected


def test_adapters_injected_into_a_module_of_ones_own():
    net = Net()
    before = Before(net, NET)
    peft.inject_adapter_in_model(peft.LoraConfig(target_modules=["blocks.1"], r=2), net)
    check(net, before, named("blocks.1", LORA, 2))


def test_attention_that_is_adapted_as_a_whole():
    """PEFT makes frozen copies of its weights, and adapts its output by a module within."""
    model = torchvision_vit()
    before = Before(model, "vit")
    wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=r".*_1\.self_attention"))
    start = "base_model.model.encoder.layers.encoder_layer_1.self_attention"
    weights = ["base_layer.in_proj_weight", "base_layer.out_proj.base_layer.weight"]
    output = [f"base_layer.out_proj.{name}" for name in LORA]
    check(wrapped, before, named(start, LORA + weights + output, 2))

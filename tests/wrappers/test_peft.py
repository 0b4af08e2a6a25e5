"""PEFT: an adapter has the layer of the module that it adapts, by every method."""

import peft
import pytest

from lrd_registry import CoverageError, assign_layers, build_param_groups
from tests.support.releases import need_new_names
from tests.support.wrappers import tiny
from tests.support.wrappers.checking import LORA, Before, check, decays
from tests.support.wrappers.tiny import NET, Net, timm_vit

pytestmark = [pytest.mark.engine, pytest.mark.library]


def transformers_vit():
    need_new_names()
    return tiny.transformers_vit()


PLACES = {  # modules to adapt: a convolution, two blocks' linear ones, and the head
    timm_vit: ["patch_embed.proj", "blocks.0.mlp.fc1", "blocks.2.mlp.fc1", "head"],
    transformers_vit: [
        "vit.embeddings.patch_embeddings.projection",
        "vit.layers.0.mlp.fc1",
        "vit.layers.2.mlp.fc1",
        "classifier",
    ],
}
LAYERS = [0, 1, 3, 4]
LOKR = [f"lokr_w{half}_{side}.default" for half in (1, 2) for side in "ab"]
LOHA = [f"hada_w{half}_{side}.default" for half in (1, 2) for side in "ab"]
METHODS = {  # a configuration, and what it adds to each module
    "lora": (peft.LoraConfig, {}, LORA),
    "dora": (
        peft.LoraConfig,
        {"use_dora": True},
        [*LORA, "lora_magnitude_vector.default.weight"],
    ),
    "ia3": (peft.IA3Config, {"feedforward_modules": ["fc1"]}, ["ia3_l.default"]),
    "loha": (peft.LoHaConfig, {"r": 2}, LOHA),
    "lokr": (peft.LoKrConfig, {"r": 1, "decompose_both": True}, LOKR),
    "oft": (peft.OFTConfig, {"r": 0, "oft_block_size": 16}, ["oft_R.default.weight"]),
}
LINEAR = {  # those that adapt no convolution
    "adalora": (
        peft.AdaLoraConfig,
        {"total_step": 10},
        ["lora_A.default", "lora_B.default", "lora_E.default", "ranknum.default"],
    ),
    "vera": (peft.VeraConfig, {"r": 2}, ["vera_lambda_b.default", "vera_lambda_d.default"]),
    "randlora": (
        peft.RandLoraConfig,
        {"r": 2},
        ["randlora_lambda.default", "randlora_gamma.default"],
    ),
    "fourierft": (peft.FourierFTConfig, {"n_frequency": 4}, ["fourierft_spectrum.default"]),
    "lora with a bias": (
        peft.LoraConfig,
        {"lora_bias": True},
        [*LORA, "lora_B.default.bias"],
    ),
}
models = pytest.mark.parametrize("build", [timm_vit, transformers_vit])


def added(places, layers, names):
    return {
        f"base_model.model.{place}.{name}": layer
        for place, layer in zip(places, layers, strict=True)
        for name in names
    }


def trainable(model):
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def exactly(places):
    return "|".join(place.replace(".", r"\.") for place in places)


@models
@pytest.mark.parametrize("method", METHODS)
def test_an_adapter_has_the_layer_of_what_it_adapts(build, method):
    make, options, names = METHODS[method]
    model, places = build(), PLACES[build]
    before = Before(model, "vit")
    wrapped = peft.get_peft_model(model, make(target_modules=exactly(places), **options))
    check(wrapped, before, added(places, LAYERS, names))


@models
@pytest.mark.parametrize("method", LINEAR)
def test_an_adapter_of_linear_modules_has_the_layer_of_what_it_adapts(build, method):
    make, options, names = LINEAR[method]
    model, places = build(), PLACES[build][1:3]
    before = Before(model, "vit")
    wrapped = peft.get_peft_model(model, make(target_modules=exactly(places), **options))
    check(wrapped, before, added(places, LAYERS[1:3], names))


@pytest.mark.parametrize(
    ("build", "places"),
    [
        (timm_vit, ["blocks.0.norm1", "blocks.2.norm2", "norm"]),
        (
            transformers_vit,
            ["vit.layers.0.layernorm_before", "vit.layers.2.layernorm_after", "vit.layernorm"],
        ),
    ],
)
def test_a_tuned_norm_keeps_its_layer(build, places):
    model = build()
    before = Before(model, "vit")
    config = peft.LNTuningConfig(target_modules=exactly(places))
    names = ["ln_tuning_layers.default.weight", "ln_tuning_layers.default.bias"]
    check(peft.get_peft_model(model, config), before, added(places, [1, 3, 4], names))


@models
def test_where_only_adapters_train_the_groups_have_only_them(build):
    places = PLACES[build]
    wrapped = peft.get_peft_model(build(), peft.LoraConfig(target_modules=exactly(places)))
    groups = build_param_groups(wrapped, "vit", layer_decay=0.5, weight_decay=0.1)
    new = added(places, LAYERS, LORA)
    assert {n: g["layer"] for g in groups for n in g["param_names"]} == new
    assert {g["lr_scale"]: g["layer"] for g in groups} == {0.0625: 0, 0.125: 1, 0.5: 3, 1.0: 4}
    assert set(decays(groups).values()) == {0.1}
    for group in groups:
        for name, parameter in zip(group["param_names"], group["params"], strict=True):
            assert parameter is wrapped.get_parameter(name)


@models
def test_biases_that_train_beside_lora_keep_their_layers(build):
    places = PLACES[build][:3]
    wrapped = peft.get_peft_model(
        build(), peft.LoraConfig(target_modules=exactly(places), bias="all")
    )
    layers = assign_layers(build(), "vit")
    biases = {name: row.layer for name, row in layers.items() if name.endswith(".bias")}
    groups = build_param_groups(wrapped, "vit", weight_decay=0.1)
    found = {n: g["layer"] for g in groups for n in g["param_names"]}
    expected = {
        f"base_model.model.{name[:-5]}{'.base_layer' * (name[:-5] in places)}.bias": layer
        for name, layer in biases.items()
    }
    assert found == expected | added(places, LAYERS[:3], LORA)
    assert {name for name, decay in decays(groups).items() if decay == 0} == set(expected)


@models
def test_an_error_has_the_names_of_the_model_as_it_is(build):
    model = build()
    model.extra = timm_vit().head
    wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=["fc1", "extra"]))
    with pytest.raises(CoverageError) as caught:
        build_param_groups(wrapped, "vit")
    assert set(caught.value.unmatched) == {
        f"base_model.model.extra.{name}" for name in ["base_layer.weight", "base_layer.bias", *LORA]
    }


def test_what_the_model_exempts_from_weight_decay_stays_exempt():
    wrapped = peft.get_peft_model(timm_vit(), peft.LoraConfig(target_modules=["qkv"]))
    wrapped.requires_grad_(True)
    found = decays(build_param_groups(wrapped, "vit", weight_decay=0.1))
    assert found["base_model.model.pos_embed"] == found["base_model.model.cls_token"] == 0
    assert found["base_model.model.blocks.0.attn.qkv.base_layer.weight"] == 0.1
    assert found["base_model.model.blocks.0.attn.qkv.base_layer.bias"] == 0
    own = peft.get_peft_model(Net(), peft.LoraConfig(target_modules=["head"])).requires_grad_(True)
    found = decays(build_param_groups(own, NET, weight_decay=0.1))
    assert found["base_model.model.table"] == 0
    assert found["base_model.model.embed.weight"] == 0.1

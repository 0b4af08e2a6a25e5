"""MAE in pretraining: the encoder has the layers that it has alone, the decoder the full rate."""

import json

import pytest
import transformers as hf
from timm.models.vision_transformer import VisionTransformer

from lrd_registry import CoverageError, assign_layers, build_param_groups, get_rule_set
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with, on_meta
from tests.support.masked_autoencoder import (
    DECODER_DEPTH,
    DECODER_WIDTH,
    DEPTH,
    HEADS,
    WIDTH,
    MaskedAutoencoder,
)
from tests.support.places import DATA

RECORDED = json.loads((DATA / "transformers_4_names.json").read_text())

pytestmark = pytest.mark.library


def facebook():
    """The model, its encoder as a model of its own, and what that one's names begin with here."""
    size = {"embed_dim": WIDTH, "depth": DEPTH, "num_heads": HEADS}
    return MaskedAutoencoder(), VisionTransformer(img_size=32, num_classes=0, **size), ""


def huggingface():
    model = hf.ViTMAEForPreTraining(
        hf.ViTMAEConfig(
            hidden_size=WIDTH,
            num_hidden_layers=DEPTH,
            num_attention_heads=HEADS,
            decoder_hidden_size=DECODER_WIDTH,
            decoder_num_hidden_layers=DECODER_DEPTH,
            decoder_num_attention_heads=HEADS,
        )
    )
    return model, model.vit, "vit."


def huggingface_before_5():
    """The names of the library's fourth version, whose encoder is recorded."""
    encoder = RECORDED["models"]["ViTMAEModel"]
    block = "decoder.decoder_layers.0.attention.attention.query.weight"
    decoder = ["decoder.decoder_embed.weight", "decoder.mask_token", block]
    return model_with([*(f"vit.{name}" for name in encoder), *decoder]), model_with(encoder), "vit."


MODELS = {
    "facebook": facebook,
    "huggingface": huggingface,
    "huggingface, before 5": huggingface_before_5,
}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    return request.param, *on_meta(MODELS[request.param])


def layers_alone(encoder, start):
    return {start + name: layer for name, layer in layers_of(assign_layers(encoder)).items()}


def test_the_layout_is_found(case):
    name, model, _, _ = case
    found = assign_layers(model)
    assert (found.arch, found.layout) == ("mae", name.split(",")[0])


def test_the_encoder_has_the_layers_that_it_has_alone(case):
    _, model, encoder, start = case
    found = assign_layers(model)
    assert found.depths == {"encoder": assign_layers(encoder).num_layers, "decoder": 1}
    rows = [row for row in found.values() if row.part == "encoder"]
    assert {row.name: row.layer for row in rows} == layers_alone(encoder, start)


def test_all_else_is_the_decoder_at_the_full_rate(case):
    _, model, encoder, start = case
    groups = build_param_groups(model, lr=1.0, layer_decay={"encoder": 0.5})
    rates = {name: group["lr"] for group in groups for name in group["param_names"]}
    encoders, depth = layers_alone(encoder, start), assign_layers(encoder).num_layers
    assert rates == {
        name: 0.5 ** (depth - 1 - encoders[name]) if name in encoders else 1.0
        for name, parameter in model.named_parameters()
        if parameter.requires_grad  # their positions are fixed
    }


EXEMPT = {
    "facebook": ["cls_token", "pos_embed", "decoder_pos_embed"],
    "huggingface": [
        "vit.embeddings.cls_token",
        "vit.embeddings.position_embeddings",
        "decoder.decoder_pos_embed",
    ],
}


@pytest.mark.parametrize("layout", EXEMPT)
def test_positions_and_the_class_token_have_no_weight_decay(layout):
    """Were the positions trained; the models fix them."""
    model = on_meta(MODELS[layout])[0].requires_grad_(True)
    groups = build_param_groups(model, weight_decay=0.05)
    decay = {name: group["weight_decay"] for group in groups for name in group["param_names"]}
    shaped = [name for name, parameter in model.named_parameters() if parameter.ndim > 1]
    assert [name for name in shaped if not decay[name]] == EXEMPT[layout]


def test_the_mask_token_is_the_decoders():
    """Where the encoder sees what is masked, as in SimMIM, it is in the stem."""
    assert assign_layers(on_meta(MaskedAutoencoder))["mask_token"].entry == "decoder"


def test_an_encoder_alone_is_no_masked_autoencoder(case):
    assert assign_layers(case[2]).arch == "vit"


@pytest.mark.parametrize("layout", ["facebook", "huggingface"])
def test_without_the_decoders_patterns_its_parameters_are_named(layout):
    model, encoder, start = on_meta(MODELS[layout])
    data = get_rule_set("mae").to_dict()
    data["layouts"][layout]["outside"] = {"decoder": "nothing-has-this-name"}
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rule_set_from_mapping(data))
    names = {name for name, _ in model.named_parameters()}
    assert set(caught.value.unmatched) == names - layers_alone(encoder, start).keys()

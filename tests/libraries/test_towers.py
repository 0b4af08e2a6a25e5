"""CLIP and SigLIP: each tower has the layers that it has alone, and a decay of its own."""

import json
import re

import pytest
from open_clip.model import CustomTextCLIP

from lrd_registry import (
    CoverageError,
    NoFittingArchitectureError,
    assign_layers,
    build_param_groups,
    get_rule_set,
)
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import on_meta
from tests.support.libraries import open_clip_models
from tests.support.libraries.two_towers import MAKE, VISION, WIDTH, two_towers
from tests.support.name_maps import read_map

pytestmark = [pytest.mark.engine, pytest.mark.library]

DECAYS = {"visual": 0.7, "text": 0.8}
SAME = [
    ("open_clip", "open_clip", "transformers, CLIP", "clip"),
    ("text apart, SigLIP", "timm", "transformers, SigLIP", "siglip"),
    ("text apart, SigLIP", "timm", "transformers, SigLIP 2", "siglip"),
]
"""A network in open_clip, the library of its visual tower, the network in transformers, its map."""

on_every_model = pytest.mark.parametrize("name", MAKE)


def layers_alone(name):
    """Each parameter's part, layer and entry, where the towers are models of their own."""
    found = {name: (entry, 0, entry) for name, entry in two_towers(name).beside.items()}
    for part, (tower, start) in two_towers(name).alone.items():
        for row in assign_layers(tower).values():
            found[start + row.name] = part, row.layer, f"{part}.{row.entry}"
    return found


def depths_alone(name):
    alone = two_towers(name).alone.items()
    return {part: assign_layers(tower).num_layers for part, (tower, _) in alone}


def scales_alone(name, decays):
    """What each tower decays to by its own depth; what is beside them does not."""
    depths = depths_alone(name)
    return {
        parameter: decays[part] ** (depths[part] - 1 - layer) if part in depths else 1.0
        for parameter, (part, layer, _) in layers_alone(name).items()
    }


def learning_rates(model, layer_decay):
    groups = build_param_groups(model, lr=1.0, layer_decay=layer_decay)
    return {name: group["lr"] for group in groups for name in group["param_names"]}


@on_every_model
def test_each_tower_has_the_layers_and_the_depth_that_it_has_alone(name):
    whole = assign_layers(two_towers(name).model)
    found = {row.name: (row.part, row.layer, row.entry) for row in whole.values()}
    assert found == layers_alone(name)
    assert {part: depth for part, depth in whole.depths.items() if depth > 1} == depths_alone(name)


@on_every_model
def test_each_tower_decays_by_its_own_rate_and_depth(name):
    model, expected = two_towers(name).model, scales_alone(name, DECAYS)
    assert learning_rates(model, DECAYS) == expected
    whole = assign_layers(model)
    assert {parameter: whole.scale(parameter, DECAYS) for parameter in whole} == expected


@on_every_model
def test_one_rate_serves_both_towers(name):
    rates = learning_rates(two_towers(name).model, 0.75)
    assert rates == scales_alone(name, dict.fromkeys(DECAYS, 0.75))


@on_every_model
def test_each_tower_has_the_weight_decay_that_it_has_alone(name):
    """Also where the model cannot tell by its own no_weight_decay()."""
    model, towers, beside = two_towers(name)
    alone = {start + found for tower, start in towers.values() for found in decayed(tower)}
    for given in (model, list(model.named_parameters())):
        assert decayed(given) == alone | (beside.keys() & {"visual.head.proj.weight"})


def decayed(model):
    groups = build_param_groups(model, weight_decay=0.05)
    return {name for group in groups if group["weight_decay"] for name in group["param_names"]}


def test_a_shallow_tower_does_not_share_the_axis_of_a_deep_one():
    """The last block is one layer below the head in both, whatever its number."""
    rates = learning_rates(two_towers("open_clip").model, 0.5)
    assert rates["visual.transformer.resblocks.2.ln_1.weight"] == 0.5
    assert rates["transformer.resblocks.4.ln_1.weight"] == 0.5
    assert rates["visual.conv1.weight"] == 0.5**4
    assert rates["token_embedding.weight"] == 0.5**6


@pytest.mark.parametrize(("ours", "library", "theirs", "names"), SAME)
def test_the_same_network_has_the_same_layers_in_both_libraries(ours, library, theirs, names):
    maps = {"visual": (names, library), "text": (f"{names}_text", "open_clip")}
    for part, (names_of_part, library_of_part) in maps.items():
        places = places_by_map(ours, part, names_of_part, library_of_part)
        assert places == places_by_map(theirs, part, names_of_part, "huggingface")
        layers = {layer for _, layer, _ in places.values()}
        assert layers == set(range(depths_alone(ours)[part]))


def places_by_map(name, part, names, library):
    """Where each tensor of a tower is, by what the map of its names calls it."""
    whole, start = assign_layers(two_towers(name).model), two_towers(name).alone[part][1]
    rows = {
        tensor.title: whole.get(start + found)
        for tensor in read_map(names).tensors((depths_alone(name)[part] - 2,))
        for found in tensor.names.get(library, ())
    }
    return {title: (row.part, row.layer, row.entry) for title, row in rows.items() if row}


def eva_clip(name, depth):
    """EVA-CLIP's get_num_layer_for_transformer, restated for the names that its towers have."""
    stem = ("patch_embed", "pos_embed", "cls_token", "positional_embedding", "token_embedding")
    if any(part in name for part in stem):
        return 0
    block = re.search(r"blocks\.([0-9]+)\.", name)
    return int(block[1]) + 1 if block else depth - 1


def test_eva_clips_towers_train_at_the_rates_of_its_authors():
    model = on_meta(open_clip_models.model, open_clip_models.CONFIGS["EVA02-B-16"])
    expected = {"logit_scale": 1.0}
    for part, decay in DECAYS.items():
        for name, _ in getattr(model, part).named_parameters():
            expected[f"{part}.{name}"] = decay ** (13 - eva_clip(name, 14))
    assert learning_rates(model, DECAYS) == expected


def refusal(model, rules="clip"):
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rules)
    return caught.value


def without(model, where, entry):
    """The rule set without one of the parts, or one of the entries outside, of the layout here."""
    data = get_rule_set("clip").to_dict()
    del data["layouts"][assign_layers(model).layout][where][entry]
    return rule_set_from_mapping(data)


@on_every_model
@pytest.mark.parametrize("part", DECAYS)
def test_without_a_part_the_parameters_of_its_tower_are_named(name, part):
    model = two_towers(name).model
    tower = {found for found, (its_part, _, _) in layers_alone(name).items() if its_part == part}
    assert set(refusal(model, without(model, "parts", part)).unmatched) == tower


@on_every_model
def test_without_an_entry_what_is_beside_the_towers_is_named(name):
    model, _, beside = two_towers(name)
    for entry in set(beside.values()):
        unmatched = refusal(model, without(model, "outside", entry)).unmatched
        assert set(unmatched) == {found for found in beside if beside[found] == entry}


def named(model):
    """What the rule set names where it does not fit; no other one fits either."""
    with pytest.raises(NoFittingArchitectureError):
        assign_layers(model)
    return set(refusal(model).unmatched)


def under(model, prefix):
    return {name for name, _ in model.named_parameters() if name.startswith(f"{prefix}.")}


@pytest.mark.usefixtures("six_rule_sets")
def test_cocas_towers_are_below_the_decoder_that_they_go_into():
    if "coca_ViT-B-32" not in open_clip_models.CONFIGS:
        pytest.skip("this open_clip has no CoCa")
    coca = open_clip_models.CONFIGS["coca_ViT-B-32"]
    assignment = assign_layers(on_meta(open_clip_models.model, coca))
    assert dict(assignment.depths) == {"visual": 14, "text": 14, "decoder": 13, "logit_scale": 1}
    last = ("visual.ln_post.weight", "text.ln_final.weight")
    assert {assignment.scale(name, 0.5) for name in last} == {0.5**13}
    assert assignment.scale("text_decoder.resblocks.0.ln_1.weight", 0.5) == 0.5**12
    assert assignment.scale("text_decoder.ln_final.weight", 0.5) == 1.0


def test_a_text_tower_of_transformers_in_open_clip_is_named(tmp_path):
    size = {"hidden_size": WIDTH, "num_attention_heads": 2, "num_hidden_layers": 1}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta", **size}))
    text = {"hf_model_name": str(tmp_path), "hf_model_pretrained": False}
    model = on_meta(CustomTextCLIP, WIDTH, VISION, text)
    assert named(model) == under(model, "text")

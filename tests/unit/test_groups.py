"""Assignments become groups: every trainable parameter once, at its scale, under its decay."""

import warnings
from dataclasses import FrozenInstanceError, replace
from linecache import getline

import pytest
from torch.nn.parameter import UninitializedParameter

from lrd_registry import InvalidArgumentError, ModelError, assign_layers, build_param_groups
from lrd_registry.assign.select_rules import select
from lrd_registry.groups.build_param_groups import Rates, group_parameters
from lrd_registry.groups.conventions import CONVENTIONS
from lrd_registry.groups.scales import Scales
from lrd_registry.groups.weight_decay import WeightDecayRule
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.default import default_catalog
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import model_with, parameter

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping(
    {
        "arch": "mine",
        "no_weight_decay": "**.table",
        "layers": [{"stem": "embed.**"}, {"block": "blocks.{i}.**"}, {"head": "head.**"}],
    }
)


def model():
    return model_with(
        {
            "embed.w": parameter(2, 2),
            "blocks.0.w": parameter(2, 2),
            "blocks.0.norm": parameter(2),
            "blocks.0.table": parameter(2, 2),
            "blocks.0.temperature": parameter(),
            "head.w": parameter(2, 2),
            "head.bias": parameter(1, 2),
        }
    )


def groups(target=None, **options):
    return build_param_groups(target or model(), RULES, **options)


def names(built, key="name"):
    return {group[key]: group["param_names"] for group in built}


def test_groups_are_sorted_by_layer_decayed_before_not_decayed_and_none_is_empty():
    assert names(groups()) == {
        "layer_00_decay": ["embed.w"],
        "layer_01_decay": ["blocks.0.w"],
        "layer_01_no_decay": ["blocks.0.norm", "blocks.0.table", "blocks.0.temperature"],
        "layer_02_decay": ["head.w"],
        "layer_02_no_decay": ["head.bias"],
    }


def test_a_group_is_exactly_this():
    target = model()
    (first, *_) = groups(target, layer_decay=0.5, weight_decay=0.1)
    assert first == {
        "params": [target.embed.w],
        "param_names": ["embed.w"],
        "weight_decay": 0.1,
        "layer": 0,
        "name": "layer_00_decay",
        "assignment": assign_layers(target, RULES).fingerprint(),
        "lr_scale": 0.25,
    }


def test_no_weight_decay_is_zero_weight_decay():
    assert [group["weight_decay"] for group in groups()] == [0.05, 0.05, 0.0, 0.05, 0.0]


def test_more_patterns_without_weight_decay():
    built = groups(no_weight_decay=["head.*", "blocks.{i}.w"])
    assert names(built)["layer_01_no_decay"][0] == "blocks.0.w"
    assert names(built)["layer_02_no_decay"] == ["head.w", "head.bias"]
    assert names(groups(no_weight_decay="embed.w"))["layer_00_no_decay"] == ["embed.w"]


def test_the_models_own_exemptions_count():
    target = model()
    target.no_weight_decay = lambda: {"embed.w", "blocks*.w"}
    target.no_weight_decay_keywords = lambda: {"ead.w"}
    assert set(names(groups(target))) == {f"layer_0{layer}_no_decay" for layer in range(3)}
    assert names(groups(target))["layer_02_no_decay"] == ["head.w", "head.bias"]


def test_frozen_parameters_stay_out_and_move_nothing():
    target = model()
    target.blocks.requires_grad_(False)
    built = groups(target, layer_decay=0.5)
    assert [(group["layer"], group["lr_scale"]) for group in built] == [(0, 0.25), (2, 1), (2, 1)]


def test_lr_mult_multiplies_and_min_scale_bounds():
    built = groups(layer_decay=0.5, lr_mult={"stem": 0.2, "head": 10.0}, min_scale=0.1)
    assert [group["lr_scale"] for group in built] == [0.1, 0.5, 0.5, 10.0, 10.0]


def test_decay_one_gives_all_ones():
    assert {group["lr_scale"] for group in groups(layer_decay=1)} == {1.0}


def test_decay_above_one_works_and_warns_once():
    with pytest.warns(UserWarning, match=r"^layer_decay=2 is above 1: early layers") as caught:
        built = groups(layer_decay=2)
    assert len(caught) == 1
    assert "build_param_groups(" in getline(caught[0].filename, caught[0].lineno)
    assert built[0]["lr_scale"] == 4


def test_decay_below_one_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        groups(layer_decay=0.9)


@pytest.mark.parametrize("value", [0, -0.5, float("nan"), float("inf")])
def test_layer_decay_is_finite_and_positive(value):
    with pytest.raises(InvalidArgumentError, match=r"^layer_decay must be finite and above 0"):
        groups(layer_decay=value)


@pytest.mark.parametrize("argument", ["weight_decay", "lr"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_other_numbers_are_finite_and_not_negative(argument, value):
    with pytest.raises(ValueError, match=f"^{argument} must be finite and not below 0; found"):
        groups(**{argument: value})


def test_a_multiplier_of_zero_points_to_freezing():
    with pytest.raises(InvalidArgumentError, match=r"^lr_mult\['stem'\] .* found 0\. .* freeze"):
        groups(lr_mult={"stem": 0})


def test_a_multiplier_of_no_entry_names_the_nearest():
    with pytest.raises(InvalidArgumentError) as caught:
        groups(lr_mult={"steem": 2})
    assert str(caught.value) == (
        "lr_mult: 'mine' (layout 'default') has no entry 'steem'; did you mean 'stem'?; its "
        "entries: stem, block, head"
    )


def test_a_pattern_that_does_not_parse_names_the_argument():
    with pytest.raises(InvalidArgumentError, match=r"^no_weight_decay: pattern 'a\.\.b'"):
        groups(no_weight_decay=["a..b"])


def test_what_is_no_arch_is_an_error():
    with pytest.raises(InvalidArgumentError, match=r"^arch must be .*; found int$"):
        build_param_groups(model(), 3)


def test_nothing_to_train_is_an_error():
    with pytest.raises(ModelError) as caught:
        groups(model().requires_grad_(False))
    assert str(caught.value) == (
        "none of the model's 7 parameters requires a gradient, so there is nothing to train; "
        "unfreeze some with requires_grad_(True)"
    )


def test_a_parameter_of_unknown_shape_is_an_error():
    """torch says that it has one dimension, so that it would silently get no weight decay."""
    lazy = model()
    lazy.head.register_parameter("w", UninitializedParameter())
    lazy.head.register_parameter("v", UninitializedParameter())
    with pytest.raises(ModelError) as caught:
        groups(lazy)
    assert str(caught.value) == (
        "the shape of 'head.w' (and 1 more) is not known yet, and weight decay depends on it; "
        "run the model once on an input, or build it with its sizes"
    )


def test_a_model_without_parameters_is_an_error():
    with pytest.raises(ModelError, match=r"^the model has no parameters"):
        build_param_groups([], RULES)


@pytest.mark.parametrize("target", [3, "model", [1], [("a", 2)], [("a",)]])
def test_what_is_no_model_is_an_error(target):
    with pytest.raises(InvalidArgumentError, match=r"^expected .*name, parameter"):
        build_param_groups(target, RULES)


def test_one_name_for_two_parameters_is_an_error():
    with pytest.raises(InvalidArgumentError, match=r"^two parameters are called 'a'"):
        build_param_groups([("a", parameter(1)), ("a", parameter(1))], RULES)


def test_a_tied_parameter_is_in_one_group_once():
    shared = parameter(2, 2)
    target = model_with(
        {
            "embed.w": parameter(2, 2),
            "blocks.0.a": shared,
            "blocks.0.b": shared,
            "head.w": parameter(2),
        }
    )
    assert sum(p is shared for group in groups(target) for p in group["params"]) == 1


def test_an_assignment_serves_in_place_of_a_rule_set():
    target = model()
    whole = assign_layers(target, RULES)
    part = build_param_groups(target.blocks.named_parameters(prefix="blocks"), whole)
    assert [group["name"] for group in part] == ["layer_01_decay", "layer_01_no_decay"]
    assert part[0]["lr_scale"] == 0.75
    assert part[0]["assignment"] == whole.fingerprint()


def test_a_flat_shard_decays_as_what_it_was():
    names = ("embed.w", "blocks.0.w", "head.w")
    parameters = collect_parameters(model_with({name: parameter(4) for name in names}))
    parameters = replace(parameters, dimensions={"head.w": 2})
    groups = group_parameters(
        parameters,
        select(parameters, RULES, default_catalog()),
        Scales(0.5),
        Rates(CONVENTIONS["timm"], 0.05),
        WeightDecayRule(),
    )
    assert {group["name"]: group["param_names"] for group in groups} == {
        "layer_00_no_decay": ["embed.w"],
        "layer_01_no_decay": ["blocks.0.w"],
        "layer_02_decay": ["head.w"],
    }


def test_a_parameter_outside_the_assignment_is_an_error():
    whole = assign_layers(model(), RULES)
    with pytest.raises(Exception, match=r"^1 parameter is not in this assignment") as caught:
        build_param_groups([("blocks.1.w", parameter(1))], whole)
    assert caught.value.unmatched == ("blocks.1.w",)


def test_the_rates_of_groups_stay_as_they_were_checked():
    with pytest.raises(FrozenInstanceError):
        Rates(CONVENTIONS["torch"], 0.05).weight_decay = -1.0


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("blocks.0.weigth", "; did you mean 'blocks.0.weight'?"),
        ("weight", "; '**.weight' does, as 'blocks.0.weight'"),
        ("zzz.{i}", ""),
    ],
)
def test_a_pattern_of_weight_decay_that_matches_nothing_is_an_error(pattern, hint):
    model = model_with(["blocks.0.weight", "blocks.1.weight"])
    with pytest.raises(InvalidArgumentError) as caught:
        build_param_groups(model, {"arch": "x", "layers": [{"all": "**"}]}, no_weight_decay=pattern)
    assert str(caught.value) == (
        f"no_weight_decay: no parameter of the model matches {pattern!r}{hint}"
    )


def test_a_pattern_of_weight_decay_may_be_for_another_part_of_the_model():
    whole, part = model_with(["a.w", "b.w"]), model_with(["a.w"])
    layers = assign_layers(whole, {"arch": "x", "layers": [{"all": "**"}]})
    [group] = build_param_groups(part, layers, no_weight_decay=["b.w"])
    assert group["param_names"] == ["a.w"]
    with pytest.raises(InvalidArgumentError, match=r"matches 'c\.w'"):
        build_param_groups(part, layers, no_weight_decay=["c.w"])

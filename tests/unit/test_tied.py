"""Tensors with several names: all of them are looked at, and they are in one group once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrd_registry import CoverageError, assign_layers, build_param_groups
from lrd_registry.assignment import Placement
from lrd_registry.engine.place import settle
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import model_with, parameter
from tests.support.model_strategies import cases

pytestmark = pytest.mark.engine

LAYERS = [{"stem": ["embed.*", "mask.*"]}, {"block": "blocks.{i}.*"}, {"head": "head.*"}]
SHARED = parameter(2, 2)
TORN = model_with(
    {
        "blocks.0.w": SHARED,
        "embed.w": SHARED,
        "mask.w": parameter(2, 2),
        "head.w": SHARED,
    }
)


def rules(**more):
    return rule_set_from_mapping({"arch": "mine", "layers": LAYERS, **more})


def test_names_in_one_layer_are_fine():
    model = model_with({"embed.w": SHARED, "mask.w": SHARED, "blocks.0.w": parameter(2, 2)})
    model.add_module("head", model_with(["w"]))
    assignment = assign_layers(model, rules())
    assert {name: row.layer for name, row in assignment.items()} == {
        "embed.w": 0,
        "blocks.0.w": 1,
        "head.w": 2,
    }
    assert assignment.aliases == {"embed.w": ("mask.w",)}


def test_names_in_several_layers_are_all_named():
    with pytest.raises(CoverageError) as caught:
        assign_layers(TORN, rules())
    claims = ("tied as blocks.0.w: layer 1", "tied as embed.w: layer 0", "tied as head.w: layer 2")
    assert caught.value.overlapping == {"blocks.0.w": claims}
    assert f"blocks.0.w  ({'; '.join(claims)})" in str(caught.value)


@pytest.mark.parametrize(
    ("tied", "layer", "entry"), [("shallowest", 0, "stem"), ("deepest", 2, "head")]
)
def test_the_rule_file_says_which_layer_counts(tied, layer, entry):
    assignment = assign_layers(TORN, rules(tied=tied))
    assert assignment["blocks.0.w"][1:3] == (layer, entry)
    assert list(assignment) == ["blocks.0.w", "mask.w"]


def test_one_tensor_is_in_one_group_once():
    groups = build_param_groups(TORN, rules(tied="deepest"))
    assert [(g["layer"], g["param_names"]) for g in groups] == [
        (0, ["mask.w"]),
        (2, ["blocks.0.w"]),
    ]


def test_a_part_of_the_model_finds_a_tensor_by_any_of_its_names():
    whole = assign_layers(TORN, rules(tied="deepest"))
    part = assign_layers(model_with({"head.w": SHARED}), whole)
    assert part["head.w"].layer == 2


def test_parts_of_a_model_have_no_common_order():
    composed = rule_set_from_mapping(
        {
            "arch": "pair",
            "tied": "deepest",
            "parts": {
                "a": {"layers": [{"all": "a.*"}]},
                "b": {"layers": [{"all": "b.*"}]},
            },
        }
    )
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with({"a.w": SHARED, "b.w": SHARED}), composed)
    assert caught.value.overlapping == {
        "a.w": ("tied as a.w: layer 0 of a", "tied as b.w: layer 0 of b")
    }


@given(cases(), st.data())
def test_any_two_names_may_be_tied_where_the_rule_file_says_which_counts(case, data):
    tied = data.draw(st.sampled_from(["shallowest", "deepest"]))
    one, other = data.draw(st.lists(st.sampled_from(list(case.layers)), min_size=2, max_size=2))
    tensors = {name: parameter(2, 2) for name in case.layers}
    tensors[other] = tensors[one]
    choose = min if tied == "shallowest" else max
    assignment = assign_layers(
        model_with(tensors), rule_set_from_mapping({**case.rules.to_dict(), "tied": tied})
    )
    (first,) = {one, other} & set(assignment)
    assert assignment[first].layer == choose(case.layers[one], case.layers[other])


def test_of_several_names_in_one_layer_the_first_tells_where_it_is():
    placed = {"a": Placement(1, "block", "a"), "b": Placement(1, "norm", "b")}
    assert settle(placed, ["a", "b"], None, {"": 2}, {}) == placed["a"]
    assert settle(placed, ["b", "a"], None, {"": 2}, {}) == placed["b"]


@pytest.mark.parametrize(("tied", "part"), [("shallowest", "encoder"), ("deepest", "decoder")])
def test_a_tensor_of_two_parts_is_in_the_one_that_is_before_the_other_or_in_that_one(tied, part):
    shared = parameter(2, 2)
    rules = {
        "arch": "two",
        "tied": tied,
        "parts": {
            "encoder": {"before": "decoder", "layers": [{"stem": "e.in"}, {"head": "e.out"}]},
            "decoder": {"layers": [{"stem": "d.in"}, {"head": "d.out"}]},
        },
    }
    names = {"e.in": shared, "e.out": parameter(2), "d.in": shared, "d.out": parameter(2)}
    assert assign_layers(model_with(names), rules)["e.in"].level == (part, 0)


@pytest.mark.parametrize(("tied", "level"), [("shallowest", ("text", 0)), ("deepest", ("head", 0))])
def test_a_head_beside_the_parts_is_above_the_part_that_it_is_tied_with(tied, level):
    shared = parameter(2, 2)
    rules = {
        "arch": "two",
        "tied": tied,
        "parts": {
            "image": {"layers": [{"stem": "i.in"}, {"block": "i.out"}]},
            "text": {"layers": [{"stem": "t.in"}, {"block": "t.out"}]},
        },
        "outside": {"head": "x.head"},
    }
    names = {"i.in": parameter(2), "i.out": parameter(2), "t.in": shared, "t.out": parameter(2)}
    assert assign_layers(model_with(names | {"x.head": shared}), rules)["t.in"].level == level


def test_a_tensor_of_two_parts_without_an_order_is_torn():
    shared = parameter(2, 2)
    parts = {"a": {"layers": [{"all": "a.**"}]}, "b": {"layers": [{"all": "b.**"}]}}
    with pytest.raises(
        CoverageError, match=r"tied as a\.w: layer 0 of a; tied as b\.w: layer 0 of b"
    ):
        assign_layers(
            model_with({"a.w": shared, "b.w": shared}),
            {"arch": "two", "tied": "deepest", "parts": parts},
        )

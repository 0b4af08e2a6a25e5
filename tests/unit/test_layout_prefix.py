"""A layout's `prefix`: its names at a model's top, or all of them under one of some prefixes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrd_registry import CoverageError, assign_layers
from lrd_registry.engine.compile_layout import compile_layout
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with
from tests.support.model_strategies import cases

pytestmark = pytest.mark.engine

LAYOUT = {
    "prefix": ["net", "model.net"],
    "signature": "blocks.0.w",
    "layers": [
        {"stem": "embed.**"},
        {"block": {"match": "blocks.{i}.**", "last": "down.{i}.*"}},
        {"head": {"match": "norm.**", "outside": "classifier.**", "optional": True}},
    ],
}
RULES = rule_set_from_mapping({"arch": "mine", "layouts": {"own": LAYOUT}})
INSIDE = {"embed.w": 0, "blocks.0.w": 1, "blocks.1.w": 2, "down.1.w": 2, "norm.w": 3}


def assign(*names):
    return assign_layers(model_with(names), RULES)


def refusal(*names):
    with pytest.raises(CoverageError) as caught:
        assign(*names)
    return caught.value


@pytest.mark.parametrize("start", ["", "net.", "model.net."])
def test_the_layers_are_the_same_at_the_top_and_under_each_prefix(start):
    assignment = assign(*[start + name for name in INSIDE])
    assert layers_of(assignment) == {start + name: layer for name, layer in INSIDE.items()}
    assert assignment.layout == "own"


def test_what_is_outside_stands_beside_the_prefix():
    names = [f"net.{name}" for name in INSIDE]
    assert layers_of(assign(*names, "classifier.w"))["classifier.w"] == 3
    assert refusal(*INSIDE, "classifier.w").unmatched == ("classifier.w",)


def test_only_under_a_prefix_of_its_own_a_layout_has_what_is_outside_it():
    def head(*place):
        return list(map(str, compile_layout(RULES.layouts["own"], *place).entries[-1].match))

    assert head() == ["norm.**"]
    assert head("net") == ["net.norm.**", "classifier.**"]
    assert head("", "whole") == ["whole.norm.**"]
    assert head("net", "whole") == ["whole.net.norm.**", "whole.classifier.**"]


def test_the_pattern_is_told_with_its_prefix():
    assignment = assign(*[f"net.{name}" for name in INSIDE], "classifier.w")
    assert assignment["net.blocks.1.w"].pattern == "net.blocks.{i}.**"
    assert assignment["classifier.w"].pattern == "classifier.**"


def test_what_is_beside_the_prefix_is_not_taken_for_what_is_under_it():
    """Another stack of blocks at the top must not share the depth of those under the prefix."""
    error = refusal(*[f"net.{name}" for name in INSIDE], "blocks.w", "blocks.2.w", "norm.w")
    assert error.unmatched == ("blocks.w", "blocks.2.w", "norm.w")


def test_what_is_outside_does_not_stand_under_the_prefix():
    error = refusal(*[f"net.{name}" for name in INSIDE], "net.classifier.w")
    assert error.unmatched == ("net.classifier.w",)


def test_two_backbones_are_refused():
    error = refusal(*[f"net.{name}" for name in INSIDE], *[f"model.net.{name}" for name in INSIDE])
    assert len(error.unmatched) == len(INSIDE)


def test_another_prefix_is_refused_with_what_is_missing():
    error = refusal(*[f"other.{name}" for name in INSIDE])
    assert error.missing == ("stem: embed.**", "block: blocks.{i}.**", "signature: blocks.0.w")


def test_a_fault_under_a_prefix_is_told_with_it():
    error = refusal("net.embed.w", "net.blocks.0.w", "net.blocks.2.w", "net.nrm.w")
    assert [gap.pattern for gap in error.gaps] == ["net.blocks.{i}.**"]
    assert "net.nrm.w  (closest: net.norm.**)" in str(error)


@given(cases(), st.sampled_from(["backbone", "model.encoder"]))
def test_a_random_model_keeps_its_layers_under_a_prefix(case, prefix):
    data = case.rules.to_dict()
    data["layouts"]["default"]["prefix"] = [prefix]
    rules = rule_set_from_mapping(data)
    whole = assign_layers(case.model, rules)
    moved = assign_layers(
        model_with({f"{prefix}.{name}": p for name, p in case.parameters.items()}), rules
    )
    assert layers_of(whole) == case.layers
    assert layers_of(moved) == {f"{prefix}.{name}": n for name, n in case.layers.items()}
    assert moved.num_layers == case.num_layers


def test_an_entry_may_have_nothing_but_what_is_beside_the_prefix():
    layers = [{"block": "blocks.{i}.**"}, {"head": {"outside": "head.**", "optional": True}}]
    layout = {"prefix": "net", "signature": "blocks.0.weight", "layers": layers}
    rules = {"arch": "beside", "layouts": {"own": layout}}
    whole = assign_layers(model_with(["net.blocks.0.weight", "head.weight"]), rules)
    assert [whole[name].layer for name in whole] == [0, 1]
    bare = assign_layers(model_with(["blocks.0.weight"]), rules)
    assert (bare["blocks.0.weight"].layer, bare.num_layers) == (0, 2)
    with pytest.raises(CoverageError, match="head"):
        assign_layers(model_with(["blocks.0.weight", "head.weight"]), rules)

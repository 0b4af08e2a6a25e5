"""A backbone inside something larger: `prefix` and `outside`, and where it would have fitted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lrd_registry import (
    CoverageError,
    InvalidArgumentError,
    NoFittingArchitectureError,
    assign_layers,
    build_param_groups,
)
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with, timm_model
from tests.support.model_strategies import cases

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping(
    {
        "arch": "mine",
        "no_weight_decay": ["embed.w"],
        "layouts": {
            "own": {
                "signature": "embed.w",
                "layers": [{"stem": "embed.**"}, {"block": "blocks.{i}.**"}, {"head": "norm.**"}],
            }
        },
    }
)
BACKBONE = {"embed.w": 0, "blocks.0.w": 1, "blocks.1.w": 2, "norm.w": 3}
PLACES = ["backbone", "img_backbone", "model.encoder.0", "vision_model"]
CALL = 'build_param_groups(model, arch={}, prefix="{}", outside="head")'


def model_at(prefix, *others):
    return model_with([*(f"{prefix}.{name}" for name in BACKBONE), *others])


def refusal(model, arch=RULES, **place):
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, arch, **place)
    return caught.value


@pytest.mark.parametrize("prefix", PLACES)
def test_the_layers_under_a_prefix_are_those_of_the_backbone_alone(prefix):
    assignment = assign_layers(model_at(prefix), RULES, prefix=prefix)
    assert layers_of(assignment) == {f"{prefix}.{name}": n for name, n in BACKBONE.items()}
    assert assignment[f"{prefix}.blocks.1.w"].pattern == "blocks.{i}.**"


def test_the_parameters_stay_in_the_models_order_also_those_outside():
    names = ["neck.w", *(f"backbone.{name}" for name in BACKBONE), "tail.w"]
    found = assign_layers(model_with(names), RULES, prefix="backbone", outside="head")
    assert list(found) == names


def test_what_is_outside_joins_the_last_layer_or_is_named():
    model = model_at("backbone", "norm.w", "neck.w")
    assignment = assign_layers(model, RULES, prefix="backbone", outside="head")
    assert assignment["norm.w"] == ("norm.w", 3, "head", "outside backbone", "")
    assert assignment["neck.w"].layer == 3
    assert assignment["backbone.blocks.0.w"].layer == 1
    error = refusal(model, prefix="backbone")
    assert error.unmatched == ("norm.w", "neck.w")
    assert str(error) == (
        "rule set 'mine' (layout 'own') does not fit this model under 'backbone':\n"
        "  outside 'backbone':\n"
        "    norm.w\n"
        "    neck.w\n"
        'To have these join the last layer, at the full learning rate, pass outside="head"; for '
        "layers of their own, write a rule file with parts."
    )


def test_what_does_not_fit_under_the_prefix_is_named_along_with_what_is_outside():
    names = [f"backbone.{name}" for name in BACKBONE]
    error = refusal(model_with([*names, "backbone.blocks.w", "neck.w"]), prefix="backbone")
    assert error.unmatched == ("backbone.blocks.w", "neck.w")
    assert "backbone.blocks.w  (closest: blocks.{i}.**)" in str(error)


@pytest.mark.parametrize("prefix", PLACES)
def test_a_wrong_prefix_names_the_one_that_fits(prefix):
    model = model_at(prefix, "head.w")
    message = f"'mine' (layout 'own') fits what is under '{prefix}'"
    for wrong in ("bakbone", "head"):
        error = refusal(model, prefix=wrong)
        assert message in str(error)
        assert CALL.format("…", prefix) in str(error)
    assert str(refusal(model, prefix="bakbone")).startswith(
        f"no parameter of this model is under 'bakbone', but {message}:\n"
    )


def test_a_prefix_under_which_nothing_is_names_what_there_is():
    error = refusal(model_with(["encoder.w", "decoder.w"]), prefix="backbone")
    assert (
        str(error) == "no parameter of this model is under 'backbone', but under encoder, decoder"
    )
    assert error.missing == ("prefix: backbone",)


@pytest.mark.parametrize("prefix", PLACES)
def test_auto_names_a_backbone_under_a_prefix_and_the_call_that_works(prefix):
    """The call is run as it stands."""
    model = model_with({})
    *path, leaf = prefix.split(".")
    inner = model
    for part in path:
        inner.add_module(part, nn.Module())
        inner = inner._modules[part]
    inner.add_module(leaf, timm_model("vit_tiny_patch16_224", depth=2))
    model.add_module("neck", nn.Linear(2, 2))
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(model)
    call = CALL.format('"vit"', prefix)
    assert f"'vit' (layout 'timm') fits what is under {prefix!r}:\n    {call}\n" in str(
        caught.value
    )
    groups = eval(call, {"model": model, "build_param_groups": build_param_groups})
    layers = {name: group["layer"] for group in groups for name in group["param_names"]}
    assert layers[f"{prefix}.blocks.1.norm1.weight"] == 2
    assert layers["neck.weight"] == 3


def test_two_backbones_are_both_named_and_parts_are_recommended():
    names = [f"{side}.{name}" for side in ("left", "right") for name in BACKBONE]
    message = str(refusal(model_with(names)))
    assert (
        "fits what is under 'left' and 'mine' (layout 'own') fits what is under 'right'" in message
    )
    assert message.endswith("For several of them, write a rule file with parts.")


def test_a_layouts_own_prefix_counts_from_the_prefix():
    rules = rule_set_from_mapping(
        {
            "arch": "mine",
            "layouts": {
                "own": {
                    "prefix": "net",
                    "signature": "a.w",
                    "layers": [{"stem": "a.*"}, {"head": {"match": "b.*", "outside": "c.*"}}],
                }
            },
        }
    )
    model = model_with(["top.net.a.w", "top.net.b.w", "top.c.w"])
    layers = layers_of(assign_layers(model, rules, prefix="top"))
    assert layers == {"top.net.a.w": 0, "top.net.b.w": 1, "top.c.w": 1}


def test_no_weight_decay_counts_from_the_prefix():
    """The rule's patterns, and what the backbone itself exempts."""
    model = model_at("body", "embed.w")
    model.body.no_weight_decay = lambda: {"norm.w"}
    groups = build_param_groups(model, RULES, prefix="body", outside="head")
    exempt = {name for g in groups for name in g["param_names"] if g["weight_decay"] == 0}
    assert exempt == {"body.embed.w", "body.norm.w"}


def test_a_prefix_is_a_whole_name():
    error = refusal(model_at("backbone2"), prefix="backbone")
    assert str(error).startswith("no parameter of this model is under 'backbone', but")


def test_arguments_that_do_not_go_together_are_refused():
    model = model_at("body")
    with pytest.raises(
        InvalidArgumentError, match=r"^outside must be 'error' or 'head'; found 'hed'"
    ):
        assign_layers(model, RULES, prefix="body", outside="hed")
    with pytest.raises(InvalidArgumentError, match=r"^outside='head' needs a prefix"):
        assign_layers(model, RULES, outside="head")
    whole = assign_layers(model, RULES, prefix="body")
    with pytest.raises(InvalidArgumentError, match="make it with prefix=…, and pass it without"):
        assign_layers(model, whole, prefix="body")


@given(cases(), st.sampled_from(PLACES), st.booleans())
def test_any_model_has_its_layers_under_a_prefix(case, prefix, beside):
    others = ["beside.w"] if beside else []
    model = model_with([*(f"{prefix}.{name}" for name in case.layers), *others])
    assignment = assign_layers(model, case.rules, prefix=prefix, outside="head")
    expected = {f"{prefix}.{name}": layer for name, layer in case.layers.items()}
    assert layers_of(assignment) == expected | dict.fromkeys(others, case.num_layers - 1)


def test_the_command_line_takes_both(lrd, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("\n".join([*(f"body.{name}" for name in BACKBONE), "neck.w"]))
    rules = tmp_path / "mine.yaml"
    rules.write_text(
        "arch: mine\nlayers: [stem: embed.**, block: 'blocks.{i}.**', head: norm.**]\n"
    )
    status, out, _ = lrd("explain", names, "--arch", rules, "--prefix", "body", "--outside", "head")
    assert status == 0
    assert "4 layers" in out
    status, out, _ = lrd("check", rules, names, "--prefix", "body")
    assert status == 1
    assert "outside 'body'" in out


def test_of_many_names_outside_twenty_are_listed():
    names = ["backbone.stem.w", *(f"beside.{n:02}.w" for n in range(23))]
    rules = {"arch": "mine", "layers": [{"stem": "stem.**"}]}
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(names), rules, prefix="backbone")
    listed = [line.strip() for line in str(caught.value).splitlines() if "beside." in line]
    assert listed == names[1:21]
    assert "… and 3 more" in str(caught.value)

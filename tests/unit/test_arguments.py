"""Arguments of the wrong kind are refused by their names, with what was meant."""

from typing import get_args

import pytest
from torch import nn
from torch.optim import SGD

import lrd_registry
from lrd_registry import (
    InvalidArgumentError,
    RegistrationError,
    assign_layers,
    audit_learning_rates,
    build_param_groups,
    get_rule_set,
    register_rules,
    verify_learning_rates,
)
from lrd_registry.groups.conventions import CONVENTIONS, ConventionName

pytestmark = pytest.mark.engine

RULES = {"arch": "two", "layers": [{"stem": "0.**"}, {"head": "1.**"}]}
TEXT = "'1e-3', which is text; pass float('1e-3'). YAML reads 1e-3 as text, and 1.0e-3 as a number"


def model():
    return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": "1e-3"}, f"lr must be a number; found {TEXT}"),
        ({"weight_decay": "1e-3"}, f"weight_decay must be a number; found {TEXT}"),
        ({"layer_decay": "1e-3"}, f"layer_decay must be a number; found {TEXT}"),
        (
            {"layer_decay": "0.75"},
            "layer_decay must be a number; found '0.75', which is text; pass float('0.75')",
        ),
        ({"layer_decay": "fast"}, "layer_decay must be a number; found 'fast'"),
        ({"layer_decay": "nan"}, "layer_decay must be a number; found 'nan'"),
        ({"layer_decay": True}, "layer_decay must be a number; found True"),
        ({"layer_decay": None}, "layer_decay must be a number; found None"),
        ({"lr_mult": {"stem": "1e-3"}}, f"lr_mult['stem'] must be a number; found {TEXT}"),
        ({"min_scale": 1.5}, "min_scale must be between 0 and 1; found 1.5"),
        ({"min_scale": -0.5}, "min_scale must be between 0 and 1; found -0.5"),
        ({"weight_decay": -1}, "weight_decay must be finite and not below 0; found -1"),
        ({"lr": float("inf")}, "lr must be finite and not below 0; found inf"),
    ],
)
def test_a_number_that_is_none_is_refused_by_its_name(options, message):
    with pytest.raises(InvalidArgumentError) as caught:
        build_param_groups(model(), RULES, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("options", [{"min_scale": 0}, {"min_scale": 1}, {"weight_decay": 0}])
def test_the_ends_of_a_range_are_in_it(options):
    assert build_param_groups(model(), RULES, **options)


@pytest.mark.parametrize(
    ("decay", "message"),
    [
        (-0.5, "layer_decay must be finite and above 0, usually 0.5 to 1; found -0.5"),
        (True, "layer_decay must be a number; found True"),
        ({"stem": 0}, "layer_decay must be finite and above 0, usually 0.5 to 1; found 0"),
    ],
)
def test_a_scale_of_an_assignment_needs_a_decay(decay, message):
    with pytest.raises(InvalidArgumentError) as caught:
        assign_layers(model(), RULES).scale("0.weight", decay)
    assert str(caught.value) == message


def test_a_base_rate_that_is_text_is_refused_in_an_audit():
    optimizer = SGD(build_param_groups(model(), RULES, lr=0.1), 0.1)
    with pytest.raises(InvalidArgumentError) as caught:
        audit_learning_rates(optimizer, assign_layers(model(), RULES), lr="1e-3")
    assert str(caught.value) == f"lr must be a number; found {TEXT}"


def test_a_mapping_is_an_arch():
    assert assign_layers(model(), RULES)["1.bias"].layer == 1
    groups = build_param_groups(model(), RULES, layer_decay=0.5)
    assert [group["lr_scale"] for group in groups] == [0.5, 0.5, 1.0, 1.0]


def test_the_same_file_may_be_registered_once_more_but_no_other_of_its_name(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text('arch: two\nlayers: [stem: "0.**", head: "1.**"]\n')
    assert register_rules(path) == register_rules(path) == get_rule_set("two")
    path.write_text('arch: two\nlayers: [all: "**"]\n')
    with pytest.raises(RegistrationError, match=r"^two rule sets are called 'two'"):
        register_rules(path)
    other = tmp_path / "other.yaml"
    other.write_text('arch: two\nlayers: [stem: "0.**", head: "1.**"]\n')
    with pytest.raises(RegistrationError, match=r"^two rule sets are called 'two'"):
        register_rules(other)


def test_the_public_names_are_shown_with_the_version():
    assert dir(lrd_registry) == sorted([*lrd_registry.__all__, "__version__"])
    assert lrd_registry.__version__.split(".")[:2] == ["0", "1"]


def test_the_conventions_of_the_types_are_those_that_there_are():
    assert list(get_args(ConventionName)) == list(CONVENTIONS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda model: assign_layers(model, RULES, prefix=3),
            'prefix must be text, such as "backbone" or "model.encoder.0"; found 3',
        ),
        (
            lambda model: assign_layers(model, model),
            'arch must be a registered name, "auto", "infer", the path of a rule file, a RuleSet, '
            "a mapping or an Assignment; found Sequential; the model comes first, and arch after "
            "it",
        ),
        (
            lambda model: verify_learning_rates(SGD(model.parameters(), lr=0.1), model, 0.1),
            "assignment must be what assign_layers(model) returns; found Sequential",
        ),
    ],
    ids=["a number as prefix", "a model as arch", "a model as assignment"],
)
def test_an_argument_of_another_kind_is_refused_by_its_name(call, message):
    with pytest.raises(InvalidArgumentError) as caught:
        call(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)))
    assert str(caught.value) == message

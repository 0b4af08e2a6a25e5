"""What holds for every model and every rule set that fits it."""

import random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from torch import nn

from lrd_registry import CoverageError, ModelError, assign_layers, build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with, parameter
from tests.support.model_strategies import Case, cases

pytestmark = pytest.mark.engine

DECAYS = st.floats(0.01, 1.0)
SCALAR_HEAD = Case(
    rule_set_from_mapping({"arch": "one", "layers": [{"head": "temperature"}]}),
    {"temperature": parameter()},
    {"temperature": 0},
    1,
)


def trainable(model):
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def groups_of(case, **options):
    assume(any(p.requires_grad for p in case.parameters.values()))
    model = case.model
    return model, build_param_groups(model, case.rules, **options)


@given(cases())
@example(SCALAR_HEAD)
def test_the_layers_are_those_known_by_construction(case):
    assignment = assign_layers(case.model, case.rules)
    assert layers_of(assignment) == case.layers
    assert assignment.num_layers == case.num_layers


@given(cases())
@example(SCALAR_HEAD)
def test_every_trainable_parameter_is_in_exactly_one_group_once(case):
    model, groups = groups_of(case)
    grouped = [
        (n, id(p)) for g in groups for n, p in zip(g["param_names"], g["params"], strict=True)
    ]
    assert sorted(grouped) == sorted((name, id(p)) for name, p in trainable(model).items())


@given(cases(), DECAYS, st.floats(0, 1), st.floats(0.1, 10))
def test_its_scale_is_decay_to_the_distance_times_its_multiplier(case, decay, least, factor):
    entry = case.rules.layouts["default"].entries[0][0]
    _, groups = groups_of(case, layer_decay=decay, min_scale=least, lr_mult={entry: factor})
    assignment = assign_layers(case.model, case.rules)
    for group in groups:
        for name in group["param_names"]:
            scale = decay ** (case.num_layers - 1 - case.layers[name])
            if assignment[name].entry == entry:
                scale *= factor
            assert group["lr_scale"] == max(least, scale)


@given(cases())
def test_a_group_is_of_one_layer_and_of_one_weight_decay(case):
    model, groups = groups_of(case, weight_decay=0.3)
    by_name = dict(model.named_parameters())
    for group in groups:
        assert {case.layers[name] for name in group["param_names"]} == {group["layer"]}
        for name in group["param_names"]:
            exempt = by_name[name].ndim <= 1 or name.endswith((".bias", ".table"))
            assert group["weight_decay"] == (0.0 if exempt else 0.3)
    keys = [(group["layer"], group["weight_decay"] == 0) for group in groups]
    assert keys == sorted(set(keys))


@given(cases())
def test_decay_one_gives_all_ones(case):
    _, groups = groups_of(case, layer_decay=1.0)
    assert {group["lr_scale"] for group in groups} == {1.0}


@given(cases())
def test_layers_are_contiguous_and_do_not_decrease_along_the_entries(case):
    assignment = assign_layers(case.model, case.rules)
    positions = [assignment.entries.index(entry) for entry in assignment.layers]
    assert positions == sorted(positions)
    assert set(layers_of(assignment).values()) == set(range(assignment.num_layers))


@given(cases(), st.randoms(use_true_random=False))
def test_shuffling_and_freezing_change_no_layer(case, order: random.Random):
    expected = layers_of(assign_layers(case.model, case.rules))
    pairs = list(case.parameters.items())
    order.shuffle(pairs)
    for _, p in pairs:
        p.requires_grad_(order.random() < 0.5)
    assert layers_of(assign_layers(pairs, case.rules)) == expected


@given(cases())
def test_removing_the_head_changes_no_layer(case):
    data = case.rules.to_dict()
    data["layouts"]["default"]["layers"].append(
        {"the_head": {"match": ["the_head.**"], "optional": True}}
    )
    rules = rule_set_from_mapping(data)
    with_head = case.parameters | {"the_head.weight": parameter(2, 2)}
    whole, headless = (
        assign_layers(model_with(parameters), rules) for parameters in (with_head, case.parameters)
    )
    assert whole.num_layers == headless.num_layers == case.num_layers + 1
    assert layers_of(headless) == case.layers
    assert layers_of(whole) == case.layers | {"the_head.weight": case.num_layers}


@given(cases(), st.data())
def test_tied_parameters_agree_or_are_refused(case, data):
    names = st.sampled_from(sorted(case.parameters))
    one, other = data.draw(names), data.draw(names)
    assume(one != other)
    tied = case.parameters | {other: case.parameters[one]}
    model = model_with(tied)
    if case.layers[one] == case.layers[other]:
        assignment = assign_layers(model, case.rules)
        assert list(assignment) == [name for name, _ in model.named_parameters()]
    else:
        with pytest.raises(CoverageError) as caught:
            assign_layers(model, case.rules)
        assert set(caught.value.overlapping) <= {one, other}
        assert len(caught.value.overlapping) == 1


@given(cases(), st.text("abc0_", min_size=1, max_size=5))
def test_an_unknown_parameter_is_named_whatever_else_is_there(case, name):
    model = model_with(case.parameters | {name: nn.Parameter(parameter(2).data)})
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, case.rules)
    assert caught.value.unmatched == (name,)


@given(cases(), st.data())
def test_a_removed_block_is_a_gap_or_the_end(case, data):
    indexed = sorted(
        {tuple(n.split(".")[:2]) for n in case.parameters if n.split(".")[1].isdigit()}
    )
    assume(indexed)
    prefix = ".".join(data.draw(st.sampled_from(indexed))) + "."
    rest = {name: p for name, p in case.parameters.items() if not name.startswith(prefix)}
    run, index = prefix.split(".")[:2]
    later = [name for name in rest if name.startswith(f"{run}.{int(index) + 1}.")]
    if later:
        with pytest.raises(CoverageError) as caught:
            assign_layers(model_with(rest), case.rules)
        assert any(range(int(index), int(index) + 1) in gap.missing for gap in caught.value.gaps)


@given(cases())
def test_nothing_to_train_is_refused(case):
    model = case.model.requires_grad_(False)
    with pytest.raises(ModelError, match="requires a gradient"):
        build_param_groups(model, case.rules)

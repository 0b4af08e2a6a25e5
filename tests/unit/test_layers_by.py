"""How finely blocks are told apart: as published, by block, by stage, or by neighbours."""

import pytest
import yaml

from lrd_registry import (
    InvalidArgumentError,
    RuleFileError,
    assign_layers,
    build_param_groups,
    load_rule_set,
)
from lrd_registry.rule_files.load import parse_rule_set
from tests.support.building import layers_of, model_with

pytestmark = pytest.mark.engine

STAGES = """
arch: staged
layers:
  - stem: stem.**
  - first: {match: "stages.0.{block}.**", index: []}
  - second: {match: "stages.1.{block}.**", every: {4: 2, 5: 5}, first: down.1.**}
  - head: {match: head.**, optional: true}
"""


RULES = {"arch": "x", "layers": [{"all": "a"}]}


def layers(depths, layers_by="published", text=STAGES):
    names = [f"stages.{s}.{b}.w" for s, depth in enumerate(depths) for b in range(depth)]
    model = model_with(["stem.w", *names, "down.1.w", "head.w"])
    assignment = assign_layers(model, parse_rule_set(text), layers_by=layers_by)
    return [layer for name, layer in layers_of(assignment).items() if name in names]


@pytest.mark.parametrize(
    ("layers_by", "expected"),
    [
        ("published", [1, 1, 2, 2, 3, 3]),
        ("block", [1, 2, 3, 4, 5, 6]),
        ("stage", [1, 1, 2, 2, 2, 2]),
        (1, [1, 2, 3, 4, 5, 6]),
        (3, [1, 1, 2, 2, 2, 3]),
        (100, [1, 1, 2, 2, 2, 2]),
    ],
)
def test_layers_by(layers_by, expected):
    assert layers([2, 4], layers_by) == expected


@pytest.mark.parametrize(
    ("depth", "expected"), [(3, [2, 3, 4]), (4, [2, 2, 3, 3]), (5, [2] * 5), (6, [*range(2, 8)])]
)
def test_the_length_of_a_run_tells_how_many_share_a_layer(depth, expected):
    assert layers([1, depth])[1:] == expected


@pytest.mark.parametrize("layers_by", ["published", "block", "stage", 3])
def test_what_joins_a_stage_stays_with_it(layers_by):
    model = model_with(["stem.w", "stages.0.0.w", "down.1.w", "stages.1.0.w", "stages.1.1.w"])
    assignment = assign_layers(model, parse_rule_set(STAGES), layers_by=layers_by)
    assert assignment["down.1.w"].layer == assignment["stages.1.0.w"].layer


def test_an_outer_index_is_the_stage():
    rules = {"arch": "net", "layers": [{"block": "s.{stage}.{block}.w"}]}
    model = model_with(["s.0.0.w", "s.0.1.w", "s.1.0.w"])
    assert list(layers_of(assign_layers(model, rules, layers_by="stage")).values()) == [0, 0, 1]


def test_a_part_of_a_model_follows_too():
    rules = {"arch": "net", "parts": {"a": {"layers": [{"block": "s.{stage}.{block}.w"}]}}}
    model = model_with(["s.0.0.w", "s.0.1.w", "s.1.0.w"])
    assert assign_layers(model, rules, layers_by="stage").depths == {"a": 2}


def test_groups_follow():
    model = model_with(["b.0.w", "b.1.w"])
    rules = {"arch": "net", "layers": [{"block": "b.{i}.w"}]}
    groups = build_param_groups(model, rules, layers_by=2)
    assert [group["param_names"] for group in groups] == [["b.0.w", "b.1.w"]]


@pytest.mark.parametrize("layers_by", ["blocks", 0, -1, True, 2.0, None, "3"])
def test_anything_else_is_refused(layers_by):
    with pytest.raises(InvalidArgumentError, match="layers_by must be 'published', 'block', 'stag"):
        assign_layers(
            model_with(["a"]), {"arch": "x", "layers": [{"all": "a"}]}, layers_by=layers_by
        )


def test_an_assignment_has_its_layers():
    whole = assign_layers(model_with(["a"]), RULES)
    with pytest.raises(InvalidArgumentError, match="an Assignment has its layers already"):
        assign_layers(model_with(["a"]), whole, layers_by="block")


@pytest.mark.parametrize(
    ("every", "place", "message"),
    [
        (
            "{}",
            "4:38",
            "a table from a run's length to a number, such as {4: 2}, must not be empty",
        ),
        ("{a: 2}", "4:42", "expected integers, such as `4: 2`, found `a: 2`"),
        ("{4: 0}", "4:42", "expected integers, such as `4: 2`, found `4: 0`"),
        ("{0: 2}", "4:42", "expected integers, such as `4: 2`, found `0: 2`"),
        ("{4: two}", "4:42", "expected integers, such as `4: 2`, found `4: two`"),
        ("0", "4:38", "must be at least 1"),
        ("two", "4:38", "expected an integer, found `two`, which YAML reads as text"),
        ("2.5", "4:38", "expected an integer, found `2.5`, which YAML reads as a number"),
    ],
)
def test_a_wrong_every_is_told_where_it_stands(tmp_path, every, place, message):
    path = tmp_path / "net.yaml"
    entry = f"{{match: 'b.{{i}}.w', every: {every}}}"
    path.write_text(f"arch: net\nlayers:\n  # blocks\n  - block: {entry}")
    with pytest.raises(RuleFileError) as caught:
        load_rule_set(path)
    assert str(caught.value) == f"{path}:{place}: {message}"


def test_a_table_survives_as_plain_data_and_as_yaml():
    rules = parse_rule_set(STAGES)
    again = parse_rule_set(yaml.safe_dump(rules.to_dict()))
    assert again == rules


def test_a_table_goes_by_the_length_of_each_run():
    entry = {"block": {"match": "s.{stage}.{block}.w", "every": {3: 3, 4: 2}}}
    model = model_with([f"s.0.{b}.w" for b in range(3)] + [f"s.1.{b}.w" for b in range(4)])
    assignment = assign_layers(model, {"arch": "net", "layers": [entry]})
    assert list(layers_of(assignment).values()) == [0, 0, 0, 1, 1, 2, 2]


def test_a_table_may_leave_a_length_or_a_number_at_one():
    entry = {"block": {"match": "b.{block}.w", "every": {1: 2, 2: 1}}}
    assignment = assign_layers(model_with(["b.0.w", "b.1.w"]), {"arch": "net", "layers": [entry]})
    assert list(layers_of(assignment).values()) == [0, 1]

"""What does not fit is named, all of it, in words that tell what to do."""

import pytest

from lrd_registry import CoverageError, Gap, assign_layers
from lrd_registry.engine.problems import Coverage
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import model_with, parameter

pytestmark = pytest.mark.engine

ENTRIES = [
    {"stem": ["embed.**", "tokens"]},
    {"block": {"match": "blocks.{i}.**", "last": "blocks.{i}.down.*"}},
    {"neck": "neck.**"},
    {"head": ["head.**", "*.fc.weight"]},
]
NAMES = ["embed.w", "blocks.0.w", "blocks.1.w", "neck.w", "head.w"]


def refusal(names, entries=ENTRIES, **layout):
    rules = rule_set_from_mapping(
        {"arch": "mine", "layouts": {"own": {"layers": entries, **layout}}}
    )
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(names), rules)
    return caught.value


def test_all_four_kinds_come_together():
    error = refusal(
        ["embed.w", "tokenz", "blocks.0.w", "blocks.2.w", "blocks.4.w", "head.fc.weight"]
    )
    assert error.unmatched == ("tokenz",)
    assert error.overlapping == {}
    assert error.missing == ("neck: neck.**",)
    assert error.gaps == (Gap("block", "blocks.{i}.**", "i", (range(1, 2), range(3, 4))),)

    error = refusal([*NAMES, "neck.fc.weight"])
    assert error.overlapping == {"neck.fc.weight": ("neck: neck.**", "head: *.fc.weight")}
    assert (error.unmatched, error.missing, error.gaps) == ((), (), ())


def test_the_whole_message():
    names = ["embed.w", "tokenz", "blocks.0.w", "blocks.3.w", "blocks.3.down.w", "head.fc.weight"]
    assert str(refusal(names, signature="stem.w")) == (
        "rule set 'mine' (layout 'own') does not fit this model:\n"
        "  matched by no pattern:\n"
        "    tokenz  (closest: tokens)\n"
        "  claimed more than once:\n"
        "    blocks.3.down.w  (block: blocks.{i}.**; block (last): blocks.{i}.down.*)\n"
        "  required, but matching nothing:\n"
        "    neck: neck.**\n"
        "    signature: stem.w\n"
        "  missing from a run of indices:\n"
        "    blocks.{i}.**  (block: no i 1 to 2)\n"
        "Where the model is right, copy the rule file, mend its patterns, and pass its path "
        "as arch."
    )


def test_the_first_twenty_are_named_and_the_rest_counted():
    error = refusal([*NAMES, *(f"extra.{i}" for i in range(23))])
    assert len(error.unmatched) == 23
    assert "    extra.19  (closest: " in str(error)
    assert "extra.20" not in str(error)
    assert "\n    … and 3 more\n" in str(error)


def test_twenty_are_all_named_and_none_counted():
    error = refusal([*NAMES, *(f"extra.{i}" for i in range(20))])
    assert "    extra.19  (closest: " in str(error)
    assert "…" not in str(error)


def test_a_pattern_that_names_a_module_is_told_what_matches_its_parameters():
    error = refusal(["embed.proj.w", "blocks.0.w"], [{"stem": "embed"}, {"block": "blocks.{i}"}])
    assert str(error).splitlines()[1:-1] == [
        "  matched by no pattern:",
        "    embed.proj.w  (embed is a module; embed.** matches what is in it)",
        "    blocks.0.w  (blocks.{i} is a module; blocks.{i}.** matches what is in it)",
        "  required, but matching nothing:",
        "    stem: embed",
        "    block: blocks.{i}",
    ]


def test_the_closest_pattern_shares_the_longest_beginning():
    error = refusal([*NAMES, "blocks.x.w"])
    assert "blocks.x.w  (closest: blocks.{i}.**)" in str(error)


def test_a_part_of_a_model_is_not_taken_for_the_whole():
    error = refusal(["embed.w", "blocks.6.w", "blocks.7.w", "neck.w", "head.w"])
    assert error.gaps == (Gap("block", "blocks.{i}.**", "i", (range(6),)),)
    assert "blocks.{i}.**  (block: no i 0 to 5)" in str(error)


def test_a_huge_index_costs_nothing():
    error = refusal([*NAMES, "blocks.999999999.w"])
    assert error.gaps[0].missing == (range(2, 999999999),)


def test_holes_are_looked_for_within_each_outer_index():
    error = refusal(
        ["s.0.b.0.w", "s.1.b.0.w", "s.1.b.2.w", "s.3.b.0.w"], [{"block": "s.{s}.b.{b}.w"}]
    )
    assert error.gaps == (
        Gap("block", "s.{s}.b.{b}.w", "s", (range(2, 3),)),
        Gap("block", "s.1.b.{b}.w", "b", (range(1, 2),)),
    )


def test_a_parameter_cannot_join_a_stage_that_is_not_there():
    entry = {"match": "s.{s}.b.{b}.w", "last": "s.{s}.down"}
    error = refusal(["s.0.b.0.w", "s.0.down", "s.1.down"], [{"block": entry}])
    assert error.gaps == (Gap("block", "s.1.b.{b}.w", "b", (range(1),)),)


def test_a_parameter_cannot_join_a_layer_before_the_first():
    entry = {"match": "s.{s}.b.{b}.w", "previous": "s.{s}.down"}
    error = refusal(["s.0.b.0.w", "s.0.down"], [{"block": entry}])
    assert error.unmatched == ("s.0.down",)
    assert "s.0.down  (s.{s}.down matches it, but there is no earlier layer to join)" in str(error)


def test_names_of_a_tied_parameter_in_different_layers_are_named():
    shared = parameter(2, 2)
    names = {name: parameter(2) for name in NAMES} | {"embed.w": shared, "head.w": shared}
    error = refusal(names)
    assert error.overlapping == {"embed.w": ("tied as embed.w: layer 0", "tied as head.w: layer 4")}


def test_an_unmatched_second_name_of_a_tied_parameter_is_named():
    shared = parameter(2, 2)
    names = {name: parameter(2) for name in NAMES} | {"head.w": shared, "spare": shared}
    assert refusal(names).unmatched == ("spare",)


def test_each_fault_counts():
    names = collect_parameters(model_with(["a", "b"])).readings[0]
    gap = Gap("block", "b.{i}", "i", (range(1),))
    missing = ("stem: s", "head: h")
    overlapping = {"b": ("x", "y")}
    coverage = Coverage("mine", "default", (), names, ("a",), overlapping, missing, (gap,), ("z",))
    assert coverage.faults == 6
    assert coverage.error().missing == ("stem: s", "head: h", "z")


def test_where_no_part_is_there_a_name_is_told_without_a_pattern():
    parts = {"visual": {"prefix": "visual", "layers": [{"block": "{i}.**"}]}}
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["x.w"]), {"arch": "one", "layouts": {"a": {"parts": parts}}})
    assert str(caught.value).splitlines()[1:5] == [
        "  matched by no pattern:",
        "    x.w",
        "  required, but matching nothing:",
        "    part visual: no parameter is under visual",
    ]

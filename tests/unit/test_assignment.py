"""The semantics of layers, each on a model small enough to number by hand."""

import pytest
from torch import nn

from lrd_registry import CoverageError, InvalidArgumentError, Row, assign_layers
from lrd_registry.assignment import Assignment, Placement
from lrd_registry.models import build_model
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with, parameter

pytestmark = pytest.mark.engine


def rules(*layers, **top):
    return rule_set_from_mapping({"arch": "mine", "layers": list(layers), **top})


def layers(names, *entries):
    return layers_of(assign_layers(model_with(names), rules(*entries)))


PLAIN = ({"stem": "embed.**"}, {"block": "blocks.{i}.**"}, {"head": "head.**"})


def test_a_layer_is_the_rank_of_entry_and_index():
    names = ["embed.w", "blocks.0.w", "blocks.1.w", "blocks.2.w", "head.w"]
    assert layers(names, *PLAIN) == dict(zip(names, range(5), strict=True))


def test_a_row_tells_the_entry_and_the_pattern():
    model = model_with(["embed.w", "blocks.0.w", "head.w"])
    assignment = assign_layers(model, rules(*PLAIN))
    assert assignment["blocks.0.w"] == Row("blocks.0.w", 1, "block", "blocks.{i}.**")
    assert assignment.layers == ("stem", "block", "head")
    assert len(assignment) == 3


def test_indices_are_compared_as_numbers():
    names = [f"blocks.{i}.w" for i in range(11)]
    found = layers(names, {"block": "blocks.{i}.**"})
    assert found["blocks.10.w"] == 10


def test_outer_indices_come_first():
    names = ["s.0.b.0.w", "s.0.b.1.w", "s.1.b.0.w"]
    assert layers(names, {"block": "s.{stage}.b.{block}.w"}) == dict(
        zip(names, range(3), strict=True)
    )


def test_an_entry_without_indices_is_a_layer_also_without_parameters():
    head = {"head": {"match": "head.**", "optional": True}}
    model = model_with(["embed.w", "blocks.0.w"])
    assignment = assign_layers(model, rules(*PLAIN[:2], head))
    assert assignment.num_layers == 3
    assert layers_of(assignment) == {"embed.w": 0, "blocks.0.w": 1}


def test_an_optional_entry_with_indices_has_as_many_layers_as_indices():
    extra = {"extra": {"match": "extra.{i}.**", "optional": True}}
    model = model_with(["embed.w", "blocks.0.w", "head.w"])
    assert assign_layers(model, rules(*PLAIN[:2], extra, PLAIN[2])).num_layers == 3


def test_every_three_neighbours_share_a_layer():
    names = [f"b.{i}.w" for i in range(7)]
    found = layers(names, {"block": {"match": "b.{i}.w", "every": 3}})
    assert list(found.values()) == [0, 0, 0, 1, 1, 1, 2]


def test_first_and_last_join_the_ends_of_the_entry():
    entry = {"match": "b.{i}.w", "first": "before.w", "last": "after.w"}
    names = ["stem", "before.w", "b.0.w", "b.1.w", "b.2.w", "after.w"]
    assert list(layers(names, {"stem": "stem"}, {"block": entry}).values()) == [0, 1, 1, 2, 3, 3]


def test_first_and_last_at_an_index_join_the_ends_of_that_stage():
    entry = {"match": "s.{s}.b.{b}.w", "first": "s.{s}.in.w", "last": "s.{s}.out.w"}
    names = ["s.0.in.w", "s.0.b.0.w", "s.0.b.1.w", "s.0.out.w", "s.1.in.w", "s.1.b.0.w"]
    assert list(layers(names, {"block": entry}).values()) == [0, 0, 1, 1, 2, 2]


def test_previous_at_an_index_joins_the_last_layer_before_that_stage():
    entry = {"match": "s.{s}.b.{b}.w", "previous": "s.{s}.in.w"}
    names = ["stem", "s.0.b.0.w", "s.0.b.1.w", "s.1.in.w", "s.1.b.0.w"]
    assert list(layers(names, {"stem": "stem"}, {"block": entry}).values()) == [0, 1, 2, 2, 3]


def test_previous_without_an_index_joins_the_layer_before_the_entry():
    head = {"match": "head", "previous": "norm"}
    names = ["b.0.w", "b.1.w", "norm", "head"]
    assignment = assign_layers(model_with(names), rules({"block": "b.{i}.w"}, {"head": head}))
    assert layers_of(assignment) == {"b.0.w": 0, "b.1.w": 1, "norm": 1, "head": 2}
    assert assignment["norm"] == Row("norm", 1, "block", "norm")


def test_before_the_first_layer_there_is_none_to_join():
    """The stem would be the first entry, and this model has nothing of it."""
    stem = {"match": "s.{i}.w", "optional": True}
    entries = rules({"stem": stem}, {"block": {"match": "b.{i}.w", "previous": "pre"}})
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["b.0.w", "pre"]), entries)
    assert caught.value.unmatched == ("pre",)
    assert layers_of(assign_layers(model_with(["s.0.w", "b.0.w", "pre"]), entries))["pre"] == 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, "expected a torch.nn.Module or its (name, parameter) pairs, found int"),
        (
            [("a", 1)],
            "expected (name, parameter) pairs, such as model.named_parameters(), found an item of "
            "type tuple",
        ),
        (
            [("a", parameter(1)), ("a", parameter(1))],
            "two parameters are called 'a'; give each its own",
        ),
    ],
    ids=["a number", "other pairs", "a name twice"],
)
def test_what_is_no_model_is_told(model, message):
    with pytest.raises(InvalidArgumentError) as caught:
        assign_layers(model)
    assert str(caught.value) == message


def test_index_chooses_which_captures_make_the_key():
    names = ["b.0.0.w", "b.0.1.w", "b.1.2.w", "b.1.3.w"]
    found = layers(names, {"block": {"match": "b.{chunk}.{block}.w", "index": ["block"]}})
    assert list(found.values()) == [0, 1, 2, 3]


def test_the_first_pattern_tells_the_order_of_the_indices():
    names = ["a.0.1.w", "a.1.0.w", "a.0.0.w", "a.1.1.w", "b.1.0.w"]
    found = layers(names, {"block": ["a.{i}.{j}.w", "b.{j}.{i}.w"]})
    assert found == {"a.0.0.w": 0, "a.0.1.w": 1, "a.1.0.w": 2, "a.1.1.w": 3, "b.1.0.w": 1}


def test_an_index_inside_a_name_may_count_from_one():
    names = ["layer1.0.w", "layer1.1.w", "layer2.0.w"]
    assert list(layers(names, {"block": "layer{s}.{b}.w"}).values()) == [0, 1, 2]


def test_layers_depend_on_the_architecture_alone():
    names = ["embed.w", "blocks.0.w", "blocks.1.w", "head.w"]
    model = model_with(names)
    expected = layers_of(assign_layers(model, rules(*PLAIN)))
    model.blocks.requires_grad_(False)
    assert layers_of(assign_layers(model, rules(*PLAIN))) == expected
    backwards = reversed(list(model.named_parameters()))
    assert layers_of(assign_layers(backwards, rules(*PLAIN))) == expected


def test_a_tied_parameter_goes_by_its_first_name():
    shared = parameter(2, 2)
    names = {
        "embed.w": parameter(2),
        "blocks.0.a": shared,
        "blocks.0.b": shared,
        "head.w": parameter(2),
    }
    assignment = assign_layers(model_with(names), rules(*PLAIN))
    assert layers_of(assignment) == {"embed.w": 0, "blocks.0.a": 1, "head.w": 2}


def test_pairs_are_taken_as_a_module_is():
    model = model_with(["embed.w", "blocks.0.w", "head.w"])
    assert assign_layers(model.named_parameters(), rules(*PLAIN)) == assign_layers(
        model, rules(*PLAIN)
    )


def test_a_shared_module_is_found_under_all_of_its_names():
    model = model_with(["embed.w", "blocks.0.w", "head.w"])
    model.blocks.add_module("1", model.blocks._modules["0"])
    with pytest.raises(
        Exception, match=r"one module, as blocks\.0\.w: layer 1; one module, as blocks\.1"
    ):
        assign_layers(model, rules(*PLAIN))


def test_an_assignment_serves_the_parts_of_its_model():
    model = model_with(["embed.w", "blocks.0.w", "blocks.1.w", "head.w"])
    whole = assign_layers(model, rules(*PLAIN))
    part = assign_layers([("blocks.1.w", model.blocks._modules["1"].w)], whole)
    assert layers_of(part) == {"blocks.1.w": 2}
    assert part.num_layers == 4


def test_scale_is_the_decay_to_the_power_of_the_distance_from_the_head():
    assignment = assign_layers(model_with(["embed.w", "blocks.0.w", "head.w"]), rules(*PLAIN))
    assert [assignment.scale(name, 0.5) for name in assignment] == [0.25, 0.5, 1.0]


def test_to_dict_is_plain_data():
    assignment = assign_layers(model_with(["a.w"]), rules({"only": "a.**"}))
    assert assignment.to_dict() == {
        "arch": "mine",
        "layout": "default",
        "num_layers": 1,
        "parameters": [{"name": "a.w", "layer": 0, "entry": "only", "pattern": "a.**"}],
    }


def test_the_fingerprint_is_of_names_and_layers_alone():
    names = ["embed.w", "blocks.0.w", "head.w"]
    model = model_with(names)
    digest = assign_layers(model, rules(*PLAIN)).fingerprint()
    assert len(digest) == 64
    backwards = reversed(list(model.named_parameters()))
    assert assign_layers(backwards, rules(*PLAIN)).fingerprint() == digest
    renamed = ({"first": "embed.**"}, {"middle": "blocks.{j}.*"}, {"last": "head.*"})
    assert assign_layers(model, rules(*renamed)).fingerprint() == digest
    deeper = model_with([*names, "blocks.1.w"])
    assert assign_layers(deeper, rules(*PLAIN)).fingerprint() != digest


def test_the_fingerprint_stays_the_same_between_releases():
    assignment = assign_layers(model_with(["a.w", "b.w"]), rules({"a": "a.**"}, {"b": "b.**"}))
    assert assignment.fingerprint() == (
        "c1e4163a9a38725477fe315ce56a241fe6fb9551a24ce06cdbb4b67c5b7887ea"
    )


def test_a_real_module_is_walked_as_torch_walks_it():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2), nn.Identity()))
    model.register_parameter("none", None)
    found = assign_layers(model, rules({"all": "**"}))
    assert list(found) == [name for name, _ in model.named_parameters()]


def test_rules_apply_at_the_top_unless_it_is_said():
    placed = {"w": Placement(0, "all", "*")}
    assignment = Assignment("mine", "one", ("all",), {"": ("all",)}, placed, {"w": "w"})
    assert assignment.roots == ("",)


def test_the_repr_is_one_line():
    model = model_with([f"x{n}" for n in range(99)])
    assert repr(assign_layers(model, rules({"all": "**"}))) == (
        "<Assignment of 99 parameters to 1 layers by mine/default>"
    )


def test_printed_it_is_a_table_of_its_layers():
    found = assign_layers(model_with(["a", "b.0", "b.1"]), rules({"stem": "a"}, {"block": "b.{i}"}))
    assert str(found).splitlines() == [
        "mine (layout default), 3 layers, layer decay 0.75",
        "layer  entry  parameters   scale",
        "    0  stem            1  0.5625",
        "    1  block           1    0.75",
        "    2  block           1       1",
    ]


def test_printed_it_is_what_the_command_line_explains(tmp_path, lrd):
    path = tmp_path / "names.txt"
    path.write_text("a.w\n" + "".join(f"b.{n}.w\nb.{n}.bias\n" for n in range(1200)))
    rule_file = tmp_path / "mine.yaml"
    rule_file.write_text("arch: mine\nlayers:\n  - stem: a.*\n  - {rest: 'b.**'}\n")
    found = assign_layers(build_model(str(path)), rule_file)
    assert lrd("explain", str(path), "--arch", str(rule_file)) == (0, f"{path}: {found}\n", "")


def test_printed_it_tells_the_depth_of_each_part_that_has_one():
    parts = {"a": {"prefix": "a", "layers": [{"block": "{i}.**"}]}}
    layout = {"parts": parts, "outside": {"scale": "scale"}}
    found = assign_layers(
        model_with(["a.0.w", "a.1.w", "scale"]), {"arch": "two", "layouts": {"x": layout}}
    )
    assert str(found).splitlines()[0] == "two (layout x), 2 layers in a, layer decay 0.75"


def test_equal_assignments_have_one_hash():
    one, same = (assign_layers(model_with(["a", "b"]), rules({"all": "**"})) for _ in range(2))
    other = assign_layers(model_with(["a", "c"]), rules({"all": "**"}))
    assert len({one, same, other}) == 2

"""Numbered modules that a rule file puts into one layer without asking for it are warned of."""

import json
import warnings

import pytest
import torch
from torch import nn

from lrd_registry import assign_layers, build_param_groups, load_rule_set
from lrd_registry.assign.numbered_modules import find_shared_layers
from lrd_registry.rule_files.load import rule_set_from_mapping


def module_with(names):
    model = nn.Module()
    for name in names:
        *path, last = name.split(".")
        at = model
        for part in path:
            if part not in at._modules:
                at.add_module(part, nn.Module())
            at = at._modules[part]
        at.register_parameter(last, nn.Parameter(torch.empty(2, 2)))
    return model


VIT = module_with(
    ["embed.w", *(f"blocks.{n}.{part}.w" for n in range(12) for part in ("attn", "mlp")), "head.w"]
)
RESNET = module_with(
    ["stem.w", *(f"layer{s}.{b}.conv.w" for s in (1, 2, 3) for b in (0, 1)), "fc.w"]
)
TOWERS = module_with(
    [f"{t}.{name}" for t in ("a", "b") for name in ("embed.w", "blocks.0.x.w", "blocks.1.x.w")]
)


def rules(*entries, **more):
    return {"arch": "mine", "layers": list(entries), **more}


def found(model, data):
    rule_set = rule_set_from_mapping(data)
    shared = find_shared_layers(rule_set, assign_layers(model, rule_set))
    return [(s.entry, s.pattern, s.instead, s.runs) for s in shared]


STEM, HEAD = {"stem": "embed.**"}, {"head": "head.**"}
BLOCKS = tuple(f"blocks.{n}" for n in range(12))


@pytest.mark.parametrize("pattern", ["blocks.*.**", "blocks.**"])
def test_blocks_in_one_layer_are_named_with_the_pattern_that_tells_them_apart(pattern):
    assert found(VIT, rules(STEM, {"block": pattern}, HEAD)) == [
        ("block", pattern, "blocks.{block}.**", (BLOCKS,))
    ]
    assert assign_layers(VIT, rules(STEM, {"block": "blocks.{block}.**"}, HEAD)).num_layers == 14


def test_each_pattern_is_named():
    entries = {"attn": "blocks.*.attn.**"}, {"mlp": "**.*.mlp.**"}
    assert found(VIT, rules(STEM, *entries, HEAD)) == [
        ("attn", "blocks.*.attn.**", "blocks.{block}.attn.**", (BLOCKS,)),
        ("mlp", "**.*.mlp.**", "**.{index}.mlp.**", (BLOCKS,)),
    ]


def test_a_number_inside_a_name_counts_too():
    ends = {"stem": "stem.**"}, {"head": "fc.**"}
    assert found(RESNET, rules(ends[0], {"layer": "layer*.**"}, ends[1])) == [
        ("layer", "layer*.**", "layer{layer}.**", (("layer1", "layer2", "layer3"),))
    ]
    assert found(RESNET, rules(ends[0], {"layer": "layer{s}.*.**"}, ends[1])) == [
        (
            *("layer", "layer{s}.*.**", "layer{s}.{index}.**"),
            tuple((f"layer{s}.0", f"layer{s}.1") for s in (1, 2, 3)),
        )
    ]


@pytest.mark.parametrize(
    "block",
    [
        "blocks.{i}.**",
        {"match": "blocks.{i}.**", "every": 12},
        {"match": "blocks.{i}.**", "index": []},
        [f"blocks.{n}.**" for n in range(12)],
    ],
    ids=["an index", "every", "no index of several", "each named"],
)
def test_what_a_rule_file_asks_for_is_not_warned_of(block):
    assert found(VIT, rules(STEM, {"block": block}, HEAD)) == []


def test_stages_by_their_own_number_are_on_purpose():
    stages = [{f"stage_{s}": f"layer{s}.**"} for s in (1, 2, 3)]
    assert found(RESNET, rules({"stem": "stem.**"}, *stages, {"head": "fc.**"})) == []


def test_a_list_that_is_a_small_part_of_the_model_may_share_a_layer():
    names = ["stem.0.conv.w", "stem.1.conv.w", *(f"blocks.{n}.x.w" for n in range(4))]
    entries = {"stem": "stem.**"}, {"block": "blocks.{i}.**"}
    assert found(module_with(names), rules(*entries)) == []


def test_numbers_in_the_names_of_single_layers_are_no_blocks():
    model = module_with(["conv1.w", "conv2.w", "conv3.w", "fc1.w", "fc2.w"])
    assert found(model, rules({"stem": "conv*.**"}, {"head": "fc*.**"})) == []


def test_numbered_parameters_are_no_modules():
    model = module_with(["embed.w", "scales.0", "scales.1", "head.w"])
    assert found(model, rules(STEM, {"scales": "scales.*"}, HEAD)) == []


def test_in_a_part_the_pattern_is_the_one_of_the_file():
    layers = [{"stem": "embed.**"}, {"block": "blocks.*.**"}]
    parts = {name: {"prefix": name, "layers": layers} for name in ("a", "b")}
    assert found(TOWERS, {"arch": "mine", "parts": parts}) == [
        (f"{t}.block", "blocks.*.**", "blocks.{block}.**", ((f"{t}.blocks.0", f"{t}.blocks.1"),))
        for t in ("a", "b")
    ]


def test_below_a_prefix_the_paths_are_those_of_the_file():
    model = nn.ModuleDict({"backbone": VIT})
    rule_set = rule_set_from_mapping(rules(STEM, {"block": "blocks.*.**"}, HEAD))
    assignment = assign_layers(model, rule_set, prefix="backbone")
    (shared,) = find_shared_layers(rule_set, assignment)
    assert (shared.instead, shared.runs) == ("blocks.{block}.**", (BLOCKS,))


MINE = rules(STEM, {"block": "blocks.*.**"}, HEAD)
TEXT = (
    "blocks.*.** puts 12 numbered modules into one layer of `block`: blocks.0 to blocks.11; "
    "blocks.{block}.** gives each its own. If one layer is meant, write "
    '{match: "blocks.{block}.**", index: []}'
)


@pytest.mark.parametrize("call", [assign_layers, build_param_groups])
def test_a_rule_file_or_a_mapping_warns_at_the_call(call, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(MINE))
    for arch in (MINE, path, str(path)):
        with pytest.warns(UserWarning, match="numbered modules") as caught:
            call(VIT, arch)
        (warning,) = caught
        assert str(warning.message) == f"rule set 'mine': {TEXT}."
        assert warning.filename == __file__


def test_a_rule_set_that_was_loaded_before_is_taken_at_its_word(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(MINE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assign_layers(VIT, load_rule_set(path))


def test_check_warns_and_still_fits(lrd, tmp_path):
    (tmp_path / "mine.yaml").write_text(json.dumps(MINE))
    (tmp_path / "names.txt").write_text("\n".join(name for name, _ in VIT.named_parameters()))
    arguments = "check", tmp_path / "mine.yaml", tmp_path / "names.txt"
    status, out, error = lrd(*arguments)
    assert (status, error) == (0, "")
    assert out.splitlines() == [
        "mine: the rule file is valid",
        f"{tmp_path}/names.txt: fits, layout default, 3 layers, layer decay 0.75",
        "layer  entry  parameters   scale",
        "    0  stem            1  0.5625",
        "    1  block          24    0.75",
        "    2  head            1       1",
        f"warning: {TEXT}",
        "the order was not checked; --trace checks it",
    ]
    (result,) = json.loads(lrd(*arguments, "--json")[1])["models"]
    assert result["warnings"] == [TEXT]
    assert [row["parameters"] for row in result["layers"]] == [1, 24, 1]

"""Numbers that are missing from a list: of modules without parameters, or of blocks."""

import pytest
import torch
from torch import nn

from lrd_registry import CoverageError, Gap, assign_layers, build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with, on_meta

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping(
    {"arch": "vgg", "layers": [{"features": "features.{i}.**"}, {"head": "classifier.**"}]}
)
NESTED = rule_set_from_mapping({"arch": "nested", "layers": [{"all": "s.{stage}.{block}.**"}]})


def vgg(*between: nn.Module) -> nn.Module:
    """Two convolutions with these modules between them, and a head."""
    return nn.ModuleDict(
        {
            "features": nn.Sequential(nn.Conv2d(3, 4, 1), *between, nn.Conv2d(4, 4, 1)),
            "classifier": nn.Linear(4, 2),
        }
    )


@pytest.mark.parametrize("between", [(nn.ReLU(),), (nn.Dropout(), nn.GELU(), nn.MaxPool2d(2))])
def test_a_module_without_parameters_is_no_hole(between):
    layers = layers_of(assign_layers(vgg(*between), RULES))
    assert layers == {
        "features.0.weight": 0,
        "features.0.bias": 0,
        f"features.{len(between) + 1}.weight": 1,
        f"features.{len(between) + 1}.bias": 1,
        "classifier.weight": 2,
        "classifier.bias": 2,
    }


class Quantised(nn.Module):
    """A block whose weights are no parameters."""

    def __init__(self):
        super().__init__()
        self.register_buffer("packed", torch.zeros(2, 2))


@pytest.mark.parametrize(
    "taken_out",
    [nn.Identity(), nn.Sequential(), nn.ModuleList(), Quantised(), nn.BatchNorm2d(4, affine=False)],
)
def test_what_may_stand_where_a_block_was_is_a_hole(taken_out):
    with pytest.raises(CoverageError) as caught:
        assign_layers(vgg(nn.ReLU(), taken_out), RULES)
    assert caught.value.gaps == (Gap("features", "features.{i}.**", "i", (range(2, 3),)),)


def test_a_block_that_is_not_there_is_a_hole():
    model = vgg(nn.ReLU())
    model["features"].add_module("4", nn.Conv2d(4, 4, 1))
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, RULES)
    assert caught.value.gaps[0].missing == (range(3, 4),)
    assert "names alone" not in str(caught.value)


def test_a_module_whose_parameters_are_in_another_entry_is_a_hole():
    def block():
        return nn.ModuleDict({"conv": nn.Conv2d(4, 4, 1)})

    model = nn.ModuleDict({"b": nn.Sequential(block(), nn.PReLU(), block())})
    entries = [{"convs": "b.{i}.conv.**"}, {"slope": "b.1.weight"}]
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rule_set_from_mapping({"arch": "a", "layers": entries}))
    assert caught.value.gaps == (Gap("convs", "b.{i}.conv.**", "i", (range(1, 2),)),)


def test_a_huge_number_after_modules_without_parameters_costs_nothing():
    model = vgg(nn.ReLU())
    model["features"].add_module("999999999", nn.Conv2d(4, 4, 1))
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, RULES)
    assert caught.value.gaps[0].missing == (range(3, 999999999),)


def test_the_first_module_may_have_none():
    model = nn.ModuleDict({"features": nn.Sequential(nn.Dropout(), nn.Linear(2, 2))})
    model["classifier"] = nn.Linear(2, 2)
    assert layers_of(assign_layers(model, RULES))["features.1.weight"] == 0


def test_each_stage_is_asked_by_its_own_path():
    def stage(*modules):
        return nn.Sequential(nn.Linear(2, 2), *modules, nn.Linear(2, 2))

    model = nn.ModuleDict({"s": nn.Sequential(stage(nn.ReLU()), nn.ReLU(), stage(nn.Identity()))})
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, NESTED)
    assert caught.value.gaps == (Gap("all", "s.2.{block}.**", "block", (range(1, 2),)),)
    model["s"][2][1] = nn.Tanh()
    assert assign_layers(model, NESTED).num_layers == 4


def test_a_list_under_a_prefix_and_in_wrappers_is_asked_too():
    model = nn.ModuleDict({"backbone": vgg(nn.ReLU()), "neck": nn.Linear(2, 2)})
    prefixed = assign_layers(model, RULES, prefix="backbone", outside="head")
    assert prefixed["backbone.features.2.weight"].layer == 1
    wrapped = assign_layers(nn.DataParallel(vgg(nn.ReLU())), RULES)
    assert wrapped["module.features.2.weight"].layer == 1


def test_names_alone_do_not_tell_and_the_error_says_so():
    pairs = list(vgg(nn.ReLU()).named_parameters())
    with pytest.raises(CoverageError) as caught:
        assign_layers(pairs, RULES)
    assert str(caught.value) == (
        "rule set 'vgg' (layout 'default') does not fit this model:\n"
        "  missing from a run of indices:\n"
        "    features.{i}.**  (features: no i 1)\n"
        "From names alone it cannot be seen whether a module without parameters is there, such "
        "as an activation: pass the module. Where the model is right, copy the rule file, mend "
        "its patterns, and pass its path as arch."
    )


def test_an_assignment_made_from_the_module_is_for_its_pairs_too():
    model = vgg(nn.ReLU())
    groups = build_param_groups(model.named_parameters(), assign_layers(model, RULES))
    assert sorted({group["layer"] for group in groups}) == [0, 1, 2]


@pytest.mark.parametrize("depth", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_one_line_is_enough_for_every_vgg(depth):
    torchvision = pytest.importorskip("torchvision")
    assignment = assign_layers(on_meta(getattr(torchvision.models, depth)), RULES)
    assert assignment.num_layers == int(depth[3:]) - 3 + 1


def test_one_of_several_lists_without_parameters_is_enough():
    """An entry with two lists: in the first is an activation, the second is shorter."""
    rules = {"arch": "a", "layers": [{"block": ["a.{i}.**", "b.{i}.**"]}]}
    model = nn.ModuleDict(
        {
            "a": nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)),
            "b": nn.ModuleDict({"0": nn.Linear(2, 2), "2": nn.Linear(2, 2)}),
        }
    )
    layers = layers_of(assign_layers(model, rule_set_from_mapping(rules)))
    assert (layers["a.2.bias"], layers["b.2.bias"]) == (1, 1)


def test_what_joins_a_block_that_is_not_there_is_a_hole_of_the_innermost_index():
    rules = {
        "arch": "a",
        "layers": [{"block": {"match": "s.{i}.b.{j}.**", "first": "s.{i}.extra.{j}.**"}}],
    }
    model = nn.Module()
    for name in ("s.0.b.0", "s.0.b.1", "s.1.b.0", "s.1.extra.5"):
        *path, leaf = name.split(".")
        inner = model
        for part in path:
            if part not in inner._modules:
                inner.add_module(part, nn.Module())
            inner = inner._modules[part]
        inner.add_module(leaf, nn.Linear(2, 2))
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rule_set_from_mapping(rules))
    assert caught.value.gaps == (Gap("block", "s.1.b.{j}.**", "j", (range(5, 6),)),)


def test_holes_are_named_in_the_order_of_the_stages():
    model = model_with([f"s.{stage}.{block}.w" for stage in range(12) for block in (0, 2)])
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, NESTED)
    assert [gap.pattern for gap in caught.value.gaps] == [f"s.{n}.{{block}}.**" for n in range(12)]


def test_of_many_holes_twenty_are_named():
    model = model_with([f"s.{stage}.{block}.w" for stage in range(22) for block in (0, 2)])
    rules = {"arch": "net", "layers": [{"block": "s.{stage}.{block}.w"}]}
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rules)
    assert len(caught.value.gaps) == 22
    holes = str(caught.value).partition("missing from a run of indices:\n")[2].splitlines()
    assert holes[20] == "    … and 2 more"
    assert "s.19." in holes[19]

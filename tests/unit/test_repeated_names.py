"""Models of the same names, one after another: what one of them was does not count for the next."""

import pytest
import torch
from torch import nn

from lrd_registry import CoverageError, assign_layers
from tests.support.building import model_with

pytestmark = pytest.mark.engine

RULES = {
    "arch": "two",
    "layers": [{"block": "blocks.{i}.**"}, {"head": {"match": "head.**", "optional": True}}],
}
NAMES = ["blocks.0.weight", "blocks.1.weight", "head.weight"]


class Net(nn.Module):
    """A class of its own: what holds nothing but names is not asked for more than these."""


def linear() -> nn.Linear:
    return nn.Linear(1, 1, bias=False)


def blocks_and_head(*blocks: nn.Module, **head: nn.Module | None) -> nn.Module:
    model = Net()
    model.blocks = nn.Sequential(*blocks)
    for name, module in head.items():
        model.register_module(name, module)
    return model


def test_the_assignment_of_the_same_names_is_the_same():
    first, again = (assign_layers(model_with(NAMES), RULES) for _ in range(2))
    assert first == again
    assert first.fingerprint() == again.fingerprint()
    assert list(again) == NAMES


def test_the_same_names_in_another_order_are_listed_in_that_order():
    assign_layers(model_with(NAMES), RULES)
    assert list(assign_layers(model_with(NAMES[::-1]), RULES)) == NAMES[::-1]


def test_tied_parameters_are_seen_after_a_model_without_them():
    untied = blocks_and_head(linear(), linear(), head=linear())
    assert assign_layers(untied, RULES).num_layers == 3
    tied = blocks_and_head(linear(), linear(), head=linear())
    tied.head.weight = tied.blocks[0].weight
    with pytest.raises(CoverageError, match=r"tied as head\.weight"):
        assign_layers(tied, RULES)


def test_a_removed_head_is_seen_after_a_model_that_never_had_one():
    assert assign_layers(blocks_and_head(linear(), linear()), RULES).num_layers == 3
    with pytest.raises(CoverageError, match="head"):
        assign_layers(blocks_and_head(linear(), linear(), head=None), RULES)


def test_a_missing_block_is_seen_after_a_model_whose_block_has_no_parameters():
    silent = blocks_and_head(linear(), nn.ReLU(), linear(), head=linear())
    assert assign_layers(silent, RULES).num_layers == 3
    with pytest.raises(CoverageError, match="no i 1"):
        assign_layers(silent.named_parameters(), RULES)


def test_what_is_known_by_names_stays_so_after_a_model_known_by_its_class():
    net, kind = nn.Bilinear(1, 1, 1), "torch.nn.modules.linear.Bilinear"
    layout = {"classes": kind, "layers": [{"all": "*"}]}
    rules = {"arch": "by_class", "layouts": {"own": layout}}
    known = [assign_layers(model, rules).known_by for model in (net, net.named_parameters(), net)]
    assert known == ["class", "names", "class"]


def test_a_wrapped_model_is_named_as_it_spells_its_names_after_a_bare_one():
    bare, wrapped = model_with(NAMES), nn.DataParallel(model_with(NAMES))
    names = [list(assign_layers(model, RULES)) for model in (bare, wrapped, bare)]
    assert names == [NAMES, [f"module.{name}" for name in NAMES], NAMES]


def test_the_head_of_a_wrapped_model_is_missed_after_one_that_never_had_it():
    never = blocks_and_head(linear(), linear())
    assert assign_layers(nn.DataParallel(never), RULES).num_layers == 3
    removed = nn.DataParallel(blocks_and_head(linear(), linear(), head=None))
    with pytest.raises(CoverageError, match="head"):
        assign_layers(removed, RULES)


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile])
def test_a_wrapper_around_a_wrapper_leaves_the_names_as_they_were_written(wrap):
    model = wrap(nn.DataParallel(blocks_and_head(linear(), head=linear())))
    assert list(assign_layers(model, RULES).written.values()) == [NAMES[0], NAMES[2]]

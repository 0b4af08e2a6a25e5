"""A module whose author called it as a wrapper would keeps its name."""

import peft
import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from lrd_registry import CoverageError, assign_layers, build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of
from tests.support.wrappers.checking import Before, check
from tests.support.wrappers.tiny import timm_vit

pytestmark = pytest.mark.engine

SPEAKING = ["module", "base_model", "model", "base_layer", "parametrizations"]
NO_AUTHORS = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
    "original_module",
    "modules_to_save",
    "prompt_encoder",
]
EVERY = [*SPEAKING, *NO_AUTHORS]
LAYERS = {"in.weight": 0, "in.bias": 0, "{0}.weight": 1, "{0}.bias": 1, "{0}.{0}.w": 2}


class Inner(nn.Linear):
    """A linear module with another inside, under a name of the test's choice."""

    def __init__(self, name: str) -> None:
        super().__init__(4, 4)
        child = nn.Module()
        child.w = nn.Parameter(torch.ones(4, 4))
        self.add_module(name, child)


def named(name):
    """A model of three layers, two of them in modules of one name, and rules that name it so."""
    model = nn.Sequential()
    model.add_module("in", nn.Linear(4, 4))
    model.add_module(name, Inner(name))
    stem, inner, head = "in.*", [f"{name}.weight", f"{name}.bias"], f"{name}.{name}.w"
    entries = [{"stem": stem}, {"inner": inner}, {"head": head}]
    return model, rule_set_from_mapping({"arch": "own", "layers": entries})


@pytest.mark.parametrize("name", EVERY)
def test_an_authors_name_is_kept(name):
    model, rules = named(name)
    expected = {key.format(name): layer for key, layer in LAYERS.items()}
    assert layers_of(assign_layers(model, rules)) == expected


@pytest.mark.parametrize("name", SPEAKING)
def test_it_is_kept_in_pairs_of_name_and_parameter(name):
    model, rules = named(name)
    assert assign_layers(model.named_parameters(), rules) == assign_layers(model, rules)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "wrap", [nn.DataParallel, DistributedDataParallel, torch.compile, checkpoint_wrapper]
)
@pytest.mark.usefixtures("one_process")
def test_it_is_kept_inside_a_wrapper(name, wrap):
    model, rules = named(name)
    before = Before(model, rules)
    wrapped = wrap(model)
    expected = before.expected(wrapped, {})
    assert layers_of(assign_layers(wrapped, rules)) == expected


@pytest.mark.parametrize("name", EVERY)
def test_it_is_kept_in_an_averaged_copy_and_beside_adapters(name):
    model, rules = named(name)
    before = assign_layers(model, rules)
    averaged = assign_layers(AveragedModel(model), rules)
    assert layers_of(averaged) == {f"module.{n}": i for n, i in layers_of(before).items()}
    wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=["in"], r=2))
    layers = layers_of(assign_layers(wrapped, rules))
    assert layers[f"base_model.model.{name}.{name}.w"] == 2
    assert layers["base_model.model.in.lora_A.default.weight"] == 0


# timm has its own ViT under `model`, with features_only=True.
@pytest.mark.parametrize("name", [name for name in EVERY if name != "model"])
def test_a_vit_in_an_attribute_of_a_wrappers_name_is_no_vit(name):
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module(name, timm_vit())

    model = Model()
    with pytest.raises(CoverageError) as caught:
        build_param_groups(model, "vit")
    assert f"{name}.cls_token" in caught.value.unmatched


@pytest.mark.parametrize("name", SPEAKING)
def test_everything_in_a_module_of_that_name(name):
    """Also where a model has nothing else, so that all names begin with it."""
    model = nn.ModuleDict({name: nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))})
    rules = rule_set_from_mapping(
        {"arch": "own", "layers": [{"stem": f"{name}.0.*"}, {"head": f"{name}.1.*"}]}
    )
    before = Before(model, rules)
    check(model, before)
    check(nn.DataParallel(model), before)


def test_adapters_around_a_module_that_its_author_called_base_layer():
    model, rules = named("base_layer")
    before = Before(model, rules)
    wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=["in"], r=2))
    start = "base_model.model.in"
    new = {f"{start}.lora_{side}.default.weight": 0 for side in "AB"}
    assert layers_of(assign_layers(wrapped, rules)) == before.expected(wrapped, new)

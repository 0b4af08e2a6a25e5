"""Lightning Fabric: its module holds the model twice, as it was given and as it is run."""

import pytest
import torch
from lightning.fabric import Fabric

from lrd_registry import assign_layers, build_param_groups, verify_learning_rates
from tests.support.building import layers_of
from tests.support.wrappers.checking import Before, check, decays
from tests.support.wrappers.tiny import NET, Net, timm_vit

pytestmark = [pytest.mark.engine, pytest.mark.library]


@pytest.fixture
def fabric():
    return Fabric(accelerator="cpu", devices=1)


@pytest.mark.parametrize(("build", "arch"), [(Net, NET), (timm_vit, "vit")], ids=["net", "vit"])
def test_a_model_that_was_set_up_keeps_its_layers(fabric, build, arch):
    model = build()
    before = Before(model, arch)
    check(fabric.setup_module(model), before)


def test_a_compiled_model_keeps_its_layers(fabric):
    model = Net()
    before = Before(model, NET)
    check(fabric.setup_module(torch.compile(model)), before)


def test_names_are_those_of_the_module_as_it_is_run(fabric):
    wrapped = fabric.setup_module(Net())
    assert list(assign_layers(wrapped, NET)) == [
        f"_forward_module.{name}" for name, _ in Net().named_parameters()
    ]


def test_what_the_model_exempts_from_weight_decay_stays_exempt(fabric):
    wrapped = fabric.setup_module(Net())
    found = decays(build_param_groups(wrapped, NET, weight_decay=0.1))
    assert found["_forward_module.table"] == found["_forward_module.head.bias"] == 0
    assert found["_forward_module.head.weight"] == 0.1


def test_groups_made_before_setup_train_at_their_rates_after_it(fabric):
    model = Net()
    layers = assign_layers(model, NET)
    groups = build_param_groups(model, NET, lr=1e-2, layer_decay=0.5)
    wrapped, optimizer = fabric.setup(model, torch.optim.SGD(groups))
    fabric.backward(wrapped(torch.ones(1, 4)).sum())
    optimizer.step()
    verify_learning_rates(optimizer.optimizer, layers, lr=1e-2, layer_decay=0.5)
    assert layers_of(assign_layers(wrapped, layers)) == {
        f"_forward_module.{name}": layer for name, layer in layers_of(layers).items()
    }

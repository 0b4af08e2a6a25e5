"""What is wrapped is traced as what is inside, by the wrapped model's own names."""

import peft
import pytest
import torch
from torch import distributed, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations, parametrize
from torch.optim.swa_utils import AveragedModel
from torch.utils.checkpoint import checkpoint

from lrd_registry.tracing import trace
from tests.support.tracing.networks import WIDTH, Of, linear

SHAPE = (2, WIDTH)


def net():
    """The names of wrappers, chosen by an author, and used in the reverse order."""
    return Of(
        lambda net, x: net.module(net._orig_mod(x)),
        module=linear(),
        _orig_mod=nn.Sequential(linear()),
    )


WRAPPERS = {
    "module.": nn.DataParallel,
    "_orig_mod.": torch.compile,
    "_orig_mod.module.": lambda model: torch.compile(nn.DataParallel(model)),
    "module._orig_mod.": lambda model: nn.DataParallel(torch.compile(model)),
}


@pytest.fixture
def process_group():
    distributed.init_process_group("gloo", rank=0, world_size=1, store=distributed.HashStore())
    yield
    distributed.destroy_process_group()


def check(model, start):
    found = trace(model, SHAPE)
    assert found.order() == [f"{start}_orig_mod.0.weight", f"{start}module.weight"]
    assert [first.module for first, _ in found.uses.values()] == ["module", "_orig_mod.0"]
    assert found.unused == ()


@pytest.mark.parametrize("start", WRAPPERS)
def test_around_the_model(start):
    check(WRAPPERS[start](net()), start)


@pytest.mark.usefixtures("process_group")
def test_in_ddp():
    check(DistributedDataParallel(net()), "module.")


def test_around_modules_inside():
    model = net()
    model._orig_mod = torch.compile(nn.Sequential(checkpoint_wrapper(linear())))
    found = trace(nn.DataParallel(model), SHAPE)
    first = "module._orig_mod._orig_mod.0._checkpoint_wrapped_module.weight"
    assert found.order() == [first, "module.module.weight"]
    assert found.uses[first][0].module == "_orig_mod.0"


def test_the_wrappers_stay():
    model = nn.DataParallel(net())
    model.module.module = checkpoint_wrapper(linear())
    before = [type(module) for module in model.modules()]
    trace(model, SHAPE)
    assert [type(module) for module in model.modules()] == before


def test_an_averaged_model():
    found = trace(AveragedModel(net()), SHAPE)
    assert found.order() == ["module._orig_mod.0.weight", "module.module.weight"]


def test_parametrizations_are_run():
    model = net()
    parametrizations.weight_norm(model.module)
    found = trace(model, SHAPE)
    path = "module.parametrizations.weight.original"
    assert found.unused == ()
    assert found.depends[f"{path}0"] == found.depends[f"{path}1"] == {"_orig_mod.0.weight"}
    assert parametrize.is_parametrized(model.module)


def test_adapters_are_run():
    class Author(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = linear(), linear()

        def forward(self, x):
            return self.last(self.first(x))

    config = peft.LoraConfig(target_modules=["first", "last"], r=2)
    found = trace(peft.get_peft_model(Author(), config), SHAPE)
    paths = [f"base_model.model.{name}" for name in ("first", "last")]
    parts = ["base_layer.weight", "lora_A.default.weight", "lora_B.default.weight"]
    assert set(found.uses) == {f"{path}.{part}" for path in paths for part in parts}
    last = [f"{paths[1]}.{part}" for part in parts]
    first = {f"{paths[0]}.{part}" for part in parts}
    assert found.depends[last[0]] == found.depends[last[1]] == first
    assert found.depends[last[2]] == first | {last[1]}
    modules = [found.uses[name][0].module for name in last]
    assert modules == ["last", "last.lora_A.default", "last.lora_B.default"]


def test_activation_checkpointing_is_no_matter():
    model = Of(
        lambda net, x: net.b(checkpoint(net.a, x, use_reentrant=False)), a=linear(), b=linear()
    )
    assert trace(model, SHAPE).depends["b.weight"] == {"a.weight"}

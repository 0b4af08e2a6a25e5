"""A trace leaves the model, its surroundings and the random state as they were."""

import random
from copy import deepcopy

import numpy
import pytest
import torch
from torch import nn

from lrd_registry import ModelError
from lrd_registry.tracing import trace
from tests.support.tracing.networks import WIDTH, Of, batch_norm_and_dropout, linear

IMAGE = (2, 3, 8, 8)
INPUTS = [IMAGE, torch.ones(IMAGE)]


def noisy(net, x):
    """Draws from every source of chance, and writes over its input."""
    numpy.random.rand()
    return net.a(x.mul_(random.random() * torch.rand(()))) + torch.rand(2, WIDTH)


@pytest.mark.parametrize("inputs", INPUTS, ids=["meta", "real"])
def test_weights_buffers_mode_and_gradients(inputs):
    net = batch_norm_and_dropout().train()
    net[0].weight.grad = torch.ones_like(net[0].weight)
    before, versions = deepcopy(net.state_dict()), [p._version for p in net.state_dict().values()]
    found = trace(net, inputs)
    assert [*found.uses] == ["0.weight", "1.weight", "1.bias"]
    after = net.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert [p._version for p in net.state_dict().values()] == versions
    assert all(module.training for module in net.modules())
    assert torch.equal(net[0].weight.grad, torch.ones_like(net[0].weight))
    assert net[0].weight.requires_grad


@pytest.mark.parametrize("inputs", [(2, WIDTH), torch.ones(2, WIDTH)], ids=["meta", "real"])
def test_the_random_state_and_the_input(inputs):
    net = Of(noisy, a=linear())
    before = torch.get_rng_state(), random.getstate(), numpy.random.get_state()
    trace(net, inputs)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert all(numpy.array_equal(*both) for both in zip(numpy.random.get_state(), before[2],
                                                         strict=True))  # fmt: skip
    assert isinstance(inputs, tuple) or torch.equal(inputs, torch.ones(2, WIDTH))


@pytest.mark.parametrize("inputs", INPUTS, ids=["meta", "real"])
def test_hooks_stay_and_are_not_called(inputs):
    net, seen = batch_norm_and_dropout(), []
    net[0].register_forward_hook(lambda *_: seen.append("hook"))
    net[0].register_forward_pre_hook(seen.append)
    trace(net, inputs)
    assert seen == []
    assert [len(net[0]._forward_hooks), len(net[0]._forward_pre_hooks)] == [1, 1]
    assert [len(m._forward_hooks) for m in net[1:]] == [0, 0, 0]


def test_a_hook_that_makes_a_weight_is_part_of_the_pass():
    """As the older weight normalisation has it, whose tensor no deep copy can copy."""
    with pytest.warns(FutureWarning):
        first = torch.nn.utils.weight_norm(linear())
    first(torch.ones(2, WIDTH))
    found = trace(nn.Sequential(first, linear()), (2, WIDTH))
    assert found.unused == ()
    assert found.depends["1.weight"] == {"0.weight_g", "0.weight_v"}


@pytest.mark.parametrize("inputs", [(2, WIDTH), torch.ones(2, WIDTH)], ids=["meta", "real"])
def test_a_pass_that_writes_into_its_own_tensors(inputs):
    def forward(net, x):
        net.count.add_(1)
        net.kept.mul_(0)
        return net.a(x) * net.a.weight.mul_(0)[:2]

    net = Of(forward, a=linear(), kept=torch.ones(2))
    net.register_buffer("count", torch.zeros(1))
    before = net.a.weight.clone()
    trace(net, inputs)
    assert (net.count.item(), net.kept.sum().item()) == (0, 2)
    assert torch.equal(net.a.weight, before)


def test_the_pass_is_that_of_eval_mode():
    def forward(net, x):
        return net.a(x) + net.b(x) if net.training or net.b.training else net.a(x)

    net = Of(forward, a=linear(), b=linear()).train()
    assert trace(net, (2, WIDTH)).unused == ("b.weight",)
    assert net.b.training


def test_state_that_a_model_keeps_is_its_copys():
    class Counting(nn.Linear):
        calls = ()

        def forward(self, x):
            self.calls = (*self.calls, x)
            return super().forward(x)

    net = Counting(WIDTH, WIDTH)
    net.kept = []
    trace(net, (2, WIDTH))
    assert (net.calls, net.kept) == ((), [])


def test_on_the_meta_device_no_memory_is_taken():
    """A terabyte of weights in the copy would not fit."""
    net = nn.Sequential(nn.Linear(2**20, 2**18, bias=False, device="meta"))
    assert trace(net, (1, 2**20)).unused == ()


def test_a_model_that_cannot_be_copied_is_told():
    net = linear()
    net.generator = (number for number in range(3))
    with pytest.raises(ModelError, match="Linear cannot be copied to be traced: TypeError: cannot"):
        trace(net, (2, WIDTH))

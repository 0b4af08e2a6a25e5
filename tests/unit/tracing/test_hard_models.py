"""Models that behave as few do: they are traced, or an error of ours says why not."""

import dataclasses
import threading
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from lrd_registry import ModelError
from lrd_registry.errors import TraceError
from lrd_registry.tracing import trace
from tests.support.tracing.networks import WIDTH, Of, linear, table

SHAPE = (2, WIDTH)


class ReturningNothing(nn.Sequential):
    """As OpenMMLab's backbones, which freeze some stages in `train`."""

    def train(self, mode=True):
        super().train(mode)


class Staying(nn.Linear):
    def eval(self):
        pass


@pytest.mark.parametrize("net", [ReturningNothing(linear()), Staying(WIDTH, WIDTH)])
def test_train_and_eval_may_return_nothing(net):
    assert trace(net, SHAPE).unused == ()


def stft(net, x):
    found = torch.stft(x.flatten(), 4, window=torch.hann_window(4), return_complex=True)
    return net.a(x) + found.abs().sum()


def recurrent(net, x):
    return net.a(net.rnn(x[None], torch.zeros(1, 2, WIDTH))[0])


def attending(net, x):
    query = net.a(x)[None, None]
    return functional.scaled_dot_product_attention(query, query, torch.ones(1, 1, *SHAPE))


MIXED = [
    Of(stft, a=linear()),
    Of(recurrent, a=linear(), rnn=nn.GRU(WIDTH, WIDTH)),
    Of(attending, a=linear()),
]


@pytest.mark.parametrize("net", MIXED, ids=["stft", "gru", "attention"])
@pytest.mark.parametrize("inputs", [SHAPE, torch.ones(SHAPE)], ids=["meta", "real"])
def test_constants_on_the_cpu_beside_data_on_meta(net, inputs):
    found = trace(net, inputs)
    assert found.unused == ()
    if "rnn.weight_ih_l0" in found.uses:
        assert found.comes_before("rnn.weight_ih_l0", "a.weight")


def test_a_constant_that_was_written_into_keeps_what_from():
    def forward(net, x):
        kept = torch.ones(1, *SHAPE)
        kept[0] = net.a(x)
        return net.b(functional.scaled_dot_product_attention(x[None], x[None], kept))

    net = Of(forward, a=linear(), b=linear())
    assert trace(net, SHAPE).comes_before("a.weight", "b.weight")


def test_numbers_that_a_model_writes_down_for_itself_can_be_read():
    """As the shapes of the levels in deformable attention."""

    def forward(net, x):
        sizes = torch.empty((1, 2), dtype=torch.long, device=x.device)
        sizes[0, 0], sizes[0, 1] = x.shape
        return net.a(x).view(sizes.prod(1).tolist())

    assert trace(Of(forward, a=linear()), SHAPE).unused == ()


def test_a_source_of_chance_that_a_model_keeps():
    def forward(net, x):
        return net.a(x) + torch.rand(WIDTH, generator=net.chance)

    net = Of(forward, a=linear(), chance=torch.Generator().manual_seed(3))
    before = net.chance.get_state()
    for inputs in (SHAPE, torch.ones(SHAPE)):
        assert trace(net, inputs).unused == ()
    assert torch.equal(net.chance.get_state(), before)


@dataclasses.dataclass
class Output:
    logits: Any
    inner: Any = None


def test_parameters_handed_out_in_dataclasses_are_used():
    def forward(net, x):
        return Output(net.a(x), Output(net.queries))

    assert trace(Of(forward, a=linear(), queries=table(3)), SHAPE).unused == ()


def test_a_pass_that_gives_nothing():
    def forward(net, x):
        net.a(x)

    assert trace(Of(forward, a=linear()), SHAPE).unused == ()


class SilentError(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    "error", [SilentError(), StopIteration(), RecursionError("deep"), KeyError(3)]
)
def test_errors_of_every_kind_are_told(error):
    def forward(*_):
        raise error

    with pytest.raises(TraceError, match=f"^Of cannot be traced: {type(error).__name__}"):
        trace(Of(forward), SHAPE)


def test_arguments_that_go_by_name_alone():
    net = Of(lambda net, *, image: net.a(image), a=linear())
    assert trace(net, {"image": SHAPE}).unused == ()
    with pytest.raises(TraceError, match="takes 1 positional argument"):
        trace(net, SHAPE)


def test_weights_on_several_devices():
    net = nn.Sequential(linear(), linear().to("meta"))
    assert trace(net, SHAPE).comes_before("0.weight", "1.weight")


def test_hooks_that_are_objects_take_part():
    class Doubling:
        def __call__(self, module, _, output):
            return module.more(output)

    net = nn.Sequential(linear())
    net.more = linear()
    net.register_forward_hook(Doubling())
    assert trace(net, SHAPE).comes_before("0.weight", "more.weight")


def test_what_cannot_be_copied_is_told():
    net = linear()
    net.lock = threading.Lock()
    with pytest.raises(ModelError) as caught:
        trace(net, SHAPE)
    assert str(caught.value) == (
        "Linear cannot be copied to be traced: TypeError: cannot pickle '_thread.lock' object; "
        "trace it before it is sharded or wrapped, and without what copy.deepcopy cannot copy"
    )


def test_a_lazy_module_is_told():
    with pytest.raises(ModelError) as caught:
        trace(nn.Sequential(nn.LazyLinear(3)), SHAPE)
    assert str(caught.value) == (
        "Sequential cannot be copied to be traced: the shape of '0.weight' is not known yet; run "
        "the model once on an input, or build it with its sizes"
    )

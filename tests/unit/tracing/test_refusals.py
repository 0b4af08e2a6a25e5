"""What cannot be traced on the meta device, and how it can be traced."""

import pytest
import torch
from torch import nn

from lrd_registry import InvalidArgumentError, ModelError
from lrd_registry.tracing import trace
from tests.support.tracing.networks import WIDTH, Of, linear

SHAPE = (2, WIDTH)


def branching(net, x):
    return net.a(x) if x.sum() > 0 else net.b(x)


def reading(net, x):
    return net.b(net.a(x) * x.max().item())


def masking(net, x):
    found = net.a(x)
    return net.b(found[found > 0].sum() + found)


def routing(net, x):
    chosen = torch.where(x.sum(1) > 0)[0]
    return net.b(net.a(x).index_add(0, chosen, x[chosen]))


def writing(net, x):
    """What has been written over on the meta device has other values than before."""
    mask = torch.ones(2)
    mask[:] = net.a(x).sum(1) > 0
    return net.b(x) if (mask * 2).all() else net.a(net.b(x))


LOOKING = {
    "aten._local_scalar_dense": [branching, reading, writing],
    "aten.nonzero": [routing],
    "aten.index": [masking],
}
CASES = [(operation, forward) for operation, made in LOOKING.items() for forward in made]


@pytest.mark.parametrize(("operation", "forward"), CASES)
def test_the_operation_that_needs_data_is_named(operation, forward):
    net = Of(forward, a=linear(), b=linear())
    with pytest.raises(ModelError) as caught:
        trace(net, SHAPE)
    assert str(caught.value) == (
        f"Of cannot be traced on the meta device: {operation} needs data; pass real tensors"
    )


@pytest.mark.parametrize("forward", [forward for _, forward in CASES])
def test_it_can_be_traced_with_real_tensors(forward):
    net = Of(forward, a=linear(), b=linear())
    found = trace(net, torch.ones(SHAPE))
    if forward is branching:
        assert len(found.unused) == 1
    elif forward is not writing:
        assert found.comes_before("a.weight", "b.weight")


def test_the_module_is_named_too():
    inner = Of(branching, a=linear(), b=linear())
    net = nn.Sequential(linear(), nn.ModuleDict({"inner": inner})["inner"])
    with pytest.raises(ModelError, match=r"aten._local_scalar_dense in 1 needs data"):
        trace(net, SHAPE)


def test_real_tensors_for_a_model_without_weights_do_not_help():
    with torch.device("meta"):
        net = Of(reading, a=linear(), b=linear())
    assert trace(net, torch.ones(SHAPE)).unused == ()
    with torch.device("meta"):
        net = Of(masking, a=linear(), b=linear())
    with pytest.raises(ModelError, match="needs data; build it with its weights, and pass real"):
        trace(net, torch.ones(SHAPE))


def test_an_operation_without_a_kernel_for_the_meta_device_is_named():
    @torch.library.custom_op("lrd_tests::doubled", mutates_args=())
    def doubled(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    net = Of(lambda net, x: net.b(doubled(net.a(x))), a=linear(), b=linear())
    with pytest.raises(ModelError) as caught:
        trace(net, SHAPE)
    assert str(caught.value) == (
        "Of cannot be traced on the meta device: lrd_tests.doubled has no kernel for it; pass real "
        "tensors"
    )
    found = trace(net, torch.ones(SHAPE))
    assert found.comes_before("a.weight", "b.weight")


@pytest.mark.parametrize("read", [torch.Tensor.numpy, torch.Tensor.tolist])
def test_reading_the_data_without_an_operation_is_told(read):
    net = Of(lambda net, x: net.b(torch.tensor(read(net.a(x)))), a=linear(), b=linear())
    with pytest.raises(ModelError, match=r"^Of cannot be traced on the meta device: .*; pass real"):
        trace(net, SHAPE)
    assert trace(net, torch.ones(SHAPE)).unused == ()


def test_a_shape_that_does_not_fit_is_told_with_the_operation():
    with pytest.raises(ModelError) as caught:
        trace(nn.Sequential(linear()), (2, 3))
    assert str(caught.value) == (
        "Sequential cannot be traced: aten.mm in 0: RuntimeError: a and b must have same reduction "
        "dim, but got [2, 3] X [4, 4]."
    )


def test_an_error_of_the_models_own_is_told():
    class Refusing(nn.Linear):
        def forward(self, x):
            raise ValueError(f"no\n{x}")

    with pytest.raises(ModelError) as caught:
        trace(Refusing(2, 2), SHAPE)
    assert str(caught.value) == "Refusing cannot be traced: ValueError: no"


def test_a_model_without_a_forward_pass_is_told():
    with pytest.raises(ModelError, match="Module cannot be traced: NotImplementedError"):
        trace(nn.Module(), SHAPE)


@pytest.mark.parametrize(
    "make", [torch.jit.script, lambda net: torch.jit.trace(net, torch.ones(SHAPE))]
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torchscript_is_refused(make):
    with pytest.raises(ModelError, match=r"^the model is TorchScript, .*; trace the module that"):
        trace(make(nn.Sequential(linear())), SHAPE)
    with pytest.raises(ModelError, match=r"^0 is TorchScript"):
        trace(nn.Sequential(make(linear())), SHAPE)


def test_parameters_without_a_shape_are_told():
    with pytest.raises(ModelError, match="LazyLinear cannot be copied to be traced: "):
        trace(nn.LazyLinear(3), SHAPE)


def test_what_is_no_model():
    with pytest.raises(InvalidArgumentError, match=r"expected a torch.nn.Module, found list"):
        trace([("a", nn.Parameter())], SHAPE)

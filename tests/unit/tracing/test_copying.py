"""The structure of a model without its memory."""

import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

from lrd_registry.tracing.copy_model import on_meta, structural_copy, with_its_data
from tests.support.tracing.networks import linear, tied


def test_what_wraps_is_left_away():
    model = nn.Sequential(linear(), nn.Sequential(checkpoint_wrapper(linear())))
    model[1] = torch.compile(nn.DataParallel(model[1]))
    copied, _ = structural_copy(nn.DataParallel(torch.compile(model)), on_meta)
    assert [type(module) for module in copied.modules()] == [
        nn.Sequential,
        nn.Linear,
        nn.Sequential,
        nn.Linear,
    ]


def test_the_parameters_are_those_of_the_copy_in_the_models_order():
    model = nn.Sequential(linear(), nn.BatchNorm1d(4))
    copied, parameters = structural_copy(model, on_meta)
    assert list(map(id, copied.parameters())) == list(map(id, parameters))
    assert [tuple(p.shape) for p in parameters] == [(4, 4), (4,), (4,)]
    tensors = [*copied.parameters(), *copied.buffers()]
    assert [tensor.device.type for tensor in tensors] == ["meta"] * 6


def test_tied_parameters_stay_tied():
    copied, parameters = structural_copy(tied(), on_meta)
    assert len(parameters) == 2
    assert copied.embedding.weight is copied.head.weight


def test_with_data_each_tensor_has_memory_of_its_own():
    model = nn.BatchNorm1d(4)
    copied, _ = structural_copy(model, with_its_data)
    for name, tensor in model.state_dict().items():
        assert torch.equal(copied.state_dict()[name], tensor)
        assert copied.state_dict()[name].data_ptr() != tensor.data_ptr()


def test_tensors_that_are_neither_have_no_memory_either():
    model = linear()
    model.anchors = [torch.ones(3), {"more": torch.ones(2, requires_grad=True) * 2}]
    copied, _ = structural_copy(model, on_meta)
    first, second = copied.anchors[0], copied.anchors[1]["more"]
    assert (first.is_meta, first.shape, second.is_meta, second.shape) == (True, (3,), True, (2,))
    assert not model.anchors[0].is_meta

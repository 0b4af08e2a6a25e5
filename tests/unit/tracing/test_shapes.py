"""Inputs that are given as shapes: numbers without data, or what a model looks at."""

import pytest
import torch
from torch import nn

from lrd_registry import InvalidArgumentError
from lrd_registry.errors import TraceError
from lrd_registry.tracing import trace
from lrd_registry.tracing.example_inputs import given_arguments, hold_data
from tests.support.tracing.networks import WIDTH, Of, linear, tied


class Text(nn.Module):
    """As Longformer: it looks for padding, and at the mask."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(9, WIDTH), linear()

    def forward(self, input_ids, attention_mask=None):
        assert input_ids.min() > 0
        assert attention_mask is None or attention_mask.all()
        return self.head(self.embedding(input_ids))


@pytest.mark.parametrize(
    "inputs",
    [
        (2, 5),
        [(2, 5), (2, 5)],
        {"input_ids": (2, 5)},
        {"input_ids": (2, 5), "attention_mask": (2, 5)},
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_tokens_and_masks_hold_data_and_the_weights_need_none(inputs, device):
    with torch.device(device):
        net = Text()
    assert trace(net, inputs).comes_before("embedding.weight", "head.weight")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("input_ids", [[1, 1, 1]]),
        ("ids", [[1, 1, 1]]),
        ("idx", [[1, 1, 1]]),
        ("decoder_attention_mask", [[1, 1, 1]]),
        ("token_type_ids", [[0, 0, 0]]),
        ("position_ids", [[0, 1, 2]]),
        ("src_key_padding_mask", [[False, False, False]]),
    ],
)
def test_what_the_name_of_an_argument_stands_for(name, expected):
    _, by_name = given_arguments({name: (1, 3)}, nn.ReLU())
    assert by_name[name].tolist() == expected


def test_other_names_are_numbers_without_data():
    _, by_name = given_arguments({"valid": (1, 3), "mask": (1, 3)}, nn.ReLU())
    assert [(value.is_meta, value.dtype) for value in by_name.values()] == [
        (True, torch.float32)
    ] * 2


def test_numbers_stand_for_tokens_where_an_embedding_takes_them():
    assert trace(tied(), (2, 3)).order() == ["embedding.weight", "middle.weight"]
    assert trace(nn.Sequential(nn.EmbeddingBag(9, 2)), (2, 3)).unused == ()


@pytest.mark.parametrize("shape", [(2, -4), (2**62, 2**62)])
@pytest.mark.parametrize("name", ["input_ids", "image"])
def test_a_shape_that_no_tensor_has(name, shape):
    with pytest.raises(InvalidArgumentError) as caught:
        trace(Text(), {name: shape})
    assert str(caught.value) == f"inputs: no tensor has the shape {shape}"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ((2, 3), False),
        (torch.empty(2, device="meta"), False),
        ([(2, 3), None, "mode"], False),
        (torch.ones(2), True),
        ({"image": (2, 3), "more": [torch.ones(2)]}, True),
    ],
)
def test_which_inputs_hold_data(inputs, expected):
    assert hold_data(inputs) is expected


def test_an_argument_that_has_no_name_is_told():
    with pytest.raises(TraceError, match=r"Text cannot be traced: TypeError: .*'1'"):
        trace(Text(), {1: (2, 3)})


def test_real_inputs_are_asked_for_where_they_are_enough():
    """Without the weights, of which a large model has many."""
    with torch.device("meta"):
        of_input = Of(lambda net, x: net.a(x) if x.sum() > 0 else net.b(x), a=linear(), b=linear())
        of_more = Of(lambda net, x: net.b(x) if net.a(x).sum() > 0 else x, a=linear(), b=linear())
        of_buffer = Of(lambda net, x: net.a(x) if net.kept > 0 else x, a=linear())
        of_buffer.register_buffer("kept", torch.ones(()))
    needs = {}
    for net in (of_input, of_more, of_buffer):
        with pytest.raises(TraceError) as caught:
            trace(net, (2, WIDTH))
        needs[net] = caught.value.needs
    assert [*needs.values()] == ["data", "weights", "weights"]
    assert trace(of_input, torch.ones(2, WIDTH)).unused == ("b.weight",)

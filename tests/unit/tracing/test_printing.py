"""What one prints of a trace is its order in short."""

from torch import nn

from lrd_registry.tracing import trace


def two_blocks():
    model = nn.Sequential()
    model.add_module("stem", nn.Linear(2, 2))
    model.add_module("blocks", nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
    return model


def test_printed_it_is_the_modules_and_blocks_in_the_order_of_use():
    assert str(trace(two_blocks(), (1, 2))) == "stem → blocks.0 → blocks.1"


def test_printed_it_tells_what_was_not_used():
    model = two_blocks()
    model.register_parameter("spare", nn.Parameter(model.stem.weight.detach().clone()))
    traced = trace(model, (1, 2))
    assert str(traced).splitlines() == ["stem → blocks.0 → blocks.1", "unused: spare"]
    assert repr(traced) == "<Trace of 6 used and 1 unused parameters>"


def test_equal_traces_have_one_hash():
    assert len({trace(two_blocks(), (1, 2)), trace(two_blocks(), (1, 2))}) == 1

"""Which parameters come before which, exactly, on small networks."""

import pytest
import torch
from torch import nn

from lrd_registry.tracing import trace
from lrd_registry.tracing.result import Use
from tests.support.tracing import networks
from tests.support.tracing.networks import WIDTH, Of, linear, table

SHAPE = (2, WIDTH)


def pairs(found):
    """Everything that comes before something, without `.weight`."""
    names = [*found.depends]
    return {
        (one.removesuffix(".weight"), other.removesuffix(".weight"))
        for one in names
        for other in names
        if found.comes_before(one, other)
    }


def ordered(text):
    """`a < b` of each pair in "a b, a c"."""
    return {tuple(pair.split()) for pair in text.split(", ")} if text else set()


def test_one_after_another():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    found = trace(net, SHAPE)
    first, last = Use(1, "aten.addmm", "0"), Use(4, "aten.addmm", "2")
    assert found.uses == {
        "0.weight": (first, first),
        "0.bias": (first, first),
        "2.weight": (last, last),
        "2.bias": (last, last),
    }
    assert found.unused == ()
    assert found.depends == {
        "0.weight": frozenset(),
        "0.bias": frozenset(),
        "2.weight": {"0.weight", "0.bias"},
        "2.bias": {"0.weight", "0.bias"},
    }
    assert found.order() == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_the_order_is_that_of_the_pass_not_of_the_model():
    net = Of(lambda net, x: net.a(net.b(x)), a=linear(), b=linear())
    assert trace(net, SHAPE).order() == ["b.weight", "a.weight"]
    assert [*trace(net, SHAPE).uses] == ["a.weight", "b.weight"]


@pytest.mark.parametrize(
    ("make", "inputs", "expected"),
    [
        (networks.residual, SHAPE, "a b, a c, b c"),
        (networks.two_towers, [SHAPE, SHAPE], "i1 i2, i1 scale, i2 scale, t1 scale"),
        (
            networks.fusing_branches,
            SHAPE,
            "high1 high2, high1 low2, low1 high2, low1 low2, "
            "high1 head, low1 head, high2 head, low2 head",
        ),
        (networks.in_place, SHAPE, "a c, b c"),
        (networks.standardised, (1, 3, 8, 8), "stem gain, stem weight"),
        (networks.learnt_queries, SHAPE, "encoder queries, encoder mixing, "
         "queries head, mixing head, encoder head"),
    ],
)  # fmt: skip
def test_who_comes_before_whom(make, inputs, expected):
    assert pairs(trace(make(), inputs)) == ordered(expected)


def test_a_shared_bias_is_between_its_first_use_and_its_last():
    found = trace(networks.shared_bias(), SHAPE)
    first, last = found.uses["table"]
    assert [use.operation for use in (first, last)] == ["aten.add", "aten.add"]
    assert first.step < found.uses["blocks.0.out.weight"][0].step < last.step
    blocks = [f"blocks.{block}.{name}.weight" for block in (0, 1) for name in ("into", "out")]
    assert found.order() == [blocks[0], "table", *blocks[1:], "head.weight"]
    of_table = {pair for pair in pairs(found) if "table" in pair}
    assert of_table == ordered("blocks.0.into table, table blocks.1.out, table head")
    assert found.depends["table"] == set(blocks[:3])


def test_a_tied_weight_is_used_twice_and_depends_on_what_is_between():
    found = trace(networks.tied(), {"ids": torch.zeros(2, 3, dtype=torch.int64)})
    first, last = found.uses["embedding.weight"]
    assert (first.operation, first.module) == ("aten.embedding", "embedding")
    assert (last.operation, last.module) == ("aten.mm", "head")
    assert found.depends == {
        "embedding.weight": {"middle.weight"},
        "middle.weight": {"embedding.weight"},
    }
    assert pairs(found) == set()


def test_a_shared_module_orders_what_is_around_it():
    net = Of(
        lambda net, x: net.last(net.twice(net.first(net.twice(x)))),
        first=linear(),
        twice=linear(),
        last=linear(),
    )
    found = trace(net, SHAPE)
    assert [use.module for use in found.uses["twice.weight"]] == ["twice", "twice"]
    assert found.depends["twice.weight"] == {"first.weight"}
    assert pairs(found) == ordered("first last, twice last")


def test_what_the_pass_does_not_use():
    net = Of(lambda net, x: net.b(x), a=linear(), b=linear(), token=table(3))
    found = trace(net, SHAPE)
    assert found.unused == ("token", "a.weight")
    assert [*found.uses] == ["b.weight"]
    assert found.depends == {"token": set(), "a.weight": set(), "b.weight": set()}


ZEROS = [torch.zeros_like, lambda tensor: tensor.new_zeros(tensor.shape)]


@pytest.mark.parametrize("zeros", ZEROS)
def test_what_is_only_looked_at_for_its_shape_is_not_used(zeros):
    net = Of(lambda net, x: net.b(x + zeros(net.a.weight)[:2]), a=linear(), b=linear())
    assert trace(net, SHAPE).unused == ("a.weight",)


@pytest.mark.parametrize("zeros", ZEROS)
def test_zeros_in_the_shape_of_a_branch_depend_on_nothing(zeros):
    net = Of(lambda net, x: net.a(x) + net.b(zeros(net.a(x)) + x), a=linear(), b=linear())
    assert pairs(trace(net, SHAPE)) == set()


def test_what_meets_no_data_is_used_where_it_is_taken():
    net = Of(lambda net, x: (net.a(x), net.scale.exp(), net.bias), a=linear(), scale=table(1),
             bias=table(1))  # fmt: skip
    found = trace(net, SHAPE)
    assert found.uses["scale"] == (Use(2, "aten.exp", ""), Use(3, "output", ""))
    assert found.uses["bias"] == (Use(3, "output", ""),) * 2
    assert found.unused == ()
    assert pairs(found) == set()


@pytest.mark.parametrize("inputs", [SHAPE, torch.ones(SHAPE)], ids=["meta", "real"])
def test_a_constant_has_no_past_though_its_memory_was_anothers(inputs):
    """What the layers give is gone at once, and leaves its address to the zeros."""

    def forward(net, x):
        for layer in net.layers:
            layer(x)
            x = x + torch.zeros(SHAPE, device=x.device)
        return x

    net = Of(forward, layers=nn.ModuleList(linear() for _ in range(50)))
    assert pairs(trace(net, inputs)) == set()


def test_constants_made_on_the_cpu_meet_the_input():
    def forward(net, x):
        return net.b(net.a(x) * torch.arange(4.0) + torch.tensor([[1.0], [2.0]]))

    net = Of(forward, a=linear(), b=linear())
    assert pairs(trace(net, SHAPE)) == ordered("a b")


def test_constants_can_be_read_wherever_they_are_moved():
    """As transformers reads whether a mask has a gap."""

    def forward(net, x):
        mask = torch.tensor([True, False]).to(x.device)
        found = net.a(x) if mask.all() else net.b(x + mask[:, None])
        return net.c(found) if torch.ones(2, device=x.device).all() else found

    net = Of(forward, a=linear(), b=linear(), c=linear())
    assert trace(net, SHAPE).order() == ["b.weight", "c.weight"]


def test_an_unknown_name_is_an_error():
    found = trace(networks.residual(), SHAPE)
    with pytest.raises(KeyError):
        found.comes_before("a.weight", "d.weight")
    with pytest.raises(KeyError):
        found.comes_before("d.weight", "a.weight")

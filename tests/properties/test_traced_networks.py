"""Random networks: the trace finds the order that they were built in, and what is against it."""

from itertools import combinations, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lrd_registry import assign_layers
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import contradictions, smallest_move
from tests.support.tracing.random_networks import WIDTH, depths, networks

LEAVES = ["weight", "bias"]
ANY = st.booleans().flatmap(lambda shared: networks(shared=shared))


def traced(net):
    return trace(net, (2, WIDTH))


def assigned(net, layers):
    """The assignment that gives each module its layer; between two, some may be empty."""
    entries = [
        {f"entry{layer}": {"match": [f"{m}.*" for m in layers if layers[m] == layer] or ["none"],
                           "optional": True}}
        for layer in range(max(layers.values()) + 1)
    ]  # fmt: skip
    return assign_layers(net, rule_set_from_mapping({"arch": "mine", "layers": entries}))


def modules_of(found):
    return {tuple(name.split(".")[0] for name in (c.before, c.after)) for c in found}


def mends(moved, found):
    return all(c.before in moved or c.after in moved for c in found)


@settings(deadline=None)
@given(ANY)
def test_the_order_is_found_exactly(case):
    plan, net = case
    found = traced(net)
    names = [name for name, _ in net.named_parameters()]
    in_order = {pair for pair in product(names, names) if found.comes_before(*pair)}
    leaves = [*product(LEAVES, LEAVES)]
    expected = {(f"{m}.{a}", f"{n}.{b}") for m, n in plan.order() for a, b in leaves}
    assert in_order == expected
    assert found.unused == ()


@settings(deadline=None)
@given(ANY)
def test_what_each_depends_on_is_found_exactly(case):
    plan, net = case
    expected = {module: set() for module in plan.modules()}
    for one, other in plan.reaches():
        expected[other] |= {f"{one}.{leaf}" for leaf in LEAVES}
    assert traced(net).depends == {
        f"{module}.{leaf}": leaves - {f"{module}.{leaf}"}
        for module, leaves in expected.items()
        for leaf in LEAVES
    }


@settings(deadline=None)
@given(ANY)
def test_layers_by_depth_contradict_nothing(case):
    plan, net = case
    assert contradictions(assigned(net, depths(plan)), traced(net)) == ()


@settings(deadline=None)
@given(ANY, st.data())
def test_a_planted_wrong_layer_is_always_reported(case, data):
    """Exactly those pairs are that it turns round, and to move it, or them, mends all."""
    plan, net = case
    assume(plan.order())
    layers = depths(plan)
    module, behind = data.draw(st.sampled_from(sorted(plan.order())))
    planted = layers | {module: data.draw(st.integers(layers[behind] + 1, len(layers) + 1))}
    turned = {(one, other) for one, other in plan.order() if planted[one] > planted[other]}
    found = contradictions(assigned(net, planted), traced(net))
    assert (module, behind) in turned
    assert modules_of(found) == turned
    assert len(found) == len(turned) * len(LEAVES) ** 2
    moved = smallest_move(found)
    assert mends(moved, found)
    assert len(moved) == len(LEAVES)


@settings(deadline=None)
@given(networks(shared=False), st.data())
def test_the_move_is_the_smallest_where_each_is_used_once(case, data):
    plan, net = case
    layers = {module: data.draw(st.integers(0, 4)) for module in sorted(set(plan.modules()))}
    found = contradictions(assigned(net, layers), traced(net))
    moved = smallest_move(found)
    assert mends(moved, found)
    at_odds = sorted({name for c in found for name in (c.before, c.after)})
    fewer = combinations(at_odds, len(moved) - 1) if moved else ()
    assert not any(mends(few, found) for few in fewer)


@settings(deadline=None)
@given(networks(shared=True), st.data())
def test_none_of_the_move_can_be_left_out_where_modules_are_shared(case, data):
    plan, net = case
    layers = {module: data.draw(st.integers(0, 4)) for module in sorted(set(plan.modules()))}
    found = contradictions(assigned(net, layers), traced(net))
    moved = set(smallest_move(found))
    assert mends(moved, found)
    assert not any(mends(moved - {name}, found) for name in moved)

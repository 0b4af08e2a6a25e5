"""Layers against the order of the pass, and the fewest parameters whose move mends them."""

from itertools import combinations

import pytest
import timm
from torch import nn

from lrd_registry import InvalidArgumentError, assign_layers
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import (
    Contradiction,
    check_order,
    contradictions,
    smallest_move,
)
from lrd_registry.tracing.report import check_text
from tests.support.building import on_meta
from tests.support.tracing import networks
from tests.support.tracing.networks import WIDTH, linear


def rules(*layers, **more):
    entries = [{f"entry{number}": pattern} for number, pattern in enumerate(layers)]
    return rule_set_from_mapping({"arch": "mine", "layers": entries, **more})


def found_in(model, rule_set, inputs=(2, WIDTH)):
    return contradictions(assign_layers(model, rule_set), trace(model, inputs))


def against(before, after, layer_before, layer_after):
    return Contradiction(f"{before}.weight", f"{after}.weight", layer_before, layer_after)


def test_layers_in_order_contradict_nothing():
    assert found_in(networks.residual(), rules("a.*", "b.*", "c.*")) == ()
    assert found_in(networks.residual(), rules("a.*", ["b.*", "c.*"])) == ()
    assert smallest_move(()) == ()


def test_layers_the_wrong_way_round():
    found = found_in(networks.residual(), rules("c.*", "b.*", "a.*"))
    assert found == (against("a", "b", 2, 1), against("a", "c", 2, 0), against("b", "c", 1, 0))
    assert len(smallest_move(found)) == 2


def of_parts(**parts):
    return rule_set_from_mapping({"arch": "mine", "parts": parts})


def test_a_part_that_is_used_after_the_one_it_is_said_to_feed():
    net = nn.Sequential(linear(), linear(), linear())
    early, late = [{"block": ["0.*", "1.*"]}], [{"block": "2.*"}]
    in_order = of_parts(early={"before": "late", "layers": early}, late={"layers": late})
    assert found_in(net, in_order) == ()
    apart = of_parts(early={"layers": early}, late={"layers": late})
    assert found_in(net, apart) == ()
    turned = of_parts(early={"layers": early}, late={"before": "early", "layers": late})
    assert found_in(net, turned) == (against("0", "2", 0, 0), against("1", "2", 0, 0))
    assert smallest_move(found_in(net, turned)) == ("2.weight",)


def test_the_report_says_the_part_of_each():
    net = nn.Sequential(linear(), linear())
    late = {"before": "early", "layers": [{"block": "1.*"}]}
    assignment = assign_layers(net, of_parts(early={"layers": [{"stem": "0.*"}]}, late=late))
    found = trace(net, (2, WIDTH))
    assert check_text(check_order(assignment, found), assignment, found) == (
        "the layers contradict the order of use, in pairs of parameters: 1; "
        "to move these (1) would mend all:\n"
        "  0.weight (layer 0, early.stem), used at step 1 (aten.mm in 0); it comes before "
        "1.weight (layer 0, late.block)"
    )


def test_a_part_that_feeds_another_over_a_third():
    net = nn.Sequential(linear(), linear(), linear())
    parts = {name: [{"block": f"{n}.*"}] for n, name in enumerate(("one", "two", "three"))}
    turned = of_parts(
        three={"before": "two", "layers": parts["three"]},
        two={"before": "one", "layers": parts["two"]},
        one={"layers": parts["one"]},
    )
    pairs = [("0", "1"), ("0", "2"), ("1", "2")]
    assert found_in(net, turned) == tuple(against(*pair, 0, 0) for pair in pairs)


def test_one_parameter_out_of_place():
    net = nn.Sequential(*[linear() for _ in range(5)])
    found = found_in(net, rules("1.*", "2.*", "3.*", "0.*", "4.*"))
    assert found == tuple(against("0", str(n), 3, n - 1) for n in (1, 2, 3))
    assert smallest_move(found) == ("0.weight",)


def test_two_blocks_exchanged_are_mended_by_the_smaller():
    net = nn.Sequential(*[linear() for _ in range(5)])
    found = found_in(net, rules("0.*", ["3.*", "4.*"], ["1.*", "2.*"]))
    assert len(found) == 4
    assert smallest_move(found) in [("1.weight", "2.weight"), ("3.weight", "4.weight")]
    found = found_in(net, rules("4.*", ["0.*", "1.*", "2.*", "3.*"]))
    assert smallest_move(found) == ("4.weight",)


def test_parallel_branches_may_stand_in_any_order():
    net = networks.fusing_branches()
    assert found_in(net, rules("low1.*", "high1.*", "high2.*", "low2.*", "head.*")) == ()
    assert found_in(net, rules("high1.*", "low2.*", "low1.*", "high2.*", "head.*")) == (
        against("low1", "low2", 2, 1),
    )


def test_parts_are_numbered_by_themselves():
    """The image tower comes before the scale, though its layer is a later one."""
    layout = {
        "parts": {
            "image": {"layers": [{"one": "i1.*"}, {"two": "i2.*"}]},
            "text": {"layers": [{"one": "t1.*"}]},
        },
        "outside": {"scale": "scale"},
    }
    assert of_towers(layout) == ()
    layout["parts"]["image"]["layers"].reverse()
    assert of_towers(layout) == (against("i1", "i2", 1, 0),)


def of_towers(layout):
    rule_set = rule_set_from_mapping({"arch": "mine", "layouts": {"only": layout}})
    return found_in(networks.two_towers(), rule_set, [(2, WIDTH), (2, WIDTH)])


def test_another_models_assignment_is_refused():
    assignment = assign_layers(nn.ModuleDict({"a": linear()}), rules("a.*"))
    with pytest.raises(InvalidArgumentError, match=r"of different models: 'b.weight' is in the tr"):
        contradictions(assignment, trace(networks.residual(), (2, WIDTH)))


def test_a_shared_bias_numbered_with_the_head():
    """As BEiT's authors number it: what is behind its first use is against it, and it moves."""
    found = found_in(
        networks.shared_bias(),
        rules("blocks.0.**", "blocks.1.**", ["table", "head.*"]),
    )
    assert found == (Contradiction("table", "blocks.1.out.weight", 2, 1),)
    beit = on_meta(
        timm.create_model,
        "beit_base_patch16_224",
        use_shared_rel_pos_bias=True,
        use_rel_pos_bias=False,
    )
    found = contradictions(assign_layers(beit), trace(beit))
    assert smallest_move(found) == ("rel_pos_bias.relative_position_bias_table",)
    behind = {contradiction.after for contradiction in found}
    assert behind == {
        name for name, _ in beit.named_parameters() if name.startswith("blocks.11.")
    } - {f"blocks.11.{name}" for name in BEFORE_ATTENTION}


BEFORE_ATTENTION = ["norm1.weight", "norm1.bias", "attn.qkv.weight", "attn.q_bias", "attn.v_bias"]


def test_none_of_the_set_can_be_left_out_where_the_order_has_gaps():
    """A before b and b before c, but not a before c, as with a shared module."""
    found = [against("a", "b", 2, 1), against("b", "c", 1, 0)]
    assert smallest_move(found) == ("b.weight",)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_smaller_set_mends_a_crown(size):
    """Three befores, each against two of three afters: two do not suffice."""
    found = [against(f"a{i}", f"b{j}", 1, 0) for i in range(3) for j in range(3) if i != j]
    names = {name for c in found for name in (c.before, c.after)}
    covers = [
        chosen
        for chosen in combinations(sorted(names), size)
        if all(c.before in chosen or c.after in chosen for c in found)
    ]
    assert bool(covers) is (size == len(smallest_move(found)))

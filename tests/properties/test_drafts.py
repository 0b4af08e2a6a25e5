"""Random networks: the draft covers them, is in order, tells blocks apart, and fits deeper ones."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrd_registry.assign.assign_layers import assign_layers
from lrd_registry.rule_files.load import parse_rule_set
from tests.support.drafting.drafting import drafted, out_of_order
from tests.support.drafting.random_networks import WIDTH, Design, Part, designs

pytestmark = pytest.mark.slow

INPUT = (1, WIDTH)
SHORT_FIRST_LIST = Design(
    (Part("blocks", (2,)), Part("stages", (2, 4, 4), "opens"), Part("stages", (4, 4))),
    made=(0, 1, 2),
    unused=False,
)


@given(designs())
def test_a_draft_covers_its_network_in_order(design):
    model = design.build()
    assignment = assign_layers(model, parse_rule_set(str(drafted(model, INPUT))))
    assert set(assignment) == {name for name, _ in model.named_parameters()}
    assert out_of_order(model, assignment, INPUT) == 0


@given(designs())
@example(SHORT_FIRST_LIST)
def test_each_block_is_a_layer_of_its_own(design):
    model = design.build()
    assignment = assign_layers(model, drafted(model, INPUT).rule_set)
    blocks = {
        name.rpartition(".fc1")[0]: row.layer for name, row in assignment.items() if ".fc1" in name
    }
    assert len(set(blocks.values())) == len(blocks) == sum(sum(p.depths) for p in design.parts)


@given(designs(), st.integers(1, 5))
def test_the_same_file_fits_a_deeper_network(design, more):
    rules = drafted(design.build(), INPUT).rule_set
    deeper = design.deeper(more).build()
    assignment = assign_layers(deeper, rules)
    added = more * sum(len(part.depths) for part in design.parts)
    assert assignment.num_layers == assign_layers(design.build(), rules).num_layers + added
    assert out_of_order(deeper, assignment, INPUT) == 0


@given(designs())
def test_a_network_is_drafted_alike_each_time(design):
    model = design.build()
    assert str(drafted(model, INPUT)) == str(drafted(design.build(), INPUT))

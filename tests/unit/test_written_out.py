"""Where two entries claim a name, one that writes a number out wins over one with an index."""

import pytest

from lrd_registry import CoverageError, assign_layers
from tests.support.building import layers_of, model_with

pytestmark = pytest.mark.engine

RULES = {
    "arch": "mine",
    "layers": [
        {"stem": "features.0.**"},
        {"block": "features.{block}.**"},
        {"head": "head.**"},
    ],
}
NAMES = ["features.0.weight", "features.1.weight", "features.2.weight", "head.weight"]


def assigned(names, rules=RULES):
    return list(layers_of(assign_layers(model_with(names), rules)).values())


def test_the_number_that_is_written_out_wins_and_leaves_no_hole():
    assert assigned(NAMES) == [0, 1, 2, 3]


def test_a_hole_elsewhere_is_still_one():
    with pytest.raises(CoverageError) as caught:
        assigned([name for name in NAMES if "1" not in name])
    assert [gap.missing for gap in caught.value.gaps] == [(range(1, 2),)]


def test_it_wins_over_every_role_and_inside_a_name():
    layers = [
        {"stem": ["embeds.0.**", "stage1.norm"]},
        {
            "block": {
                "match": "blocks.{s}.{b}.**",
                "previous": "embeds.{s}.**",
                "last": "stage{s}.norm",
            }
        },
        {"head": "head.**"},
    ]
    names = ["embeds.0.w", "embeds.1.w", "blocks.0.0.w", "blocks.0.1.w", "blocks.1.0.w"]
    names += ["stage1.norm", "stage0.norm", "head.w"]
    assert assigned(names, {"arch": "mine", "layers": layers}) == [0, 2, 1, 2, 3, 0, 2, 4]


@pytest.mark.parametrize("other", ["features.*.**", "**.0.**", "features.0.weight"])
def test_what_is_more_than_a_number_written_out_is_still_claimed_twice(other):
    layers = [{"stem": other}, {"block": "features.{block}.**"}, {"head": "head.**"}]
    with pytest.raises(CoverageError) as caught:
        assigned(NAMES, {"arch": "mine", "layers": layers})
    assert "features.0.weight" in caught.value.overlapping

"""Which names are exempt from weight decay: string search must agree with the pattern language."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from lrd_registry.groups.weight_decay import WeightDecayRule, own_names
from lrd_registry.patterns.syntax import parse_pattern

pytestmark = pytest.mark.engine

SEGMENTS = st.sampled_from(["a", "b", "ab", "bias", "0", "None"])
NAMES = st.lists(SEGMENTS, min_size=1, max_size=4).map(".".join)
PATTERNS = st.lists(SEGMENTS | st.sampled_from(["*", "**", "a*"]), min_size=1, max_size=4).map(
    ".".join
)


@given(st.lists(PATTERNS, max_size=3), NAMES)
@example(["**.a.**"], "a")
@example(["**.a"], "a")
@example(["**.a"], "ba")
@example(["**.a.**"], "ab.a")
@example(["**.a.**"], "ba")
@example(["**"], "b")
@example(["a"], "b.None")
@example(["a"], "b.None.b")
def test_a_name_is_exempt_where_a_pattern_matches(patterns, name):
    parsed = [parse_pattern(pattern) for pattern in patterns]
    expected = any(pattern.match(name) is not None for pattern in parsed)
    assert WeightDecayRule(parsed, biases=False).exempts(name) == expected


def test_what_a_model_lists_is_parted_into_names_and_globs():
    model = nn.Module()
    model.no_weight_decay = lambda: ["pos", "*.table", "a*"]
    assert own_names(model, ["", "inner"]) == (["pos"], ["*.table", "a*"])


def test_biases_names_and_keywords_are_exempt():
    rule = WeightDecayRule(names=["pos"], keywords=["tab"])
    assert [rule.exempts(name) for name in ("a.bias", "pos", "a.table.w", "bias", "a.pos")] == [
        *(True, True, True, False, False)
    ]

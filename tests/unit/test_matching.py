"""Many patterns at once give what each gives alone, and what a naive reading gives."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrd_registry import assign_layers
from lrd_registry.engine.compile_layout import plan_layers
from lrd_registry.patterns import matching
from lrd_registry.patterns.matching import Hit, Matcher
from lrd_registry.patterns.syntax import parse_pattern
from lrd_registry.rule_files.load import parse_rule_set
from tests.support.building import model_with

pytestmark = pytest.mark.engine

TOKEN = re.compile(r"(\{\w+\}|\*)")


def naive_match(pattern, name):
    """The indices by trial of every reading, shortest spans first; None where none fits."""
    return match_segments(pattern.split("."), name.split("."))


def match_segments(parts, segments):
    if not parts:
        return None if segments else ()
    if parts[0] == "**":
        tails = (match_segments(parts[1:], segments[n:]) for n in range(len(segments) + 1))
        return next((found for found in tails if found is not None), None)
    here = match_tokens(TOKEN.split(parts[0]), segments[0]) if segments else None
    rest = None if here is None else match_segments(parts[1:], segments[1:])
    return None if rest is None else here + rest


def match_tokens(tokens, text):
    if not tokens:
        return None if text else ()
    for taken in range(len(text) + 1):
        if (captured := take(tokens[0], text[:taken])) is not None:
            rest = match_tokens(tokens[1:], text[taken:])
            if rest is not None:
                return captured + rest
    return None


def take(token, text):
    if token.startswith("{"):
        return (int(text),) if re.fullmatch("[0-9]{1,9}", text) else None
    return () if token in {"*", text} else None


def naive_hits(patterns, name):
    found = ((index, naive_match(text, name)) for index, text in enumerate(patterns))
    return tuple(Hit(index, captures) for index, captures in found if captures is not None)


def matcher_of(patterns):
    return Matcher([parse_pattern(text) for text in patterns])


def numbered(pattern):
    """Each `#` as an index with a name of its own."""
    pieces = pattern.split("#")
    return pieces[0] + "".join(f"{{i{n}}}{piece}" for n, piece in enumerate(pieces[1:]))


SEGMENTS = st.text("ab_1*#", min_size=1, max_size=5).filter(
    lambda text: not re.search(r"\*\*|#[#*1]|[*1]#", text)
)
PATTERNS = st.lists(SEGMENTS | st.just("**"), min_size=1, max_size=5).map(".".join).map(numbered)
NAMES = st.lists(st.text("ab_12", min_size=1, max_size=5), min_size=1, max_size=5).map(".".join)


@st.composite
def names_like(draw, pattern):
    """A name that `pattern` matches; the others rarely do."""
    fill = {"*": st.text("ab_12", max_size=3), "{": st.integers(0, 99).map(str)}
    segments = []
    for part in pattern.split("."):
        if part == "**":
            segments += draw(st.lists(st.text("ab_12", min_size=1, max_size=2), max_size=2))
        else:
            tokens = (draw(fill.get(token[:1], st.just(token))) for token in TOKEN.split(part))
            segments.append("".join(tokens) or "a")
    return ".".join(segments)


@st.composite
def patterns_and_names(draw):
    patterns = draw(st.lists(PATTERNS, min_size=1, max_size=4))
    fitting = st.sampled_from(patterns).flatmap(names_like).filter(bool)
    return patterns, draw(st.lists(fitting | NAMES, max_size=8))


SWIN = ["patch_embed.**", "layers.{s}.blocks.{b}.**", "layers.{s}.down.**", "**.bias", "norm*.**"]
SWIN_HITS = {
    "patch_embed.proj.weight": (Hit(0, ()),),
    "patch_embed": (Hit(0, ()),),
    "layers.0.blocks.1.norm1.weight": (Hit(1, (0, 1)),),
    "layers.0.blocks.12.norm1.bias": (Hit(1, (0, 12)), Hit(3, ())),
    "layers.3.down.weight": (Hit(2, (3,)),),
    "layers.3.blocks": (),
    "layers.x.blocks.0.weight": (),
    "norm.bias": (Hit(3, ()), Hit(4, ())),
    "norm3.weight": (Hit(4, ()),),
    "pre.norm.weight": (),
    "bias": (Hit(3, ()),),
}


def test_hits_come_in_the_order_of_the_patterns():
    matcher = matcher_of(SWIN)
    assert {name: matcher.match(name) for name in SWIN_HITS} == SWIN_HITS


def test_a_matcher_without_patterns_hits_nothing():
    assert matcher_of([]).match("a.b") == ()


@pytest.mark.parametrize("names", [list(SWIN_HITS), list(reversed(SWIN_HITS))])
def test_names_of_one_state_have_the_hits_of_that_state(names):
    matcher = matcher_of(SWIN)
    hits = [matcher.hits(state) for state in matcher.states(names)]
    assert hits == [SWIN_HITS[name] for name in names]


def test_what_follows_a_settled_beginning_makes_no_new_state():
    names = [f"blocks.{i}.{rest}" for i in range(3) for rest in ("norm.weight", "attn.qkv.bias")]
    states = list(matcher_of(["blocks.{i}.**", "head.**"]).states(names))
    assert states[0::2] == states[1::2]
    assert len(set(states)) == 3


@given(patterns_and_names())
@example((["**.a.**.{i0}.**"], ["a.1.a.2", "a.a", "b.a.3"]))
@example((["a.**", "**.b"], ["a.x.y", "a.x.b", "a.xb", "a", "ab"]))
def test_a_matcher_agrees_with_a_naive_reading(sample):
    patterns, names = sample
    matcher = matcher_of(patterns)
    for name in names:
        alone = ((index, parse_pattern(text).match(name)) for index, text in enumerate(patterns))
        expected = naive_hits(patterns, name)
        assert tuple(Hit(*pair) for pair in alone if pair[1] is not None) == expected
        assert matcher.match(name) == expected


@given(patterns_and_names(), st.randoms(use_true_random=False))
def test_states_tell_hits_apart_in_any_order_of_names(sample, random):
    patterns, names = sample
    matcher = matcher_of(patterns)
    for _ in range(2):
        states = dict(zip(names, matcher.states(names), strict=True))
        for name, state in states.items():
            assert matcher.hits(state) == naive_hits(patterns, name)
        random.shuffle(names)


def test_no_name_goes_by_the_one_before_it_that_does_not_begin_as_it():
    patterns = ["a.**", "b", "**.c"]
    names = ["\0a", "b", "\0b", "a.x", "a.y", "b", "", "\0.c"]
    matcher = matcher_of(patterns)
    together = [matcher.hits(state) for state in matcher.states(names)]
    assert together == [naive_hits(patterns, name) for name in names]


def test_threads_that_share_a_matcher_find_what_each_finds_alone():
    patterns = ["b.{i}.**", "b.{i}.a", "**.c"]
    names = [[f"b.{n}.{leaf}" for n in range(300)] for leaf in "abc"] * 4
    shared = matcher_of(patterns)
    with ThreadPoolExecutor(len(names)) as pool:
        found = list(pool.map(lambda each: [shared.match(name) for name in each], names))
    alone = matcher_of(patterns)
    assert found == [[alone.match(name) for name in each] for each in names]


def test_a_matcher_that_has_met_very_many_names_is_left_for_a_new_one(monkeypatch):
    monkeypatch.setattr(matching, "MOST_STATES", 10)
    rules = parse_rule_set("arch: x\nlayers: [block: 'b.{i}.**']")
    plan = plan_layers(rules, "default", "", (), "published")
    models = [[f"b.{n}.w" for n in range(depth)] for depth in (3, 30, 4)]
    depths = [assign_layers(model_with(names), rules).num_layers for names in models]
    assert depths == [3, 30, 4]
    assert plan.matcher.is_full
    assert plan_layers(rules, "default", "", (), "published") is plan


def test_a_matcher_that_is_full_meets_no_more_names(monkeypatch):
    rules = parse_rule_set("arch: full\nlayers: [block: 'b.{i}.**']")
    plan = plan_layers(rules, "default", "", (), "published")
    assign_layers(model_with([f"b.{n}.w" for n in range(12)]), rules)
    states = len(plan.matcher._threads)
    monkeypatch.setattr(matching, "MOST_STATES", 10)
    assert plan.matcher.is_full
    assert assign_layers(model_with([f"b.{n}.w" for n in range(20)]), rules).num_layers == 20
    assert len(plan.matcher._threads) == states

"""The pattern language: what matches, what is captured, what is refused, and at what cost."""

import re
import time

import pytest

from lrd_registry.patterns.syntax import PatternError, parse_pattern
from lrd_registry.rule_files.load import rule_set_from_mapping

pytestmark = pytest.mark.engine

MATCHES = [
    # literal names
    ("cls_token", "cls_token", ()),
    ("a+b.c", "a+b.c", ()),
    ("a?.(b).c]", "a?.(b).c]", ()),
    # {index}
    ("blocks.{i}.norm", "blocks.7.norm", (7,)),
    ("layers.{stage}.blocks.{block}.**", "layers.2.blocks.10.attn.bias", (2, 10)),
    ("layer{stage}.{block}.conv", "layer4.0.conv", (4, 0)),
    ("block{i}_{j}.w", "block3_12.w", (3, 12)),
    ("blocks.{i}", "blocks.007", (7,)),
    ("blocks.{i}", "blocks.123456789", (123456789,)),
    # * within a segment
    ("a.*.c", "a.b.c", ()),
    ("norm*", "norm1", ()),
    ("*norm", "fc_norm", ()),
    ("*n*", "in_norm", ()),
    ("a*b*c", "abc", ()),
    ("a*b*c", "a-b-b-c", ()),
    ("*a*a*", "aa", ()),
    # ** over segments, at the start, in the middle, at the end
    ("**", "a", ()),
    ("**", "a.b.c", ()),
    ("**.bias", "bias", ()),
    ("**.bias", "a.bias", ()),
    ("**.bias", "a.b.c.bias", ()),
    ("a.**.z", "a.z", ()),
    ("a.**.**.z", "a.b.z", ()),
    ("a.**.z", "a.b.z.c.z", ()),
    ("head.**", "head", ()),
    ("head.**", "head.weight", ()),
    ("head.**", "head.fc.weight", ()),
]

MISSES = [
    ("norm", "norm.weight"),
    ("norm", "pre.norm"),
    ("norm", "Norm"),
    ("norm", "norm\n"),
    ("*norm", "norm\n"),
    ("a+b", "aab"),
    ("norm*", "prenorm"),
    ("*norm", "norm1"),
    ("a.*", "a"),
    ("*", "a.b"),
    ("a*b*c", "acb"),
    ("*a*a*", "a"),
    ("*ab*ba", "aba"),
    ("blocks.{i}", "blocks.x"),
    ("blocks.{i}", "blocks.-1"),
    ("blocks.{i}", "blocks.1_0"),
    ("blocks.{i}", "blocks.1234567890"),
    ("blocks.{i}", "blocks.\N{ARABIC-INDIC DIGIT THREE}"),
    ("layer{i}.w", "layer.w"),
    ("blocks.{i}.w", "blocks.w"),
    ("**.bias", "a.bias.c"),
    ("**.bias", "a.rebias"),
    ("a.**.z", "a"),
    ("a.**.a", "a"),
]

AMBIGUOUS = [
    ("**.{i}.**", "a.1.b.2.c", (1,)),
    ("**.{i}", "1.2", (2,)),
    ("**.{i}.**.{j}.**", "1.2.3", (1, 2)),
    ("{i}.**.{j}", "1.2.3", (1, 3)),
    ("**.a.{i}.**.b", "a.1.a.2.b", (1,)),
    ("**.a.{i}.b.**", "a.1.a.2.b", (2,)),
    ("*a{i}b*", "a1ba2b", (1,)),
    ("*a{i}_*b", "a1a2_b", (2,)),
]

FOREIGN = (
    ", as a regular expression or a glob has it; in a pattern, {index} is a number, * any text "
    "without dots, ** any text"
)
REFUSALS = [
    ("", "pattern '' has an empty segment: write one dot between names"),
    (".a", "pattern '.a' has an empty segment: write one dot between names"),
    ("a.", "pattern 'a.' has an empty segment: write one dot between names"),
    ("a..b", "pattern 'a..b' has an empty segment: write one dot between names"),
    ("a**", "pattern 'a**': `**` must stand alone between dots"),
    ("a.**b.c", "pattern 'a.**b.c': `**` must stand alone between dots"),
    ("***", "pattern '***': `**` must stand alone between dots"),
    ("a/**", "pattern 'a/**': `**` must stand alone between dots; names are joined by dots"),
    (
        "a.**, b",
        "pattern 'a.**, b': `**` must stand alone between dots; several patterns are a list: "
        "[a.**, b]",
    ),
    (
        r"a\.(\d+)",
        rf"pattern 'a\.(\d+)' has a `\`{FOREIGN}: `a.{{index}}`",
    ),
    ("^a.b$", f"pattern '^a.b$' has a `^`{FOREIGN}: `a.b`"),
    ("a.[!b].c", f"pattern 'a.[!b].c' has a `[!b]`{FOREIGN}"),
    ("a|b", f"pattern 'a|b' has a `|`{FOREIGN}, and several patterns are a list: [a.**, b.**]"),
    ("{i}.{i}", "pattern '{i}.{i}' captures {i} twice"),
    ("a{i}b{i}", "pattern 'a{i}b{i}' captures {i} twice"),
]
NO_INDEX = ["{}", "{", "}", "{1}", "{a b}", "{a-b}", "{\u00e9}"]
NUMBER_WITHOUT_END = [
    ("{i}{j}", "{i}", "{j}"),
    ("{i}*", "{i}", "*"),
    ("*{i}", "*", "{i}"),
    ("a{i}2", "{i}", "2"),
    ("a2{i}", "a2", "{i}"),
    ("0{i}b", "0", "{i}"),
]


@pytest.mark.parametrize(("pattern", "name", "captures"), MATCHES)
def test_a_pattern_matches_and_captures(pattern, name, captures):
    assert parse_pattern(pattern).match(name) == captures


@pytest.mark.parametrize(("pattern", "name"), MISSES)
def test_a_pattern_does_not_match(pattern, name):
    assert parse_pattern(pattern).match(name) is None


@pytest.mark.parametrize(("pattern", "name", "captures"), AMBIGUOUS)
def test_of_several_readings_the_shortest_spans_win(pattern, name, captures):
    assert parse_pattern(pattern).match(name) == captures


@pytest.mark.parametrize(("text", "message"), REFUSALS)
def test_what_is_no_pattern_is_refused(text, message):
    with pytest.raises(PatternError, match=f"^{re.escape(message)}$"):
        parse_pattern(text)


@pytest.mark.parametrize("token", NO_INDEX)
def test_braces_hold_one_name(token):
    message = (
        f"pattern 'a.{token}': '{token}' is not an index; write it as {{name}}, "
        "a letter or underscore followed by letters, digits and underscores"
    )
    with pytest.raises(PatternError, match=f"^{re.escape(message)}$"):
        parse_pattern(f"a.{token}")


@pytest.mark.parametrize(("text", "left", "right"), NUMBER_WITHOUT_END)
def test_a_number_must_end_where_all_can_see_it(text, left, right):
    message = (
        f"pattern '{text}': nothing shows where the number ends between '{left}' and '{right}'; "
        "put text that is not a digit between them"
    )
    with pytest.raises(PatternError, match=f"^{re.escape(message)}$"):
        parse_pattern(text)


def test_a_pattern_has_at_most_a_thousand_characters():
    assert str(parse_pattern("a" * 1000)) == "a" * 1000
    message = "a pattern of 1001 characters; at most 1000 are allowed"
    with pytest.raises(PatternError, match=f"^{message}$"):
        parse_pattern("a" * 1001)


def test_indices_come_in_the_order_of_the_pattern():
    assert parse_pattern("b{z}.**.{a}.c{m}_{b}").indices == ("z", "a", "m", "b")


def test_only_an_index_that_is_a_whole_segment_counts_from_zero():
    assert parse_pattern("layer{stage}.{block}.conv{k}").counted == {"block"}


@pytest.mark.parametrize(
    ("text", "literal"),
    [("a.b", True), ("a.*", False), ("a.{i}", False), ("**.b", False), ("a.b*", False)],
)
def test_a_literal_pattern_has_no_wildcard(text, literal):
    assert parse_pattern(text).is_literal is literal


@pytest.mark.parametrize(("text", "ending"), [("**.b", "b"), ("**.a.b", "a.b")])
def test_an_ending_is_what_follows_one_leading_span(text, ending):
    assert parse_pattern(text).ending == ending


@pytest.mark.parametrize("text", ["a.b", "a.**.b", "**", "**.a.**", "**.*.b", "**.{i}"])
def test_other_patterns_have_no_ending(text):
    assert parse_pattern(text).ending is None


@pytest.mark.parametrize(("text", "inside"), [("**.b.**", "b"), ("**.a.b.**", "a.b")])
def test_an_inside_is_what_stands_between_two_spans(text, inside):
    assert parse_pattern(text).inside == inside


@pytest.mark.parametrize("text", ["a.b.**", "**.a.b", "**", "**.**", "**.*.**", "a", "**.a.**.b"])
def test_other_patterns_have_no_inside(text):
    assert parse_pattern(text).inside is None


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("a.b.**", "a.b", 2),
        ("a.b", "a.b.c", 2),
        ("a.{i}.*", "a.0.c", 2),
        ("b", "a", 0),
        ("a{i}.b", "b.b", 0),
    ],
)
def test_leading_segments_are_counted_up_to_the_first_wildcard(text, name, count):
    assert parse_pattern(text).leading_matches(name) == count


@pytest.mark.parametrize("text", ["a*0", "b{i}X.**", "_{i}_{j}", "a0*"])
def test_what_is_no_index_may_stand_beside_a_digit_and_an_index_beside_a_letter(text):
    assert str(parse_pattern(text)) == text


def test_patterns_are_equal_if_their_texts_are():
    assert parse_pattern("a.{i}") == parse_pattern("a.{i}")
    assert parse_pattern("a.{i}") != parse_pattern("a.{j}")
    assert str(parse_pattern("a.{i}")) == "a.{i}"
    assert repr(parse_pattern("a.{i}")) == (
        "Pattern(text='a.{i}', indices=('i',), counted=frozenset({'i'}))"
    )


@pytest.mark.parametrize(
    ("text", "name", "settled"),
    [("a.**", "a", True), ("a.**", "a.b", True), ("**", "a", True), ("a.b", "a", False),
     ("a.**.b.**", "a", False), ("a.{i}.**", "a", False), ("a.{i}.**", "a.0", True)],
)  # fmt: skip
def test_where_a_closing_span_is_left_all_that_goes_on_matches(text, name, settled):
    pattern = parse_pattern(text)
    threads = pattern.start
    for segment in name.split("."):
        threads = pattern.advance(threads, segment)
    assert pattern.settled(threads) is settled


def test_a_name_is_read_with_no_more_threads_than_the_pattern_has_segments():
    pattern = parse_pattern("**.a.**.a.**.a.**.b")
    threads = pattern.start
    for _ in range(2000):
        threads = pattern.advance(threads, "a")
        assert len(threads) <= len(pattern.parts) + 1
    assert pattern.advance(threads, "b")[pattern.end] == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("**.a.**.a.**.a.**.b", ".".join(["a"] * 2000)),
        ("**.{i}.**.{j}.**.{k}.**.b", ".".join(["1"] * 2000)),
        ("**.*.**.*.**.*.**.b", ".".join(["a"] * 2000)),
        ("*a*a*a*a*b", "a" * 2000),
        ("*a{i}_*a{j}_*a{k}_*b", "a1_" * 2000),
        ("x{i}_*y", "x" + "1" * 200_000),
    ],
)
def test_no_pattern_takes_long_over_a_name_that_it_nearly_matches(text, name):
    pattern = parse_pattern(text)
    start = time.perf_counter()
    assert pattern.match(name) is None
    assert time.perf_counter() - start < 2


def test_nothing_is_proposed_for_a_regular_expression_that_makes_no_pattern():
    with pytest.raises(PatternError) as caught:
        parse_pattern("^a..b")
    assert str(caught.value) == (
        "pattern '^a..b' has a `^`, as a regular expression or a glob has it; in a pattern, "
        "{index} is a number, * any text without dots, ** any text"
    )


def test_the_repr_of_a_pattern_is_its_text_and_its_indices():
    assert repr(parse_pattern("a.{i}.w")) == (
        "Pattern(text='a.{i}.w', indices=('i',), counted=frozenset({'i'}))"
    )


def test_a_pattern_of_a_rule_set_may_be_one_that_was_parsed():
    layers = [{"all": [parse_pattern("a.**"), "b"]}]
    rules = rule_set_from_mapping({"arch": "x", "layers": layers})
    assert rules.to_dict()["layouts"]["default"]["layers"] == [{"all": {"match": ["a.**", "b"]}}]

"""Rule files as users write them: each example file under `rule_files` is a test case."""

import re
import subprocess
import sys
from types import MappingProxyType

import pytest

from lrd_registry import RuleFileError, load_rule_set
from lrd_registry.rule_files.load import parse_rule_set, rule_set_from_mapping
from tests.support.places import DATA

pytestmark = pytest.mark.engine

EXAMPLES = DATA / "rule_files"
VALID = sorted((EXAMPLES / "valid").glob("*.yaml"))
INVALID = sorted((EXAMPLES / "invalid").glob("*.yaml"))
MIB = 1024 * 1024
ENTRY = "arch: x\nlayers:\n  - stem: "

# A limit on the address space, because Linux hands a parent's peak memory on to its child.
LOAD_WITHIN_LIMITS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (200 * 1024 * 1024,) * 2)
from lrd_registry import RuleFileError, load_rule_set
try:
    load_rule_set(sys.argv[1])
except RuleFileError as error:
    first = error.problems[0]
    print(f"{first.line}:{first.column}: {first.message}")
"""


def messages(path):
    """The text of the error for `path`, with the bare name of the file."""
    with pytest.raises(RuleFileError) as error:
        load_rule_set(path)
    return str(error.value).replace(str(path), path.name)


def data_messages(data):
    with pytest.raises(RuleFileError) as error:
        rule_set_from_mapping(data)
    assert all(p.line is None and p.column is None for p in error.value.problems)
    return str(error.value).splitlines()


def written(tmp_path, content):
    path = tmp_path / "x.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_file_gets_exactly_the_expected_messages(path):
    assert messages(path) == path.with_suffix(".txt").read_text("utf-8").removesuffix("\n")


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_loads(path):
    assert load_rule_set(path).arch == path.stem


def test_no_expected_message_is_without_its_file():
    assert {path.stem for path in INVALID} == {p.stem for p in (EXAMPLES / "invalid").glob("*.txt")}


def test_shorthand_and_longhand_say_the_same():
    short = load_rule_set(EXAMPLES / "valid" / "shorthand.yaml")
    long = load_rule_set(EXAMPLES / "valid" / "longhand.yaml")
    assert short.model_copy(update={"arch": "longhand"}) == long


def test_a_file_says_what_its_keys_say():
    name, entry = load_rule_set(EXAMPLES / "valid" / "every_key.yaml").layouts["one"].entries[1]
    assert name == "block"
    assert entry.model_dump(mode="json") == {
        "match": ["{chunk}.blocks.{stage}.{i}.**"],
        "index": ["stage", "i"],
        "every": 3,
        "first": ["start.{stage}.**"],
        "last": ["end.{stage}.**", "end"],
        "previous": ["before.**"],
        "outside": [],
        "optional": True,
    }


def test_a_layout_says_where_it_stands_and_what_is_beside_it():
    layout = load_rule_set(EXAMPLES / "valid" / "every_key.yaml").layouts["one"]
    assert layout.prefix == ("model", "task.backbone")
    assert list(map(str, layout.entries[2][1].outside)) == ["classifier.**", "decoder*.**"]


def test_only_what_is_no_default_is_written():
    data = load_rule_set(EXAMPLES / "valid" / "minimal.yaml").to_dict()
    layers = [{"all": {"match": ["**"]}}]
    assert data == {"arch": "minimal", "layouts": {"default": {"layers": layers}}}


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_the_kind_of_line_ends_make_no_difference(tmp_path, start, newline):
    text = newline.join(["arch: no", "layers: [stem: a..b]"])
    assert messages(written(tmp_path, start + text.encode())).splitlines() == [
        "x.yaml:1:7: expected text, found `no`, which YAML reads as the boolean false",
        "x.yaml:2:16: pattern 'a..b' has an empty segment: write one dot between names",
    ]


EMPTY = "x.yaml:1:1: the file is empty; a rule file has the keys `arch` and `layouts`"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfea\0", "x.yaml:1:1: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"a: b\nc: \xe9t\n", "x.yaml:2:4: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xc3\xa9: \xc3", "x.yaml:1:4: byte 0xc3 is not UTF-8; save the file as UTF-8"),
        (b"a: \0", r"x.yaml:1:4: not valid YAML: the character '\x00' is not allowed"),
        (b"#" * (MIB + 1), "x.yaml:1:1: the file is over 1 MiB, the most allowed"),
        (b"#" * MIB, EMPTY),
    ],
    ids=["UTF-16", "Latin-1", "cut off", "NUL", "over 1 MiB", "1 MiB"],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, content, message):
    assert messages(written(tmp_path, content)) == message


def test_a_problem_s_source_is_the_path_as_text(tmp_path):
    for content in ("arch: 3\n", "arch: [\n", "\xff"):
        path = written(tmp_path, content)
        with pytest.raises(RuleFileError) as caught:
            load_rule_set(path)
        assert {problem.source for problem in caught.value.problems} == {str(path)}


def test_a_path_that_cannot_be_read_is_a_rule_file_error(tmp_path):
    assert messages(tmp_path) == f"{tmp_path.name}: cannot be read: Is a directory"
    missing = tmp_path / "no.yaml"
    assert messages(missing) == "no.yaml: cannot be read: No such file or directory"


def wide(line, count=200_000):
    """Numbered lines, as many as fit a file of 1 MiB."""
    text = "".join(line.replace("#", str(number)) for number in range(count))
    return text[: text.rfind(line[-1], 0, MIB - 64) + 1]


BOMB = "".join(f"b{i}: &b{i} [{f'*b{i - 1}, ' * 9}]\n" for i in range(30))
DEEP = "".join(" " * i + "a:\n" for i in range(1000))
MISSING = "missing key `arch`"


def too_long(characters):
    return f"a pattern of {characters} characters; at most 1000 are allowed"


TOO_MANY = "more than 20000 keys and values, the most allowed"
TOO_DEEP = "nested more than 16 deep; a rule file needs 7"
HOSTILE = {
    "wide mapping": (wide("k#: 1\n"), f"10000:8: {TOO_MANY}"),
    "wide list": (wide("- #\n"), f"20000:3: {TOO_MANY}"),
    "many entries": (ENTRY + "a\n" + wide("  - n#: b\n"), f"6668:5: {TOO_MANY}"),
    "alias bomb": (BOMB, f"1:1: {MISSING}"),
    "a thousand mappings deep": (DEEP, f"17:17: {TOO_DEEP}"),
    "a thousand lists deep": ("- " * 1000, f"1:35: {TOO_DEEP}"),
    "question marks": ("? " * (MIB // 2), f"1:35: {TOO_DEEP}"),
    "huge text": (f"arch: {'a' * (MIB - 6)}", "1:1: missing key `layouts` (or `layers`)"),
    "huge number": (f"format: {'9' * (MIB - 8)}", f"1:1: {MISSING}"),
    "huge number to base 60": (f"format: 1{':1' * (MIB // 2 - 8)}", f"1:1: {MISSING}"),
    "same key over and over": (wide("a: 1\n"), "2:1: repeated key `a`, first on line 1"),
    "tags": (wide("- !a b\n", 19_000), "1:1: expected a mapping, found a list"),
    "long name in a pattern": (ENTRY + "a" * (MIB - 100), f"3:11: {too_long(1048476)}"),
    "long name behind a star": (f"{ENTRY}'*{'a' * (MIB - 100)}'", f"3:11: {too_long(1048477)}"),
    "many stars": (f"{ENTRY}'{'*a' * (MIB // 2 - 100)}'", f"3:11: {too_long(1048376)}"),
    "many indices": (f"{ENTRY}'{wide('i{n#}.')}a'", f"3:11: {too_long(1048511)}"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_AS")
@pytest.mark.parametrize(("text", "problem"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_costs_little(tmp_path, text, problem):
    """Under 20 seconds, 200 MB, and a refusal that begins with `problem`."""
    command = [sys.executable, "-c", LOAD_WITHIN_LIMITS, written(tmp_path, text)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.stderr == ""
    assert done.stdout == f"{problem}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_AS")
def test_a_text_that_nests_without_end_costs_little(tmp_path):
    """The parser of YAML reads ahead, and may have a bound of its own that is met before ours."""
    command = [sys.executable, "-c", LOAD_WITHIN_LIMITS, written(tmp_path, "[" * MIB)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.stderr == ""
    assert re.fullmatch(rf"1:18: {TOO_DEEP}\n|1:\d+: not valid YAML: .+\n", done.stdout)


@pytest.mark.parametrize("kind", ["wide mapping", "wide list", "a thousand mappings deep"])
def test_a_text_that_is_too_much_is_read_no_further(kind):
    text, problem = HOSTILE[kind]
    with pytest.raises(RuleFileError) as caught:
        parse_rule_set(text)
    assert [f"{p.line}:{p.column}: {p.message}" for p in caught.value.problems] == [problem]


def test_a_number_has_at_most_64_characters():
    for length, message in (
        (64, f"format {'9' * 64} is not known; this release reads format 1"),
        (65, f"expected an integer, found `{'9' * 59}…`, which YAML reads as text"),
    ):
        with pytest.raises(RuleFileError) as caught:
            parse_rule_set(f"arch: x\nformat: {'9' * length}\nlayers: [a: b]")
        assert str(caught.value) == f"<text>:2:9: {message}"


def test_a_long_text_is_clipped_in_messages():
    with pytest.raises(RuleFileError, match=f"found `{'a' * 59}…`$"):
        parse_rule_set(f"arch: {'a' * 100}.\nlayers: [a: b]")


def test_data_is_refused_with_the_place_in_it():
    stem = {"match": ["stem.**", "a..b"], "optinal": True}
    data = {"arch": 3, "layouts": {"timm": {"layers": [{"stem": stem}, {"a b": "norm.**"}]}}}
    assert data_messages(data) == [
        "<mapping> at arch: expected text, found an integer",
        "<mapping> at layouts.timm.layers.0.stem.match.1: "
        "pattern 'a..b' has an empty segment: write one dot between names",
        "<mapping> at layouts.timm.layers.0.stem.optinal: "
        "unknown key `optinal`; did you mean `optional`?",
        "<mapping> at layouts.timm.layers.1.a b.[key]: "
        "expected a name of letters, digits, `-` and `_`, found text",
    ]


def test_a_single_layout_of_data_is_told_by_the_path_that_the_data_has():
    layers = [{"a": "b..c"}]
    problem = "pattern 'b..c' has an empty segment: write one dot between names"
    assert data_messages({"arch": "x", "layers": layers}) == [
        f"<mapping> at layers.0.a.match.0: {problem}"
    ]
    for layout in ("default", "other"):
        assert data_messages({"arch": "x", "layouts": {layout: {"layers": layers}}}) == [
            f"<mapping> at layouts.{layout}.layers.0.a.match.0: {problem}"
        ]


LAYERS, PARTS = [{"a": "b"}], {"p": {"layers": [{"a": "b"}]}}


@pytest.mark.parametrize(
    ("layout", "problem"),
    [
        ({}, "missing key `layers` (or `parts`)"),
        (
            {"layers": LAYERS, "parts": PARTS},
            "a layout has `layers` or `parts`, and this one has both",
        ),
        (
            {"layers": LAYERS, "outside": {"c": "d"}},
            "`outside` is for a layout of `parts`; put the entries into `layers`",
        ),
    ],
    ids=["nothing", "both", "outside of layers"],
)
def test_a_layout_that_is_two_things_is_refused(layout, problem):
    assert data_messages({"arch": "x", "layouts": {"one": layout}}) == [
        f"<mapping> at layouts.one: {problem}"
    ]


def test_a_tuple_in_data_is_a_list():
    found = "<mapping> at layers.0: expected an entry, found a list; put a name before it: "
    assert data_messages({"arch": "x", "layers": [("a.**", "b.**")]}) == [
        f"{found}`- NAME: [a.**, b.**]`"
    ]
    (message,) = data_messages({"arch": "x", "layers": [{"name": "a", "match": ("b", "c")}]})
    assert message.endswith("`- a: [b, c]`")


def test_what_is_wrong_with_data_as_a_whole_is_told_of_its_top():
    assert data_messages({"arch": "x", "layers": LAYERS, "parts": PARTS}) == [
        "<mapping> at its top: a layout has `layers` or `parts`, and this one has both"
    ]


ONE_LAYER = "an entry outside the parts is one layer; it has patterns only"


@pytest.mark.parametrize("entry", ["b.{i}", {"match": "b", "previous": "c"}])
def test_an_entry_outside_the_parts_is_of_one_layer(entry):
    layout = {"parts": PARTS, "outside": {"o": entry}}
    problems = data_messages({"arch": "x", "layouts": {"one": layout}})
    assert f"<mapping> at layouts.one.outside.o: {ONE_LAYER}" in problems


def test_an_entry_outside_the_parts_is_beside_a_prefix_only_where_there_is_one():
    layout = {"parts": PARTS, "outside": {"o": {"outside": "c"}}}
    assert data_messages({"arch": "x", "layouts": {"one": layout}}) == [
        "<mapping> at layouts.one.outside.o.outside: the layout has no `prefix`, so nothing is "
        "outside it; put the patterns into `match`"
    ]


def test_an_entry_outside_the_parts_has_a_name_of_its_own():
    layout = {"parts": PARTS, "outside": {"p": "b"}}
    assert data_messages({"arch": "x", "layouts": {"one": layout}}) == [
        "<mapping> at layouts.one.outside.p: a part has this name; the entry needs one of its own"
    ]


def test_two_entries_of_one_name_are_refused_where_the_second_is():
    text = "arch: x\nlayers:\n  - a: b\n  - c: d\n  - a: e\n"
    with pytest.raises(RuleFileError) as caught:
        parse_rule_set(text)
    assert str(caught.value) == (
        "<text>:5:5: two entries are called `a`; each needs a name of its own"
    )


def test_an_entry_whose_name_is_a_pattern_is_refused_where_it_has_patterns_too():
    assert data_messages({"arch": "x", "layers": [{"name": "stem.**", "match": "b"}]}) == [
        "<mapping> at layers.0: an entry's name is its key, and its patterns are the value: "
        "`- stem.**: b`"
    ]


def test_the_patterns_of_an_entry_that_has_its_name_as_a_key_are_shown():
    assert data_messages({"arch": "x", "layers": [{"name": "stem", "every": 2, "match": "b"}]}) == [
        "<mapping> at layers.0: an entry's name is its key, and its patterns are the value: "
        "`- stem: b`"
    ]


@pytest.mark.parametrize("several", [list, tuple])
def test_two_entries_of_one_name_are_refused_in_data_too(several):
    assert data_messages({"arch": "x", "layers": several([{"a": "b"}, {"a": "c"}])}) == [
        "<mapping> at layers.1.a: two entries are called `a`; each needs a name of its own"
    ]


ENTRY_DATA = {"match": "b", "lst": "c"}
WAIVER = {"parameters": "b", "wy": "so"}


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("sources", [{"what": "x", "wher": "y"}], "sources.0.wher: where"),
        ("layouts", {"one": {"layrs": LAYERS}}, "layouts.one.layrs: layers"),
        ("layers", [{"a": ENTRY_DATA}], "layers.0.a.lst: last"),
        ("parts", {"p": {"layer": LAYERS}}, "parts.p.layer: layers"),
        ("parts", {"p": {"layers": [{"a": ENTRY_DATA}]}}, "parts.p.layers.0.a.lst: last"),
        ("outside", {"o": ENTRY_DATA}, "outside.o.lst: last"),
        ("waivers", [WAIVER], "waivers.0.wy: why"),
    ],
)
def test_an_unknown_key_is_told_among_those_of_its_place(key, value, found):
    place, _, meant = found.partition(": ")
    told = f"unknown key `{place.rpartition('.')[2]}`; did you mean `{meant}`?"
    assert f"<mapping> at {place}: {told}" in data_messages({"arch": "x", key: value})


def test_a_layout_s_key_in_another_place_is_unknown_there():
    source = {"what": "x", "where": "y", "prefix": "z"}
    assert data_messages({"arch": "x", "layers": LAYERS, "sources": [source]}) == [
        "<mapping> at sources.0.prefix: unknown key `prefix`; the keys here are what, where"
    ]


PATTERNS = "expected a pattern or a list of patterns, found a mapping"


@pytest.mark.parametrize("role", ["match", "first", "last", "previous", "outside"])
def test_what_an_entry_s_patterns_are_is_told(role):
    entry = {"match": "b"} | {role: {"x": "y"}}
    assert data_messages({"arch": "x", "layers": [{"a": entry}]}) == [
        f"<mapping> at layers.0.a.{role}: {PATTERNS}"
    ]


def test_what_the_other_patterns_of_a_file_are_is_told():
    waiver = {"parameters": {"x": "y"}, "why": "so"}
    layout = {"signature": {"x": "y"}, "layers": [{"a": "b"}], "waivers": [waiver]}
    data = {"arch": "x", "no_weight_decay": {"x": "y"}, "layouts": {"one": layout}}
    assert data_messages(data) == [
        f"<mapping> at no_weight_decay: {PATTERNS}",
        f"<mapping> at layouts.one.signature: {PATTERNS}",
        f"<mapping> at layouts.one.waivers.0.parameters: {PATTERNS}",
    ]


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("summary", b"y", "summary"),
        ("arch", b"y", "arch"),
        ("layouts", {"a": {"prefix": [b"y"], "layers": LAYERS}}, "layouts.a.prefix.0"),
        ("sources", [{"what": b"y", "where": "z"}], "sources.0.what"),
        ("layers", [{"a": {"match": "b.{i}", "index": [b"i"]}}], "layers.0.a.index.0"),
    ],
)
def test_bytes_are_no_text(key, value, place):
    data = {"arch": "x", key: value} | ({} if key == "layouts" else {"layers": LAYERS})
    assert data_messages(data | {key: value}) == [
        f"<mapping> at {place}: expected text, found a bytes"
    ]


def test_a_key_that_is_a_number_is_told():
    assert data_messages({"arch": "x", "layers": LAYERS, 1: 1}) == [
        "<mapping> at 1: a key must be text"
    ]
    assert data_messages({"arch": "x", "layers": [{1: "a"}]}) == [
        "<mapping> at layers.0.1.[key]: expected text, found an integer"
    ]
    assert data_messages({"arch": "x", "layers": [{"a": {"match": "b", 1: 1}}]}) == [
        "<mapping> at layers.0.a.1: a key must be text"
    ]


@pytest.mark.parametrize("key", [1, None, 1.5, (1, 2), frozenset()])
def test_a_key_that_is_no_text_is_refused_anywhere(key):
    layers = [{"stem": "stem.**"}]
    for data in (
        {"arch": "x", "layers": layers, key: 1},
        {"arch": "x", "layouts": {key: {"layers": layers}}},
        {"arch": "x", "layers": [{key: "a"}, {key: "b"}]},
        {"arch": "x", "layers": [{"stem": {"match": "a", key: 1}}]},
    ):
        assert data_messages(data)


@pytest.mark.parametrize("odd", [object(), float("nan"), {1}, print, [[]], MappingProxyType({})])
def test_an_odd_object_is_refused_anywhere(odd):
    for data in (
        {"arch": odd, "layers": [{"stem": "stem.**"}]},
        {"arch": "x", "layers": [odd]},
        {"arch": "x", "layers": [{"stem": odd}]},
        {"arch": "x", "layers": [{"stem": {"match": odd}}]},
    ):
        assert data_messages(data)


def test_a_path_that_no_file_can_have_is_a_file_that_cannot_be_read():
    with pytest.raises(RuleFileError, match=r"^a\x00b\.yaml: cannot be read: "):
        load_rule_set("a\0b.yaml")


def test_no_text_at_all_is_a_fault_of_its_first_line():
    with pytest.raises(RuleFileError, match=r"^mine\.yaml:1:1: "):
        parse_rule_set("", "mine.yaml")


@pytest.mark.parametrize("key", ["outside", "first", "last"])
def test_a_list_of_no_patterns_asks_nothing_of_the_entry(key):
    indexed = {"match": "a.{i}", "outside": []} if key == "outside" else {"match": "a", key: []}
    rules = rule_set_from_mapping({"arch": "x", "layers": [{"stem": indexed}]})
    [(_, entry)] = rules.layouts["default"].entries
    assert getattr(entry, key) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sources: [{what: a, wher: b}]\nlayers: [all: a]",
            "unknown key `wher`; did you mean `where`",
        ),
        (
            "parts: {a: {layers: [all: a]}}\noutside: {s: {matc: b}}",
            "unknown key `matc`; did you mean `match`",
        ),
        ("layouts: {a: {signatur: a, layers: [all: a]}}", "unknown key `signatur`; did you mean"),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_is_known_there(text, message):
    with pytest.raises(RuleFileError) as caught:
        parse_rule_set(f"arch: x\n{text}")
    assert message in str(caught.value)

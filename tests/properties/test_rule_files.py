"""Random rule files: valid ones survive a round trip, broken ones are refused in place."""

import re

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lrd_registry.errors import RuleFileError
from lrd_registry.rule_files.load import load_rule_set, parse_rule_set, rule_set_from_mapping
from tests.support.places import RULES
from tests.support.strategies import rule_mappings, rule_sets

pytestmark = pytest.mark.engine

BUNDLED = [(RULES / f"{arch}.yaml").read_text("utf-8") for arch in ("vit", "swin", "convnext")]
KEY = re.compile(r"[\w-]+(?=:)")
VALUE = re.compile(r"(?<=: )[^\n]+")
# Plain values of each type, the beginnings of YAML's other forms, and numbers out of all bounds.
PLAIN_VALUES = ["", "3", "1.5", "no", "~", "1e-4", ".nan", "[]", "{}", "[[a]]", "{a: b}", "text"]
FORMS = ["'", "|", "? a", "&a b", "*a", "**.a", "{a}.b", "!t x", "[", "}", "%", "@", "x\ny", "\t"]
EXTREMES = ["1:30", f"1{':1' * 400}.5", f"0x{'f' * 4000}", "9" * 5000, "\ufeff", "\x85x"]
MARKS = [b"?", b"- ", b":", b"\r", b"\n", b"\xc2\x85", b"&a ", b"!", b"\0"]

TEXTS = st.sampled_from(BUNDLED) | rule_mappings().map(
    lambda data: yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
)


def dump(rule_set):
    return yaml.safe_dump(rule_set.to_dict(), sort_keys=False)


def problems_of(path):
    """What is wrong with a file; None where it loads."""
    try:
        load_rule_set(path)
    except RuleFileError as error:
        return error.problems
    return None


def replaced(text, place, new):
    return text[: place.start()] + new + text[place.end() :]


def misspelt(key, at):
    """Two neighbours change places, or the last letter is doubled."""
    at %= len(key)
    swapped = key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
    return swapped if swapped != key else key + key[-1]


@st.composite
def mutated_texts(draw):
    """A valid text with one key deleted, repeated or misspelt, or one value of another type."""
    text = draw(TEXTS)
    key = draw(st.sampled_from(list(KEY.finditer(text))))
    value = draw(st.sampled_from([*VALUE.finditer(text), key]))
    line = text[text.rfind("\n", 0, key.start()) + 1 :].split("\n")[0]
    odd = draw(st.sampled_from(PLAIN_VALUES + FORMS + EXTREMES))
    changes = {
        "without the key": replaced(text, key, ""),
        "without the line": text.replace(f"{line}\n", "", 1),
        "repeated": text.replace(line, f"{line}\n{line}", 1),
        "misspelt": replaced(text, key, misspelt(key.group(), draw(st.integers(0, 20)))),
        "of another type": replaced(text, value, odd),
    }
    return changes[draw(st.sampled_from(sorted(changes)))].encode()


@st.composite
def mutated_bytes(draw):
    """A valid text with some bytes inserted, deleted or replaced."""
    raw = draw(TEXTS).encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 8)))
        new = draw(st.binary(max_size=8) | st.sampled_from(MARKS))
        raw = raw[:start] + new + raw[end:]
    return raw


@pytest.fixture(scope="module")
def rule_file(tmp_path_factory):
    return tmp_path_factory.mktemp("rules") / "x.yaml"


@given(rule_sets())
def test_a_rule_set_survives_being_written_and_read(rule_set):
    again = parse_rule_set(dump(rule_set))
    assert again == rule_set
    assert dump(again) == dump(rule_set)


@given(rule_mappings())
def test_a_file_and_its_data_give_one_rule_set(data):
    text = yaml.safe_dump(data, sort_keys=False)
    assert parse_rule_set(text) == rule_set_from_mapping(data)


@pytest.mark.parametrize("text", BUNDLED)
def test_a_bundled_rule_file_survives_being_written_and_read(text):
    assert parse_rule_set(dump(parse_rule_set(text))) == parse_rule_set(text)


@given(raw=mutated_texts() | mutated_bytes())
@example(raw=b"arch: x\n? layers\n")
@example(raw=b"arch: 1" + b":1" * 400 + b".5\n")
@example(raw=b"arch: x\rsummary: \xff")
@example(raw=b"arch: x\nlayers: [")
@example(raw="\u00e9: \x07".encode())
def test_a_broken_file_is_read_or_refused_at_places_in_its_text(rule_file, raw):
    rule_file.write_bytes(raw)
    lines = raw.decode("utf-8-sig", "replace").splitlines() or [""]
    problems = problems_of(rule_file)
    assert problems != ()
    for problem in problems or ():
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1

"""What the fuzzer is run on, without the fuzzer: its beginnings, and what it once found."""

import time
import tracemalloc

import pytest

from fuzz.documents import document, seeds
from fuzz.running import beginnings
from fuzz.targets import TARGETS, Parameter
from lrd_registry import CoverageError, assign_layers
from lrd_registry.patterns.matching import Matcher
from lrd_registry.patterns.syntax import parse_pattern
from lrd_registry.rule_files.load import parse_rule_set

pytestmark = pytest.mark.engine

HOSTILE = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\n" * 50,
    b"**\n" + b"a." * 500,
    b"{i}{j}\n1",
    b"{i}\n" + b"9" * 400,
    "\x03\u0660.\u2028\n\u0661".encode(),
    b"arch: x\nlayers:\n- {a: b, a: c}\n---\n",
    b"? {[: }\n",
    b"a: !!python/object:os.system {}",
    b"arch: &a [*a]\n",
    b"layers: [{a: {match: [{}]}}]",
    bytes(range(256)),
    b"\5\0b",  # a name that begins with NUL, which once stood for no name
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_holds_on_what_it_begins_with(target):
    for content in beginnings(target):
        TARGETS[target](content)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_target_holds_on_what_is_hostile(target, content):
    TARGETS[target](content)


def test_every_document_is_valid_before_it_is_edited():
    for text in seeds():
        assert parse_rule_set(text).layouts


def test_an_edit_is_what_its_bytes_say():
    first, *rest = seeds()[0].splitlines(keepends=True)
    assert document(bytes([0, 3, 0, 0, 0, 0])) == "".join(rest)
    assert document(bytes([0, 4, 0, 0, 0, 0])) == "".join([first, first, *rest])
    assert document(bytes([0, 6, 0, 0, 0, 2])) == "".join([f"  {first}", *rest])


def test_thousands_of_names_that_fit_nothing_are_refused_at_once():
    """Each of their modules was compared with all of them, which took 45 seconds for so many."""
    pairs = [(f"nothing.{n}.of.the.kind", Parameter()) for n in range(12_000)]
    start = time.perf_counter()
    with pytest.raises(CoverageError, match="none comes near"):
        assign_layers(pairs)
    assert time.perf_counter() - start < 20


def test_names_that_match_nothing_are_not_kept():
    """What was found: 25,000 small models that fit nothing took 200 MB."""
    matcher = Matcher([parse_pattern("blocks.{i}.norm.**"), parse_pattern("stem.**")])
    names = [f"{top}.{n}.x" for n in range(5000) for top in ("blocks.0", "other", f"a{n}")]
    matcher.states(names[:30])
    tracemalloc.start()
    try:
        for name in names:
            assert matcher.match(name) == ()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10_000

"""The mutation tester: every change of a small file, and what becomes of it."""

import pytest

from tests.mutants.mutant import Mutant, mutants_of
from tests.mutants.running import Outcome
from tests.mutants.score import equivalents, report, states

SMALL = '''"""Two numbers."""

LIMIT: int = 3


def clipped(x: int) -> int:
    """At most the limit."""
    return x if x < LIMIT else LIMIT
'''


def changed(text):
    return [mutant.applied(text) for mutant in mutants_of(text, "x.py")]


def test_every_change_of_a_small_file():
    assert [(m.line, m.operator, m.old, m.new) for m in mutants_of(SMALL, "x.py")] == [
        (3, "constant", "3", "4"),
        (3, "constant", "3", "2"),
        (8, "return", "return x if x < LIMIT else LIMIT", "return None"),
        (8, "branches", "x if x < LIMIT else LIMIT", "(LIMIT if x < LIMIT else x)"),
        (8, "comparison", "x < LIMIT", "(x <= LIMIT)"),
        (8, "comparison", "x < LIMIT", "(x >= LIMIT)"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(a and b)", ["pass", "f((a or b))", "f((b))", "f((a))"]),
        ("x.y = 1", ["pass", "x.y = 2", "x.y = 0"]),
        ("x = not y", ["x = (y)"]),
        ("x = a[1:]", ["x = a[:]", "x = a[2:]", "x = a[0:]"]),
        ("x = any(a for a in b)", ["x = (all((a for a in b)))"]),
        ("x = [a for a in b if c]", ["x = [a for a in b if True]"]),
        ("x = 'a'", ["x = 'XXa'"]),
        ("x = f'a{b}'", ["x = f'XXa{b}'"]),
        ("x = f(a, b=True)", ["x = (f(a))", "x = f(a, b=False)"]),
        ("x = zip(a, b, strict=True)", []),
        ("class A(B[c, d]):\n    pass", []),
        ("x = zip(a, b, strict=False)", ["x = zip(a, b, strict=True)"]),
        ("x = Field(a, strict=True)", ["x = (Field(a))", "x = Field(a, strict=False)"]),
        ("x = [a, b]", ["x = ([b])", "x = ([a])"]),
        ("if a:\n    raise B", ["if (not a):\n    raise B", "if a:\n    pass"]),
        ("import a\nassert a == 1, 'no'\nx: TypeAlias = a | 'b'", []),
        ("'…'.join(a + b)", ["pass", "'XX…'.join(a + b)", "'…'.join((a - b))"]),
    ],
)  # fmt: skip
def test_each_kind_of_change(text, expected):
    assert sorted(changed(text)) == sorted(expected)


def test_what_became_of_the_mutants_is_counted_by_file_without_equivalents():
    made = [
        Mutant(f"lrd_registry/{f}.py", n, "text", "a", "b", 0, "s") for n, f in enumerate("aab")
    ]
    outcomes = [
        Outcome(made[0], "killed", 1.0),
        Outcome(made[1], "alive", 1.0),
        Outcome(made[2], "alive", 1.0),
    ]
    listed = {made[2].key: "nobody sees it"}
    lines = report(states(outcomes, listed)).splitlines()
    assert lines[2:5] == [
        "| `a.py` | 2 | 1 | 0 | 0 | 1 | 50.0% |",
        "| `b.py` | 1 | 0 | 0 | 1 | 0 | – |",
        "| all | 3 | 1 | 0 | 1 | 1 | 50.0% |",
    ]
    assert lines[6].startswith("1 of 2, without equivalents; 95 % interval 9.5% to 90.5%.")
    assert lines[7:] == ["- alive: lrd_registry/a.py:1: text: 'a' -> 'b'"]


def test_every_mutant_that_is_listed_as_equivalent_has_a_reason_and_is_there():
    from tests.mutants.__main__ import all_mutants

    listed = equivalents()
    assert all(reason.strip() for reason in listed.values())
    assert listed.keys() - {mutant.key for mutant in all_mutants()} == set()

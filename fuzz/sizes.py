"""How the time to read a hostile text grows while the text doubles: linear is a ratio of 2."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from fuzz.targets import Parameter
from lrd_registry import LrdError, assign_layers
from lrd_registry.patterns.syntax import PatternError, parse_pattern
from lrd_registry.rule_files.load import parse_rule_set

STEPS = 5
ROUNDS = 5
ENTRY = "arch: x\nlayers:\n  - stem: "
Kind = Callable[[int], Callable[[], object]]


def files(make: Callable[[int], str]) -> Kind:
    """Reading rule files of some kind; the size is that of the text in characters."""

    def kind(size: int) -> Callable[[], object]:
        text = make(size)
        return lambda: parse_rule_set(text)

    return kind


def lines(line: str) -> Callable[[int], str]:
    """Numbered lines after a good beginning."""

    def make(size: int) -> str:
        return f"{ENTRY}a\n" + "".join(
            line.format(n) for n in range(size // len(line.format(99999)))
        )

    return make


def matches(pattern: Callable[[int], str], name: Callable[[int], str]) -> Kind:
    """Matching a name against a pattern."""

    def kind(size: int) -> Callable[[], object]:
        parsed, text = parse_pattern(pattern(size)), name(size)
        return lambda: parsed.match(text)

    return kind


def names(name: Callable[[int], str]) -> Kind:
    """Assigning the layers of a model that has as many parameters as the size."""

    def kind(size: int) -> Callable[[], object]:
        pairs = [(name(number), Parameter()) for number in range(size)]
        return lambda: assign_layers(pairs, "vit")

    return kind


def long_name(size: int) -> Callable[[], object]:
    """Assigning the layers of a model with a name as long as the size, which no pattern matches."""
    pairs = [("blocks.0.norm1.weight", Parameter()), ("ba." * (size // 3) + "a", Parameter())]
    return lambda: assign_layers(pairs, "vit")


FILES: Mapping[str, tuple[Kind, int]] = {
    "many entries": (files(lines("  - n{0}: b{0}.**\n")), 2**14),
    "many keys of an entry": (files(lambda n: f"{ENTRY}\n" + "      k: 1\n" * (n // 11)), 2**14),
    "many unknown keys": (files(lines("k{}: 1\n")), 2**13),
    "many faults": (files(lines("  - n{}: a..b\n")), 2**13),
    "one long text": (files(lambda n: f"arch: {'a' * n}"), 2**15),
    "one long comment": (files(lambda n: f"# {'a' * n}\n{ENTRY}a"), 2**15),
    "many comments": (files(lambda n: "# a\n" * (n // 4) + f"{ENTRY}a"), 2**15),
    "one long flow list": (files(lambda n: f"{ENTRY}[{'a, ' * (n // 3)}]"), 2**14),
    "one long line of blanks": (files(lambda n: f"{ENTRY}{' ' * n}a"), 2**15),
}
NAMES: Mapping[str, tuple[Kind, int]] = {
    "long name, stars": (
        matches(lambda _n: "*".join("ab" * 100), lambda n: "ab" * (n // 2)),
        2**12,
    ),
    "long name, many `**`": (
        matches(lambda _n: ".".join(["**", "a"] * 100), lambda n: "a." * (n // 2) + "b"),
        2**10,
    ),
    "many blocks": (names(lambda n: f"blocks.{n}.norm1.weight"), 2**9),
    "a long name that fits nothing": (long_name, 2**10),
    "many names that fit nothing": (names(lambda n: f"nothing.{n}.of.the.kind"), 2**9),
    "names of growing length": (names(lambda n: "a." * (n % 64) + f"b{n}"), 2**9),
}


def measure(kinds: Mapping[str, tuple[Kind, int]]) -> Iterator[list[str]]:
    """A row for each kind: the milliseconds at each size, and the largest ratio."""
    for title, (kind, start) in kinds.items():
        sizes = [start * 2**step for step in range(STEPS)]
        seconds = [_least(kind(size)) for size in sizes]
        worst = max(after / before for before, after in pairwise(seconds))
        whole = (seconds[-1] / seconds[0]) ** (1 / (STEPS - 1))
        times = [f"{1000 * second:.2f}" for second in seconds]
        yield [title, f"{sizes[0]:,}", *times, f"{whole:.2f}", f"{worst:.2f}"]


def _least(call: Callable[[], object]) -> float:
    return min(_timed(call) for _ in range(ROUNDS))


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    with contextlib.suppress(LrdError, PatternError):
        call()
    return time.perf_counter() - start

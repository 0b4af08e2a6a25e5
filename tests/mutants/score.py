"""How many of the mutants were noticed, by file and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt
from pathlib import Path

import yaml

from tables.markdown import table
from tests.mutants.mutant import Mutant
from tests.mutants.running import Outcome

LISTED = Path(__file__).parent / "equivalent.yaml"
NOTICED = ("killed", "timed out")
HEADER = ["file", "mutants", "killed", "timed out", "equivalent", "alive", "score"]
Key = tuple[str, str, str, str, str]


def equivalents() -> dict[Key, str]:
    """The mutants that change nothing -> why."""
    return {
        (one["file"], one["line"], one["operator"], one["old"], one["new"]): entry["reason"]
        for entry in yaml.safe_load(LISTED.read_text()) or ()
        for one in entry["mutants"]
    }


def states(outcomes: Iterable[Outcome], listed: Mapping[Key, str]) -> dict[Mutant, str]:
    """What became of each mutant; one that is alive and changes nothing is equivalent."""
    return {
        outcome.mutant: "equivalent"
        if outcome.state == "alive" and outcome.mutant.key in listed
        else outcome.state
        for outcome in outcomes
        if outcome.mutant is not None
    }


def report(found: Mapping[Mutant, str]) -> str:
    """The table by file, the interval of the whole, and whoever is alive."""
    by_file: dict[str, Counter[str]] = {}
    for mutant, state in sorted(found.items(), key=lambda item: item[0].path):
        by_file.setdefault(mutant.path.removeprefix("lrd_registry/"), Counter())[state] += 1
    total = sum(by_file.values(), Counter())
    rows = [_row(f"`{path}`", count) for path, count in by_file.items()]
    killed, tried = _counted(total)
    low, high = wilson(killed, tried)
    alive = sorted(str(mutant) for mutant, state in found.items() if state == "alive")
    return "\n".join(
        [
            table(HEADER, [*rows, _row("all", total)]),
            f"{killed} of {tried}, without equivalents; 95 % interval {low:.1%} to {high:.1%}.",
            *(f"- alive: {line}" for line in alive),
        ]
    )


def _row(name: str, count: Counter[str]) -> list[str]:
    killed, tried = _counted(count)
    columns = ("killed", "timed out", "equivalent", "alive")
    score = f"{killed / tried:.1%}" if tried else "–"
    return [name, str(count.total()), *(str(count[column]) for column in columns), score]


def _counted(count: Counter[str]) -> tuple[int, int]:
    return sum(count[state] for state in NOTICED), count.total() - count["equivalent"]


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a proportion.

    >>> [round(bound, 3) for bound in wilson(228, 237)]
    [0.929, 0.98]
    """
    if not trials:
        return 0.0, 1.0
    rate, square = successes / trials, z * z
    middle = (rate + square / (2 * trials)) / (1 + square / trials)
    half = z * sqrt(rate * (1 - rate) / trials + square / (4 * trials**2)) / (1 + square / trials)
    return middle - half, middle + half

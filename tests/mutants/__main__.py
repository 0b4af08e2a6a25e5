"""Try a seeded sample of mutants, or all of them, and print the score."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.mutants.covering import ROOT, Covering, measure_coverage
from tests.mutants.mutant import Mutant, mutants_of
from tests.mutants.running import Outcome, Task, relative, run
from tests.mutants.score import NOTICED, equivalents, report, states

SUBJECTS = [
    *("patterns", "rule_files", "model_names", "engine", "groups", "verify", "resume"),
    *("assignment.py", "decay.py"),
]
FILES = [
    file
    for path in (ROOT / "lrd_registry" / subject for subject in SUBJECTS)
    for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])
]


def main() -> None:
    """Run `python -m tests.mutants`."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many (default: 400)")
    parser.add_argument("--seed", type=int, default=0, help="which (default: 0)")
    parser.add_argument("--all", action="store_true", help="all in place of a sample")
    parser.add_argument("--only", default="", help="those whose description has this in it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    given = parser.parse_args()
    os.chdir(ROOT)
    mutants = [mutant for mutant in all_mutants() if given.only in str(mutant)]
    if not given.all and not given.only:
        mutants = random.Random(given.seed).sample(mutants, min(given.sample, len(mutants)))
    outcomes = try_all(mutants, measure_in_a_process(FILES), given.jobs)
    print(report(states(outcomes, equivalents())))


def all_mutants() -> list[Mutant]:
    """Every mutant of the engine."""
    return [mutant for path in FILES for mutant in mutants_of(path.read_text(), relative(path))]


def measure_in_a_process(files: Sequence[Path]) -> Covering:
    """Measure in a process of its own, so that this one has imported nothing of the project."""
    if not os.fork():
        measure_coverage(files)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.wait()
    if status:
        raise SystemExit("the tests could not be measured")
    return measure_coverage(files)


def try_all(mutants: Sequence[Mutant], covering: Covering, jobs: int) -> list[Outcome]:
    """What becomes of the mutants; first the tests run without any."""
    tasks = [_task(mutant, covering) for mutant in mutants]
    needed = list(dict.fromkeys(test for task in tasks for test in task.tests))
    (whole,) = run([Task(None, needed, covering.time_of(needed))], 1)
    if whole.state != "alive":
        raise SystemExit(f"the tests fail without any mutant: {whole.state}")
    uncovered = [Outcome(task.mutant, "alive", 0.0) for task in tasks if not task.tests]
    covered = [task for task in tasks if task.tests]
    console = Console(stderr=True)
    tried = []
    for outcome in track(run(covered, jobs), "mutants", total=len(covered), console=console):
        tried.append(outcome)
        if outcome.state not in NOTICED:
            print(f"{outcome.state}: {outcome.mutant}", file=sys.stderr, flush=True)
    return [*uncovered, *tried]


def _task(mutant: Mutant, covering: Covering) -> Task:
    tests = covering.tests_of(mutant.path, mutant.line)
    return Task(mutant, tests, covering.time_of(tests))


if __name__ == "__main__":
    main()

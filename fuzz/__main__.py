"""Run all targets, or one on kept files, or measure how time grows with size."""

from __future__ import annotations

import argparse
from pathlib import Path

from fuzz import sizes
from fuzz.running import Run, run_target
from fuzz.targets import TARGETS
from tables.markdown import table

HEADER = ["target", "executions", "seconds", "per second", "peak memory, MB", "finds"]
GROWTH = ["kind", "first size", *["ms"] * sizes.STEPS, "ratio", "worst ratio"]


def main() -> None:
    """Run `python -m fuzz`."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("subject", nargs="?", choices=[*TARGETS, "sizes"])
    parser.add_argument("files", nargs="*", type=Path, help="what a target is run on")
    parser.add_argument("--executions", type=int, default=1_000_000, help="of all targets together")
    parser.add_argument("--seconds", type=int, default=900, help="the most for one target")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.subject == "sizes":
        print_growth()
    elif given.files:
        for path in given.files:
            TARGETS[given.subject](path.read_bytes())
    else:
        chosen = [given.subject] if given.subject else list(TARGETS)
        each = given.executions // len(chosen)
        print_runs([run_target(name, each, given.seconds, given.seed) for name in chosen])


def print_growth() -> None:
    """The tables of sizes."""
    for title, kinds in (("characters", sizes.FILES), ("names, or their length", sizes.NAMES)):
        print(f"By {title}, doubled each time:\n")
        print(table(GROWTH, sizes.measure(kinds)))


def print_runs(runs: list[Run]) -> None:
    """The table, and how to run again what was found; ends with 1 if anything was."""
    print(table(HEADER, [run.row() for run in runs]))
    for run in runs:
        for path in run.finds:
            print(f"{run.output[-3000:]}\npython -m fuzz {run.target} {path}")
    if any(run.finds for run in runs):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Measure every model, and print a table; `make zoo` runs it. What was measured is kept."""

from __future__ import annotations

import argparse
import os

from zoo.running import run


def main() -> None:
    """Run `python -m zoo order`, or another of the subjects."""
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    arguments = parser.parse_args()
    print(SUBJECTS[arguments.subject](arguments.jobs))


def _order(jobs: int) -> str:
    from zoo import order

    return order.text(run("order", order.tasks(), order.measure, jobs))


def _resolve(jobs: int) -> str:
    from zoo import resolve

    return resolve.text(run("resolve", resolve.tasks(), resolve.measure, jobs))


def _rules(jobs: int) -> str:
    from zoo import rules

    return rules.text(run("rules", rules.tasks(), rules.measure, jobs))


def _drafts(jobs: int) -> str:
    from zoo import drafts, drafts_table, models

    rows = models.names()
    tasks = {name: name for names in rows.values() for name in names}
    results = run("drafts", tasks, drafts.measure, jobs)
    larger = {
        name: (results[name]["draft"]["rules"], other)
        for name, other in drafts.next_sizes(results).items()
        if results[name]["draft"]["complete"]
    }
    return drafts_table.text(rows, results, run("next-sizes", larger, drafts.fits, jobs))


SUBJECTS = {"order": _order, "resolve": _resolve, "rules": _rules, "drafts": _drafts}


if __name__ == "__main__":
    main()

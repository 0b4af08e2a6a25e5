"""Measure every model, and print a table; `make zoo` runs it. What was measured is kept."""

from __future__ import annotations

import argparse
import os

from zoo import order
from zoo.running import run


def main() -> None:
    """Run `python -m zoo order`."""
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__)
    parser.add_argument("subject", choices=["order"])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    arguments = parser.parse_args()
    print(order.text(run("order", order.tasks(), order.measure, arguments.jobs)))


if __name__ == "__main__":
    main()

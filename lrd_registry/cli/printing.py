"""The only place that prints results: text, a table, or JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from lrd_registry.cli.failures import Failure

WIDE = 10_000
"""How wide a table may be where nobody's terminal is: nothing is cut, and one row is one line."""


def show_output(output: Table | str | Any) -> None:
    """Text and JSON as they are; a table as wide as it needs where nobody's terminal is."""
    from rich.table import Table

    if isinstance(output, str):
        print(output)
    elif isinstance(output, Table):
        from rich.console import Console

        is_terminal = sys.stdout.isatty()
        for column in output.columns:
            column.no_wrap = not is_terminal  # wrapping takes as long as all the rest
        console = Console(width=None if is_terminal else WIDE)
        console.print(output, highlight=False, markup=False)
    else:
        print(json.dumps(output, indent=2, ensure_ascii=False))


def show_failure(failure: Failure, *, as_json: bool) -> None:
    """JSON where results are expected; text where errors are."""
    if as_json:
        show_output(failure.to_dict())
    else:
        print(f"lrd: {failure.message}", file=sys.stderr)

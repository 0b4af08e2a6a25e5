"""The command line: parses, calls, prints.

Exit status 0: fine; 1: the model or the rule falls short; 2: misuse, or an unreadable file.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import typer

from lrd_registry.cli.check import check
from lrd_registry.cli.diff import diff
from lrd_registry.cli.explain import explain
from lrd_registry.cli.init import init
from lrd_registry.cli.options import Help
from lrd_registry.cli.rule_sets import list_rule_sets, schema, show
from lrd_registry.cli.trace import trace
from lrd_registry.errors import (
    AmbiguousArchitectureError,
    CoverageError,
    LrdError,
    Needs,
    TraceError,
)

CALL = "lrd_registry.draft(model, NAME, lrd_registry.trace(model, inputs))"
WORDS: dict[Needs, str] = {
    "inputs": "give it --input 1,3,224,224, once for each input, or --input NAME=1,77 by name",
    "data": f"the command line gives shapes alone; in Python, pass real tensors: {CALL}",
    "weights": (
        "the command line builds no weights; in Python, pass real tensors to a model that has "
        f"its weights: {CALL}"
    ),
}
"""What a pass lacks, in the words of the command line."""

app = typer.Typer(
    name="lrd",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": []},
)


@app.callback()
def lrd(_help: Help = False) -> None:
    """Layer-wise learning-rate decay by declarative rules."""


app.command("list")(list_rule_sets)
for command in (show, explain, check, trace, init, diff, schema):
    app.command()(command)


def main() -> None:
    """Run the command line; every error of ours is one message and an exit status."""
    warnings.showwarning = _show_warning
    try:
        app(prog_name="lrd")
    except (CoverageError, AmbiguousArchitectureError) as error:
        _fail(str(error), 1)
    except TraceError as error:
        _fail(f"{error.why}; {WORDS[error.needs]}" if error.needs else str(error), 2)
    except LrdError as error:
        _fail(str(error), 2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"lrd: {message}", file=sys.stderr)


def _fail(error: str, status: int) -> None:
    print(f"lrd: {error}", file=sys.stderr)
    sys.exit(status)

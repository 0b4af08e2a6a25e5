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
from lrd_registry.cli.failures import failure_of
from lrd_registry.cli.init import init
from lrd_registry.cli.options import Help
from lrd_registry.cli.printing import show_failure
from lrd_registry.cli.rule_sets import list_rule_sets, schema, show
from lrd_registry.cli.trace import trace
from lrd_registry.errors import LrdError

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
    """Run the command line; every error of ours is one message and an exit status.

    With `--json`, the message is JSON on the standard output, as a result would be.
    """
    warnings.showwarning = _show_warning
    try:
        app(prog_name="lrd")
    except LrdError as error:
        failure = failure_of(error)
        show_failure(failure, as_json="--json" in sys.argv)
        sys.exit(failure.status)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"lrd: {message}", file=sys.stderr)

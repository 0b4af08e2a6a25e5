"""The command line: parses, calls, prints.

Exit status 0: fine; 1: the model or the rule falls short; 2: misuse, or an unreadable file.
"""

from __future__ import annotations

import json
import sys
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrd_registry.errors import (
    AmbiguousArchitectureError,
    CoverageError,
    InvalidArgumentError,
    LrdError,
)

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    name="lrd",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": []},
)


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        print(context.get_help())
        raise typer.Exit


# In place of typer's own, for which it imports and builds a pydantic adapter at every start.
Help = Annotated[
    bool, typer.Option("--help", is_eager=True, callback=_show_help, help="Show this and exit.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ArchOption = Annotated[
    str, typer.Option(help="A rule set's name, a rule file's path, or auto: the one that fits.")
]
ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="timm:NAME, plainly NAME, hf:TYPE[:CLASS], torchvision:NAME, "
        "package.module:callable, a .safetensors file, a .safetensors.index.json, or a .txt file "
        "of parameter names.",
        show_default=False,
    ),
]
RuleName = Annotated[
    str, typer.Argument(metavar="RULE", help="A rule set's name, or a rule file's path.")
]


@app.callback()
def lrd(_help: Help = False) -> None:
    """Layer-wise learning-rate decay by declarative rules."""


@app.command("list")
def list_rule_sets(as_json: AsJson = False, _help: Help = False) -> None:
    """List the registered rule sets."""
    from lrd_registry.registry.default import default_registry
    from lrd_registry.report import registry_rows, table

    rows = registry_rows(default_registry.entries())
    counted = [{**row, "layouts": len(row["layouts"])} for row in rows]
    _print(rows if as_json else table(counted))


@app.command()
def show(rule: RuleName, as_json: AsJson = False, _help: Help = False) -> None:
    """Show a rule set: its sources, and the layers of each layout."""
    from lrd_registry.layers.selection import find_rule_set
    from lrd_registry.report import rule_set_text

    rules = find_rule_set(rule)
    _print(rules.to_dict() if as_json else rule_set_text(rules))


@app.command()
def explain(
    model: ModelName,
    arch: ArchOption = "auto",
    parameters: Annotated[
        bool, typer.Option("--parameters", help="One line per parameter, with its pattern.")
    ] = False,
    layer_decay: Annotated[float, typer.Option(help="From one layer to the one before.")] = 0.75,
    weight_decay: Annotated[float, typer.Option(help="Of the decayed parameters.")] = 0.05,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Show a model's layers: what each holds, at what scale, under which weight decay.

    Where only names are known, what needs shapes is left out: elements and weight decay.
    """
    from lrd_registry.groups.param_groups import build_param_groups
    from lrd_registry.layers.decay import check_layer_decay
    from lrd_registry.layers.parameters import collect_parameters
    from lrd_registry.layers.selection import assign_layers
    from lrd_registry.models import build_model
    from lrd_registry.models.skeleton import has_shapes
    from lrd_registry.report import layer_rows, parameter_rows, table

    built = build_model(model)
    assignment = assign_layers(built, arch)
    about: dict[str, Any] = {"model": model, "layer_decay": layer_decay}
    groups = None
    if has_shapes(built.parameters()):
        about["weight_decay"] = weight_decay
        groups = build_param_groups(
            built, assignment, layer_decay=layer_decay, weight_decay=weight_decay
        )
    else:
        check_layer_decay(layer_decay)
    rows = parameter_rows(collect_parameters(built), assignment, groups, layer_decay)
    if not parameters:
        rows = layer_rows(rows, assignment, layer_decay)
    if as_json:
        fitting = {key: getattr(assignment, key) for key in ("arch", "layout", "num_layers")}
        _print({**about, **fitting, "parameters" if parameters else "layers": rows})
    else:
        print(
            f"{model}: {assignment.arch} (layout {assignment.layout}), "
            f"{assignment.num_layers} layers, layer decay {layer_decay:g}"
        )
        _print(table(rows))


@app.command()
def check(
    rule: RuleName,
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="As for explain.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Check a rule file, and that it covers each model; say what does not fit."""
    from lrd_registry.layers.selection import assign_layers, find_rule_set
    from lrd_registry.models import build_model

    rules = find_rule_set(rule)
    results: list[dict[str, Any]] = []
    for model in models or ():
        built = build_model(model)
        try:
            assignment = assign_layers(built, rules)
            about = {"layout": assignment.layout, "num_layers": assignment.num_layers}
            results.append({"model": model, "fits": True, **about})
        except (CoverageError, AmbiguousArchitectureError) as error:
            results.append({"model": model, "fits": False, "message": str(error)})
    if as_json:
        _print({"arch": rules.arch, "models": results})
    else:
        _print("\n".join([f"{rules.arch}: the rule file is valid", *map(_say_result, results)]))
    if not all(result["fits"] for result in results):
        raise typer.Exit(1)


class Grouping(str, Enum):
    """A grouping that is no rule set's."""

    TIMM = "timm"


@app.command()
def diff(
    sides_and_model: Annotated[
        list[str],
        typer.Argument(
            metavar="A [B] MODEL",
            help="A and B as RULE[:LAYOUT][@DECAY], where RULE may be auto; a layout named here is "
            "applied whatever its signature. MODEL as for explain.",
            show_default=False,
        ),
    ],
    against: Annotated[
        Grouping | None,
        typer.Option(help="In place of B: timm's own grouping, at A's layer decay."),
    ] = None,
    layer_decay: Annotated[float, typer.Option(help="Of a side without its own.")] = 0.75,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Show which parameters of a model change layer or scale from one rule set to another."""
    from lrd_registry.diff.difference import compare
    from lrd_registry.diff.report import change_rows, difference_data, difference_text
    from lrd_registry.diff.sides import find_side, parse_side
    from lrd_registry.diff.timm_grouping import timm_side
    from lrd_registry.layers.parameters import collect_parameters
    from lrd_registry.models import build_model
    from lrd_registry.report import table

    _check_number(sides_and_model, against)
    *sides, model = sides_and_model
    specs = [parse_side(side, layer_decay) for side in sides]
    built = build_model(model)
    parameters = collect_parameters(built)
    a, *others = (find_side(spec, parameters) for spec in specs)
    b = timm_side(built, a.layer_decay) if against else others[0]
    difference = compare(a, b)
    if as_json:
        _print({"model": model, **difference_data(difference)})
        return
    print(f"{model}\n{difference_text(difference)}")
    if difference.changes:
        _print(table(change_rows(difference.changes)))


@app.command()
def schema(_help: Help = False) -> None:
    """Print the JSON Schema of a rule file."""
    from lrd_registry.rule_files.schema import rule_file_schema

    _print(rule_file_schema())


def main() -> None:
    """Run the command line; every error of ours is one message and an exit status."""
    try:
        app(prog_name="lrd")
    except (CoverageError, AmbiguousArchitectureError) as error:
        _fail(error, 1)
    except LrdError as error:
        _fail(error, 2)


def _say_result(result: dict[str, Any]) -> str:
    if not result["fits"]:
        return f"{result['model']}: does not fit\n{result['message']}"
    return f"{result['model']}: fits, layout {result['layout']}, {result['num_layers']} layers"


def _check_number(sides_and_model: list[str], against: Grouping | None) -> None:
    """Refuse a side too many, or one too few."""
    expected = "A MODEL with --against timm" if against else "A B MODEL, or A MODEL --against timm"
    if len(sides_and_model) != (2 if against else 3):
        found = " ".join(sides_and_model)
        raise InvalidArgumentError(f"diff takes {expected}; found {found!r}")


def _fail(error: LrdError, status: int) -> None:
    print(f"lrd: {error}", file=sys.stderr)
    sys.exit(status)


def _print(output: Table | str | Any) -> None:
    """Text and JSON as they are; a table as wide as it needs where nobody's terminal is."""
    from rich.table import Table

    if isinstance(output, str):
        print(output)
    elif isinstance(output, Table):
        from rich.console import Console

        console = Console(width=None if sys.stdout.isatty() else 200)
        console.print(output, highlight=False, markup=False)
    else:
        print(json.dumps(output, indent=2, ensure_ascii=False))

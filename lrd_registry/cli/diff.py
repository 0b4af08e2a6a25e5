"""`lrd diff`: two rule sets, or one and timm's own grouping, on one model."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from lrd_registry.cli.options import AsJson, Help
from lrd_registry.cli.printing import show_output
from lrd_registry.cli.shapes import INFERS, InputOption, shapes_to_run
from lrd_registry.errors import InvalidArgumentError


class Grouping(str, Enum):
    """A grouping that is no rule set's."""

    TIMM = "timm"


def diff(
    sides_and_model: Annotated[
        list[str],
        typer.Argument(
            metavar="A [B] MODEL",
            help="A and B as RULE[:LAYOUT][+BY][@DECAY], where RULE may be auto or infer; a layout "
            "named here is applied whatever its signature; BY is as --layers-by of explain. MODEL "
            "as for explain.",
            show_default=False,
        ),
    ],
    against: Annotated[
        Grouping | None,
        typer.Option(help="In place of B: timm's own grouping, at A's layer decay."),
    ] = None,
    layer_decay: Annotated[float, typer.Option(help="Of a side without its own.")] = 0.75,
    inputs: InputOption = None,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Show which parameters of a model change layer or scale from one rule set to another."""
    from lrd_registry.cli.render import table
    from lrd_registry.diff.difference import compare
    from lrd_registry.diff.report import change_rows, difference_data, difference_text
    from lrd_registry.diff.sides import find_side, parse_side
    from lrd_registry.diff.timm_grouping import timm_side
    from lrd_registry.model_names.parameters import collect_parameters
    from lrd_registry.models import build_model
    from lrd_registry.registry.default import default_catalog

    _check_number(sides_and_model, against)
    *sides, model = sides_and_model
    specs = [parse_side(side, layer_decay) for side in sides]
    shapes = shapes_to_run(inputs, INFERS, runs=any(spec.rule == "infer" for spec in specs))
    built = build_model(model)
    parameters = collect_parameters(built)
    catalog = default_catalog()
    a, *others = (find_side(spec, parameters, catalog, shapes) for spec in specs)
    b = timm_side(built, a.layer_decay) if against else others[0]
    difference = compare(a, b)
    if as_json:
        show_output({"model": model, **difference_data(difference)})
        return
    print(f"{model}\n{difference_text(difference)}")
    if difference.changes:
        show_output(table(change_rows(difference.changes)))


def _check_number(sides_and_model: list[str], against: Grouping | None) -> None:
    """Refuse a side too many, or one too few."""
    expected = "A MODEL with --against timm" if against else "A B MODEL, or A MODEL --against timm"
    if len(sides_and_model) != (2 if against else 3):
        found = " ".join(sides_and_model)
        raise InvalidArgumentError(f"diff takes {expected}; found {found!r}")

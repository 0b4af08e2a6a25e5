"""`lrd trace`: the order in which a model uses its parameters, against its layers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lrd_registry.cli.options import (
    ArchOption,
    AsJson,
    Help,
    ModelName,
    OutsideOption,
    PrefixOption,
)
from lrd_registry.cli.printing import show_output
from lrd_registry.cli.shapes import InputOption, parse_shapes


def trace(
    model: ModelName,
    arch: ArchOption = "auto",
    parameters: Annotated[
        bool, typer.Option("--parameters", help="One line per parameter, in the order of use.")
    ] = False,
    prefix: PrefixOption = None,
    outside: OutsideOption = "error",
    inputs: InputOption = None,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Run a model once, without weights, and say where its layers contradict the order of use."""
    from lrd_registry.assign.assign_layers import assign_layers
    from lrd_registry.cli.render import table
    from lrd_registry.models import build_model
    from lrd_registry.tracing import trace as run
    from lrd_registry.tracing.order_check import check_order
    from lrd_registry.tracing.report import check_data, check_text, use_rows

    shapes = parse_shapes(inputs)
    built = build_model(model)
    to_infer = shapes if arch == "infer" else None
    assignment = assign_layers(built, arch, inputs=to_infer, prefix=prefix, outside=outside)
    traced = run(built, shapes)
    check = check_order(assignment, traced)
    rows = use_rows(traced, assignment) if parameters else []
    about: dict[str, Any] = {"model": model, "arch": assignment.arch, "layout": assignment.layout}
    if as_json:
        uses = {"parameters": rows} if parameters else {}
        show_output({**about, **check_data(check), "unused": list(traced.unused), **uses})
    else:
        print(f"{model}: {assignment.arch} (layout {assignment.layout})")
        print(f"{len(traced.uses)} parameters are used, {len(traced.unused)} are not")
        print(check_text(check, assignment, traced))
        if rows:
            show_output(table(rows))
    if check.contradictions:
        raise typer.Exit(1)

"""`lrd check`: a rule file, on models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrd_registry.cli.failures import failure_of
from lrd_registry.cli.layers import LAYER_DECAY, deep_note, rows_of_parameters
from lrd_registry.cli.options import (
    AsJson,
    Help,
    LayersByOption,
    OutsideOption,
    PrefixOption,
    RuleName,
)
from lrd_registry.cli.printing import show_output
from lrd_registry.cli.shapes import TRACES, InputOption, Shapes, shapes_to_run
from lrd_registry.errors import AmbiguousArchitectureError, CoverageError, TraceError

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.assignment import Assignment
    from lrd_registry.rule_files.schema import RuleSet


def check(
    rule: RuleName,
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="As for explain.", show_default=False),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Run each model once, and compare the order of use.")
    ] = False,
    inputs: InputOption = None,
    layers_by: LayersByOption = "published",
    prefix: PrefixOption = None,
    outside: OutsideOption = "error",
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Check a rule file, and that it covers each model; show the layers, or what does not fit."""
    from lrd_registry.assign.assign_layers import assign_layers
    from lrd_registry.assign.select_rules import find_rule_set
    from lrd_registry.engine.layers_by import parse_layers_by
    from lrd_registry.models import build_model
    from lrd_registry.registry.default import default_catalog

    shapes = shapes_to_run(inputs, TRACES, runs=trace)
    rules = find_rule_set(rule, default_catalog())
    results: list[dict[str, Any]] = []
    for model in models or ():
        built = build_model(model)
        try:
            assignment = assign_layers(
                built,
                rules,
                layers_by=parse_layers_by(layers_by),
                prefix=prefix,
                outside=outside,
            )
            about = {"model": model, "fits": True, **_describe(built, rules, assignment)}
            order = _check_order(built, assignment, shapes) if trace else NOT_CHECKED
            note = deep_note(built, rules, assignment, LAYER_DECAY, prefix=prefix, outside=outside)
            results.append({**about, **({"note": note} if note else {}), **order})
        except (CoverageError, AmbiguousArchitectureError) as error:
            results.append({"model": model, "fits": False, **failure_of(error).to_dict()})
    if as_json:
        show_output({"arch": rules.arch, "models": results})
    else:
        show_output(f"{rules.arch}: the rule file is valid")
        for result in results:
            _show_result(result)
    wanted = {True} if trace else {True, None}
    if not all(result["fits"] and result["in_order"] in wanted for result in results):
        raise typer.Exit(1)


NOT_CHECKED = {"in_order": None, "order": "the order was not checked; --trace checks it"}


def _describe(model: nn.Module, rules: RuleSet, assignment: Assignment) -> dict[str, Any]:
    """The layout that fits, the layers that it makes, and what shares one by mistake."""
    from lrd_registry.assign.numbered_modules import find_shared_layers
    from lrd_registry.cli.render import depth_data, layer_rows

    rows = rows_of_parameters(model, assignment)
    return {
        "layout": assignment.layout,
        **depth_data(assignment),
        "layer_decay": LAYER_DECAY,
        "layers": layer_rows(rows, assignment, LAYER_DECAY),
        "warnings": list(map(str, find_shared_layers(rules, assignment))),
    }


def _check_order(model: nn.Module, assignment: Assignment, shapes: Shapes | None) -> dict[str, Any]:
    """What a forward pass of the model says of its layers."""
    from lrd_registry.tracing import trace
    from lrd_registry.tracing.order_check import check_order
    from lrd_registry.tracing.report import check_data, check_text

    try:
        traced = trace(model, shapes)
    except TraceError as error:
        return {"in_order": None, "order": f"the order was not checked: {error}"}
    check = check_order(assignment, traced)
    return {**check_data(check), "order": check_text(check, assignment, traced)}


def _show_result(result: dict[str, Any]) -> None:
    from lrd_registry.cli.render import depth_text, table

    if not result["fits"]:
        show_output(f"{result['model']}: does not fit\n{result['message']}")
        return
    fits = f"{result['model']}: fits, layout {result['layout']}, {depth_text(result)}"
    show_output(f"{fits}, layer decay {result['layer_decay']:g}")
    show_output(table(result["layers"]))
    if note := result.get("note"):
        show_output(f"note: {note}")
    for warning in result["warnings"]:
        show_output(f"warning: {warning}")
    show_output(result["order"])

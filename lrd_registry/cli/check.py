"""`lrd check`: a rule file, on models."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lrd_registry.cli.options import AsJson, Help, Outside, OutsideOption, PrefixOption, RuleName
from lrd_registry.cli.printing import show_output
from lrd_registry.errors import AmbiguousArchitectureError, CoverageError


def check(
    rule: RuleName,
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="As for explain.", show_default=False),
    ] = None,
    prefix: PrefixOption = None,
    outside: OutsideOption = Outside.ERROR,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Check a rule file, and that it covers each model; say what does not fit."""
    from lrd_registry.layers.selection import assign_layers, find_rule_set
    from lrd_registry.models import build_model
    from lrd_registry.report import depth_data

    rules = find_rule_set(rule)
    results: list[dict[str, Any]] = []
    for model in models or ():
        built = build_model(model)
        try:
            assignment = assign_layers(built, rules, prefix=prefix, outside=outside.value)
            about = {"layout": assignment.layout, **depth_data(assignment)}
            results.append({"model": model, "fits": True, **about})
        except (CoverageError, AmbiguousArchitectureError) as error:
            results.append({"model": model, "fits": False, "message": str(error)})
    if as_json:
        show_output({"arch": rules.arch, "models": results})
    else:
        show_output(
            "\n".join([f"{rules.arch}: the rule file is valid", *map(_say_result, results)])
        )
    if not all(result["fits"] for result in results):
        raise typer.Exit(1)


def _say_result(result: dict[str, Any]) -> str:
    from lrd_registry.report import depth_text

    if not result["fits"]:
        return f"{result['model']}: does not fit\n{result['message']}"
    return f"{result['model']}: fits, layout {result['layout']}, {depth_text(result)}"

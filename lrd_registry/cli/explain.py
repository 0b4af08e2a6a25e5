"""`lrd explain`: the layers of a model."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lrd_registry.cli.layers import LAYER_DECAY, WEIGHT_DECAY, deep_note, rows_of_parameters
from lrd_registry.cli.options import (
    ArchOption,
    AsJson,
    Help,
    LayersByOption,
    ModelName,
    OutsideOption,
    PrefixOption,
)
from lrd_registry.cli.printing import show_output
from lrd_registry.cli.shapes import INFERS, InputOption, shapes_to_run


def explain(
    model: ModelName,
    arch: ArchOption = "auto",
    parameters: Annotated[
        bool, typer.Option("--parameters", help="One line per parameter, with its pattern.")
    ] = False,
    layer_decay: Annotated[
        float, typer.Option(help="From one layer to the one before.")
    ] = LAYER_DECAY,
    weight_decay: Annotated[float, typer.Option(help="Of the decayed parameters.")] = WEIGHT_DECAY,
    layers_by: LayersByOption = "published",
    prefix: PrefixOption = None,
    outside: OutsideOption = "error",
    inputs: InputOption = None,
    as_json: AsJson = False,
    _help: Help = False,
) -> None:
    """Show a model's layers: what each holds, at what scale, under which weight decay.

    Where only names are known, what needs shapes is left out: elements and weight decay.
    """
    from lrd_registry.assign.assign_layers import assign_layers
    from lrd_registry.cli.render import depth_data, depth_text, layer_rows, table
    from lrd_registry.engine.layers_by import parse_layers_by
    from lrd_registry.models import build_model
    from lrd_registry.models.skeleton import has_shapes

    shapes = shapes_to_run(inputs, INFERS, runs=arch == "infer")
    built = build_model(model)
    assignment = assign_layers(
        built,
        arch,
        inputs=shapes,
        layers_by=parse_layers_by(layers_by),
        prefix=prefix,
        outside=outside,
    )
    rows = rows_of_parameters(built, assignment, layer_decay, weight_decay)
    about: dict[str, Any] = {"model": model, "layer_decay": layer_decay}
    if has_shapes(built.parameters()):
        about["weight_decay"] = weight_decay
    if not parameters:
        rows = layer_rows(rows, assignment, layer_decay)
    note = deep_note(built, arch, assignment, layer_decay, prefix=prefix, outside=outside)
    if as_json:
        about |= {"note": note} if note else {}
        fitting = {"arch": assignment.arch, "layout": assignment.layout, **depth_data(assignment)}
        show_output({**about, **fitting, "parameters" if parameters else "layers": rows})
    else:
        print(
            f"{model}: {assignment.arch} (layout {assignment.layout}), "
            f"{depth_text(depth_data(assignment))}, layer decay {layer_decay:g}"
        )
        show_output(table(rows))
        if note:
            show_output(f"note: {note}")

"""The rows that `lrd explain` and `lrd check` print of a model's layers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.assignment import Assignment
    from lrd_registry.cli.render import Rows

LAYER_DECAY = 0.75
WEIGHT_DECAY = 0.05


def rows_of_parameters(
    model: nn.Module,
    assignment: Assignment,
    layer_decay: float = LAYER_DECAY,
    weight_decay: float = WEIGHT_DECAY,
) -> Rows:
    """One row per parameter; where only names are known, without what needs shapes.

    Raises:
        InvalidArgumentError: one of the numbers is out of its range.
    """
    from lrd_registry.cli.render import parameter_rows
    from lrd_registry.decay import check_layer_decay, warn_above_1
    from lrd_registry.groups.build_param_groups import build_param_groups
    from lrd_registry.model_names.parameters import collect_parameters
    from lrd_registry.models.skeleton import has_shapes

    groups = None
    if has_shapes(model.parameters()) and any(p.requires_grad for p in model.parameters()):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*frozen, in effect")  # it is a note here
            groups = build_param_groups(
                model, assignment, layer_decay=layer_decay, weight_decay=weight_decay
            )
    else:
        check_layer_decay(layer_decay)
        warn_above_1(layer_decay)
    return parameter_rows(collect_parameters(model), assignment, groups, layer_decay)


def deep_note(
    model: nn.Module, arch: Any, assignment: Assignment, layer_decay: float, **place: Any
) -> str | None:
    """What the layer decay does to a deep network, and what would be usual."""
    from lrd_registry.assign.assign_layers import assign_layers
    from lrd_registry.groups.too_deep import is_too_deep, say_too_deep

    if not is_too_deep(assignment, layer_decay):
        return None
    stages = None
    if arch != "infer":
        stages = assign_layers(model, arch, layers_by="stage", **place).num_layers
    return say_too_deep(assignment, layer_decay, stages)

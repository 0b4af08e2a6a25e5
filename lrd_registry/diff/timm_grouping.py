"""timm's own layers of a model, read off the groups that timm makes for an optimizer."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lrd_registry.assignment import Placement
from lrd_registry.diff.difference import Side
from lrd_registry.errors import ModelError

if TYPE_CHECKING:
    from torch import nn


def timm_side(model: nn.Module, layer_decay: float) -> Side:
    """The layers that `timm.optim.param_groups_layer_decay` gives a model.

    A model without a `group_matcher` has no rule in timm, which then cuts its list of parameters
    into slices of 12. Frozen parameters, which timm leaves out of its groups although it counts
    their layers, have their layer here; what can never train, such as integers, has none.

    Args:
        model: a module, also on the meta device; it is left as it was.
        layer_decay: the side's decay; timm's layers do not depend on it.

    Raises:
        ModelError: timm is not installed, or the model is no more than names.

    >>> from lrd_registry.models import build_model
    >>> side = timm_side(build_model("vit_tiny_patch16_224"), 0.75)
    >>> side.num_layers, side.places["norm.weight"].layer
    (14, 12)
    """
    _check_known(model)
    below = _layers_below_the_last(model)
    last = max(below.values())
    return Side(
        spec="timm",
        arch="timm's own grouping",
        layout="group_matcher" if hasattr(model, "group_matcher") else "slices of 12 tensors",
        depths={"": last + 1},
        layer_decay=layer_decay,
        places={
            name: Placement(last - below[name], "", "")
            for name, _ in model.named_parameters()
            if name in below
        },
    )


def _check_known(model: nn.Module) -> None:
    from torch import nn
    from torch.nn.parameter import is_lazy

    if type(model) is nn.Module or any(map(is_lazy, model.parameters())):
        raise ModelError(
            "timm's own grouping goes by a model's class and the shapes of its parameters, and "
            "one of them is not known here; give the model by its name, as in timm:NAME"
        )


def _layers_below_the_last(model: nn.Module) -> dict[str, int]:
    """Parameter name -> how far its layer is from the last: its scale at decay 1/2 is 2**-that."""
    grouping = _timms_function()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    with _all_trainable(model):
        groups = grouping(model, layer_decay=0.5)
    return {
        names[id(parameter)]: -int(math.log2(group["lr_scale"]))
        for group in groups
        for parameter in group["params"]
    }


def _timms_function() -> Any:
    try:
        return importlib.import_module("timm.optim").param_groups_layer_decay
    except (ImportError, AttributeError):
        raise ModelError(
            "timm's own grouping needs timm 1.0.20 or newer, which is not installed: "
            "pip install --upgrade timm"
        ) from None


@contextmanager
def _all_trainable(model: nn.Module) -> Iterator[None]:
    frozen = [p for p in model.parameters() if not p.requires_grad and p.is_floating_point()]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)

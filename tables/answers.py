"""Who puts which parameter into which layer: a published function, timm, this project."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn

from lrd_registry import assign_layers
from lrd_registry.diff.timm_grouping import timm_side

Answers = list[tuple[str, int]]  # a name and its layer; a name may come from several models


def published_answers(layer: Callable[[str], int], names: Iterable[str]) -> Answers:
    """What a published function says of these names."""
    return [(name, layer(name)) for name in names]


def our_answers(models: Iterable[nn.Module]) -> Answers:
    """This project's layers."""
    return [(name, row.layer) for model in models for name, row in assign_layers(model).items()]


def timm_answers(models: Iterable[nn.Module]) -> Answers:
    """The layers of timm's own grouping."""
    sides = (timm_side(model, layer_decay=0.5) for model in models)
    return [(name, place.layer) for side in sides for name, place in side.places.items()]

"""The places in a text that the features of an image or a sound are put in."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import Tensor

from lrd_registry.tracing.recorder import Recorder
from lrd_registry.tracing.tokens import made_whole
from lrd_registry.tracing.transformers_config import first, required, taken

FEATURES = {
    "get_image_features": ({"pixel_values"}, ("image_token_id", "image_token_index")),
    "get_audio_features": (
        {"input_features", "input_values"},
        ("audio_token_id", "audio_token_index"),
    ),
}
"""The method that makes features -> of which input, and what configurations call their token."""


def asked_for_features(model: Any, names: Collection[str]) -> Iterator[str]:
    """What the methods that make features of one of these inputs require beside it."""
    for method in FEATURES:
        for part in _makers(model, method):
            asked = required(inspect.signature(getattr(part, method)).parameters)
            if not set(names).isdisjoint(asked):
                yield from (name for name in asked if name in taken(model))


def _makers(model: Any, method: str) -> list[Any]:
    return [part for part in model.modules() if hasattr(part, method)]


def with_places(model: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """The same, with tokens in the texts that the features of images and sounds are put in."""
    if "input_ids" not in arguments:
        return arguments
    ids = arguments["input_ids"]
    for method, (sources, names) in FEATURES.items():
        made_by = _makers(model, method)
        token = first(made_by[-1].config, *names, default=None) if made_by else None
        if token is not None and not sources.isdisjoint(arguments):
            ids = _inserted(ids, token, _tokens(made_by[-1], method, arguments))
    arguments = {**arguments, "input_ids": ids}
    if "mm_token_type_ids" in taken(model):  # of which positions would be made
        arguments["position_ids"] = made_whole(model, "position_ids", tuple(ids.shape))
    return arguments


def _inserted(ids: Tensor, token: int, count: int) -> Tensor:
    """Texts with this token so often in all of them together, after their first word."""
    places = torch.full((len(ids), count // len(ids)), token)
    return torch.cat([ids[:, :1], places, ids[:, 1:]], dim=1)


def _tokens(model: Any, method: str, arguments: dict[str, Any]) -> int:
    """How many tokens the features fill that a model makes of its images or sounds."""
    make = getattr(model, method)
    takes = inspect.signature(make).parameters
    given = {name: value for name, value in arguments.items() if name in takes}
    with torch.no_grad(), Recorder([], given.values()):
        made = make(**given)
    numbers = sum(found.numel() for found in _tensors(getattr(made, "pooler_output", made)))
    return numbers // int(model.get_input_embeddings().embedding_dim)


def _tensors(made: Any) -> Iterator[Tensor]:
    if isinstance(made, Tensor):
        yield made
    elif isinstance(made, (list, tuple)):
        for inner in made:
            yield from _tensors(inner)

"""Texts, as a model of transformers takes them: real tokens, with a place for each image."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from lrd_registry.tracing.arguments import BATCH
from lrd_registry.tracing.recorder import Recorder
from lrd_registry.tracing.tokens import words
from lrd_registry.tracing.transformers_config import first, has, taken

LENGTH = 16
"""Tokens in a text."""

CHOICES = 2
"""Texts of which one is to be chosen."""


def text(model: Any) -> Tensor:
    """Real tokens, as models look for some of them: none is special but the last, the text's end.

    A model that knows no padding takes one text at a time.
    """
    config = getattr(model.config, "text_config", None) or model.config
    longest = first(config, "max_position_embeddings", default=LENGTH)
    length = min(LENGTH, longest) if longest > 0 else LENGTH  # XLNet's -1 means any
    is_padded = has(config, "pad_token_id") or "pixel_values" in taken(model)
    choices = [CHOICES] if type(model).__name__.endswith("ForMultipleChoice") else []
    places = first(model.config, "latent_query_num", default=0)  # for an image (Kosmos-2)
    return words(model, (BATCH if is_padded else 1, *choices, length + places))


def boxes(model: Any) -> Tensor:
    """Where each token stands on a page."""
    return torch.zeros(*text(model).shape, 4, dtype=torch.int64)


def places_of_image(model: Any) -> Tensor:
    """Which tokens an image takes the place of, where that is no token's own matter."""
    mask = torch.zeros_like(text(model))
    mask[:, : first(model.config, "latent_query_num", default=0)] = 1
    return mask


def with_images(model: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """The same, with a token in the texts for each feature that the model makes of the images."""
    token = first(model.config, "image_token_id", "image_token_index", default=None)
    if token is None or not {"input_ids", "pixel_values"} <= arguments.keys():
        return arguments
    if not (count := _features(model, arguments) // BATCH):
        return arguments
    plain = arguments["input_ids"]
    places = torch.full((len(plain), count), token)
    ids = torch.cat([plain[:, :1], places, plain[:, 1:]], dim=1)
    kinds = (
        {"mm_token_type_ids": (ids == token).long()} if "mm_token_type_ids" in taken(model) else {}
    )
    return {**arguments, "input_ids": ids, **kinds}


def _features(model: Any, arguments: dict[str, Any]) -> int:
    """How many features a model makes of its images, as it says itself; 0 where it does not."""
    make = getattr(model, "get_image_features", None)
    if make is None:
        return 0
    takes = inspect.signature(make).parameters
    given = {name: value for name, value in arguments.items() if name in takes}
    with torch.no_grad(), Recorder([], given.values()):
        made = make(**given)
    return sum(found.shape[:-1].numel() for found in _tensors(getattr(made, "pooler_output", made)))


def _tensors(made: Any) -> Iterator[Tensor]:
    if isinstance(made, Tensor):
        yield made
    elif isinstance(made, (list, tuple)):
        for inner in made:
            yield from _tensors(inner)

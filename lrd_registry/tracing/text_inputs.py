"""Texts, as a model of transformers takes them: real tokens, as models look at these."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lrd_registry.tracing.arguments import BATCH
from lrd_registry.tracing.tokens import words
from lrd_registry.tracing.transformers_config import first, has, taken

LENGTH = 16
"""Tokens in a text."""

OTHER_KINDS = {"pixel_values", "input_features", "input_values"}
"""Images and sounds, beside which a text may stand."""

CHOICES = 2
"""Texts of which one is to be chosen."""


def text(model: Any) -> Tensor:
    """Real tokens, as models look for some of them: none is special but the last, the text's end.

    A model that knows no padding takes one text at a time, but for one beside images or sounds.
    """
    config = getattr(model.config, "text_config", None) or model.config
    longest = first(config, "max_position_embeddings", default=LENGTH)
    length = min(LENGTH, longest) if longest > 0 else LENGTH  # XLNet's -1 means any
    is_beside = not OTHER_KINDS.isdisjoint(taken(model))
    is_padded = has(config, "pad_token_id") or is_beside
    choices = [CHOICES] if type(model).__name__.endswith("ForMultipleChoice") else []
    places = first(model.config, "latent_query_num", default=0)  # for an image (Kosmos-2)
    return words(model, (BATCH if is_padded else 1, *choices, length + places))


def task(model: Any) -> Tensor:
    """What is to be done with an image, in words (OneFormer)."""
    return words(model, (BATCH, first(model.config, "task_seq_len", default=LENGTH)))


def boxes(model: Any) -> Tensor:
    """Where each token stands on a page."""
    return torch.zeros(*text(model).shape, 4, dtype=torch.int64)


def seen(model: Any) -> Tensor:
    """Which image each token looks at: the one that there is (IDEFICS)."""
    return torch.ones(*text(model).shape, 1, dtype=torch.int64)


def places_of_image(model: Any) -> Tensor:
    """Which tokens an image takes the place of, where that is no token's own matter."""
    mask = torch.zeros_like(text(model))
    mask[:, : first(model.config, "latent_query_num", default=0)] = 1
    return mask

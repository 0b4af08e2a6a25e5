"""Tokens, masks and positions that hold data, as models look at them."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

SPECIAL = ("_token_id", "_token_index")
"""How configurations call the tokens that are no words."""

_KINDS: tuple[tuple[str, Callable[[nn.Module, tuple[int, ...]], Tensor]], ...] = (
    (r"bool_.*|.*padding_mask", lambda _, shape: torch.zeros(shape, dtype=torch.bool)),
    (r".*attention_mask|pixel_mask", lambda _, shape: torch.ones(shape, dtype=torch.int64)),
    (r".*(type|segment)_ids|bbox|labels", lambda _, shape: torch.zeros(shape, dtype=torch.int64)),
    (r"(.*_)?position_ids|cache_position", lambda _, shape: _positions(shape)),
    (r"(.*_)?ids?|idx", lambda model, shape: words(model, shape)),
)
"""The names of arguments, as regular expressions -> what is made of a shape."""


def made_whole(model: nn.Module, name: str, shape: tuple[int, ...]) -> Tensor | None:
    """What an argument of this name holds, of whole numbers; None where it may hold any.

    >>> made_whole(nn.ReLU(), "attention_mask", (1, 2)), made_whole(nn.ReLU(), "image", (3, 8, 8))
    (tensor([[1, 1]]), None)
    """
    found = (make for kind, make in _KINDS if re.fullmatch(kind, name))
    make = next(found, None)
    return make(model, shape) if make else None


def words(model: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """Tokens of which none is special but the last, the text's end."""
    whole = getattr(model, "config", None)
    config = getattr(whole, "text_config", None) or whole
    made = torch.full(shape, plain_token(config))
    if isinstance(end := getattr(config, "eos_token_id", None), int):
        made[..., -1:] = end
    return made


def plain_token(config: Any) -> int:
    """The first token that is a word."""
    special = [value for key, value in _settings(config) if key.endswith(SPECIAL)]
    return next(token for token in count(1) if token not in special)


def _settings(config: Any) -> list[tuple[str, Any]]:
    return list(vars(config).items()) if hasattr(config, "__dict__") else []


def _positions(shape: tuple[int, ...]) -> Tensor:
    return torch.arange(shape[-1]).expand(shape).clone()

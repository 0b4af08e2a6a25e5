"""What a configuration of transformers says, whatever the model type calls it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

VISION = ("vision_config", "image_config", "backbone_config", "encoder", "video_config")
"""How configurations call that of what sees."""

SOUND = ("audio_config", "encoder_config", "speech_config", "semantic_model_config", "asr_config")
"""How they call that of what hears."""


def taken(model: nn.Module) -> Mapping[str, inspect.Parameter]:
    """The arguments of a model's forward pass, by name."""
    return inspect.signature(model.forward).parameters


def required(takes: Mapping[str, inspect.Parameter]) -> list[str]:
    """Those arguments of a function that have no default."""
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, p in takes.items() if p.default is p.empty and p.kind not in starred]


def has(config: Any, name: str) -> bool:
    """Whether a configuration says something under this name."""
    return getattr(config, name, None) is not None


def first(config: Any, *names: str, default: Any) -> Any:
    """The first of these that a configuration says."""
    return next((getattr(config, name) for name in names if has(config, name)), default)


def part(config: Any, *names: str) -> Any:
    """The configuration of a part of the model; of the whole, where it has no such part."""
    return first(config, *names, default=config)


def vision_of(config: Any) -> Any:
    """The configuration of what sees, which may be a part of an encoder (T5Gemma 2)."""
    return part(part(config, *VISION), "vision_config")


def channels(config: Any) -> int:
    """The channels of an image."""
    return int(first(config, "num_channels", "in_channels", "in_chans", default=3))

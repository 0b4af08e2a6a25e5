"""How many blocks a model of transformers has by its own word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from zoo.transformers_types import OF_STAGES

DEPTHS = (
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "resampler_depth",
)
DECODERS = ("decoder_layers", "num_decoder_layers", "decoder_num_hidden_layers")
ENCODERS = ("encoder_layers", "num_encoder_layers", "encoder_num_hidden_layers")

NO_BLOCKS = ("ConvLayer", "Stage", "MobileViTLayer", "MobileViTV2Layer")
"""What is marked as a block but is the stem of a network of sounds, or a stage."""


def transformers_blocks(module: nn.Module, of_timm: Callable[[nn.Module], int | None]) -> int:
    """The blocks in a module of transformers.

    Of a part that is configured in stages, these are what its configuration says; else what the
    part marks as a unit of gradient checkpointing; where it marks none, its configured depth.

    Args:
        module: a model, or what is in one.
        of_timm: how many blocks a backbone of timm has.
    """
    if hasattr(module, "group_matcher") or is_of_features(module):
        return of_timm(module) or 0
    config = module.config if isinstance(module, PreTrainedModel) else None
    if stages := _stages(config):
        return stages
    if isinstance(module, GradientCheckpointingLayer) and not _is_no_block(module):
        return int(any(True for _ in module.parameters()))
    inside = sum(transformers_blocks(child, of_timm) for child in module.children())
    return inside or (0 if config is None else _depth(config, type(module).__name__))


def is_of_features(module: nn.Module | None) -> bool:
    """Whether this is what timm makes of a network whose features something else takes."""
    return type(module).__name__ == "FeatureListNet"


def _is_no_block(module: nn.Module) -> bool:
    return type(module).__name__.endswith(NO_BLOCKS)


def _stages(config: Any) -> int:
    """The blocks in all stages that are configured by their depths."""
    stages = (getattr(config, key, None) for key in ("stage_num_blocks", *OF_STAGES[:2]))
    return next((sum(found) for found in stages if isinstance(found, (list, tuple))), 0)


def _depth(config: Any, name: str) -> int:
    """The configured depth of a part without stages: of an encoder, of a decoder, or of both."""
    encoder = _first(config, ENCODERS) or _first(config, DEPTHS)
    decoder = _first(config, DECODERS) if getattr(config, "is_encoder_decoder", False) else 0
    if "Decoder" in name:
        return decoder
    more = getattr(config, "num_global_layers", 0)  # Mllama's vision
    return encoder + more if "Encoder" in name else encoder + more + decoder


def _first(config: Any, keys: Iterable[str]) -> int:
    values = (getattr(config, key, None) for key in keys)
    return next((value for value in values if isinstance(value, int) and value), 0)

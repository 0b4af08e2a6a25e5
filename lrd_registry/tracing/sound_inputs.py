"""Recordings and their spectrograms, as a model of transformers takes them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lrd_registry.tracing.arguments import BATCH, image
from lrd_registry.tracing.transformers_config import SOUND, first, has, part

SAMPLES = 19200
"""In a recording: a multiple of what one frame is made of, in each model that was tried."""

FRAMES = 128
"""In a spectrogram."""

BINS = (
    "num_mel_bins",
    "feature_projection_input_dim",
    "input_feat_per_channel",
    "input_feat_size",
    "num_features",
    "feature_size",
    "input_dim",
)
"""How configurations call the numbers in a frame."""

FRAMES_FIRST = ("feature_projection_input_dim", "input_feat_per_channel")
"""Such models take their frames first, whatever else they say."""

CODEC = ("audio_channels", "codebook_size", "dac_config", "acoustic_model_config")
"""What the configuration of a codec says, which takes its recordings by channels."""


def recording(model: Any) -> Tensor:
    """A recording, or its spectrogram."""
    config = model.config
    if has(config, "num_mel_bins") and has(config, "max_length"):
        return image(model, config.max_length, config.num_mel_bins)
    return image(model, *([1] if any(has(config, name) for name in CODEC) else []), SAMPLES)


def spectrogram(model: Any) -> Tensor:
    """Frames with their numbers; Whisper has the numbers first."""
    config = _hearing(model.config)
    bins = first(config, *BINS, default=80)
    if any(has(config, name) for name in FRAMES_FIRST):
        return image(model, FRAMES, bins)
    if has(config, "max_source_positions"):
        return image(model, bins, 2 * config.max_source_positions)
    return image(model, *((bins, FRAMES) if _begins_with(model, bins) else (FRAMES, bins)))


def said_before(model: Any) -> Tensor:
    """The frames that a decoder has said, from which it says the next."""
    return image(model, FRAMES, first(model.config, *BINS, default=80))


def frames_mask(model: Any) -> Tensor:
    """A mask of frames without a gap."""
    config = _hearing(model.config)
    bins = first(config, *BINS, default=80)
    frames = next((size for size in spectrogram(model).shape[1:] if size != bins), bins)
    return torch.ones(BATCH, frames, dtype=torch.int64)


def _hearing(config: Any) -> Any:
    return config if any(has(config, name) for name in BINS) else part(config, *SOUND)


def _begins_with(model: nn.Module, bins: int) -> bool:
    """Whether the first convolution along time takes the numbers as its channels."""
    convolutions = (module for module in model.modules() if isinstance(module, nn.Conv1d))
    found = next(convolutions, None)
    return found is not None and found.in_channels == bins

"""What a model of transformers takes, read from its configuration."""

from __future__ import annotations

import inspect
from collections.abc import Container
from typing import Any

import torch
from torch import Tensor, nn

from lrd_registry.tracing.arguments import BATCH, Arguments, image, tokens

LENGTH = 16
"""Tokens in a text."""

SOUND = 16000
"""Samples in a recording."""


def transformers_arguments(model: nn.Module) -> Arguments | None:
    """The main input and what must come with it, by name; None where the model is another's.

    A model of two towers takes an image and a text, one of an encoder and a decoder also the
    decoder's tokens, one of images in patches (SigLIP 2) how many these are, and one of masked
    images what is masked.
    """
    config = getattr(model, "config", None)
    main = getattr(model, "main_input_name", None)
    if not hasattr(config, "model_type") or not isinstance(main, str):
        return None
    takes = inspect.signature(model.forward).parameters
    arguments = {name: _made(name, model, config) for name in _wanted(model, main, takes)}
    if any(value is None for value in arguments.values()):
        return None
    return (), arguments


def _wanted(model: nn.Module, main: str, takes: Container[str]) -> list[str]:
    config = model.config
    wanted = ["pixel_values" if main == "inputs" and "pixel_values" in takes else main]
    if _has(config, "text_config") and _has(config, "vision_config"):
        wanted += [name for name in ("input_ids", "pixel_values") if name in takes]
    if getattr(config, "is_encoder_decoder", False) and "decoder_input_ids" in takes:
        wanted.append("decoder_input_ids")
    if "spatial_shapes" in takes and "pixel_values" in wanted:
        wanted += ["pixel_attention_mask", "spatial_shapes"]
    if any(name.endswith("mask_token") for name, _ in model.named_parameters()):
        wanted.append("bool_masked_pos")
    return list(dict.fromkeys(name for name in wanted if name in takes))


def _has(config: Any, name: str) -> bool:
    return getattr(config, name, None) is not None


def _made(name: str, model: nn.Module, config: Any) -> Tensor | None:
    text = getattr(config, "text_config", None) or config
    vision = _vision(config)
    match name:
        case "pixel_values" | "pixel_values_videos" if _has(vision, "num_patches"):
            return image(model, vision.num_patches, vision.num_channels * vision.patch_size**2)
        case "pixel_values" | "pixel_values_videos":
            clip = model.main_input_name != "inputs"  # which are of any kind; these are images
            frames = _first(vision, "num_frames", "frames_per_clip", default=0) if clip else 0
            return image(model, *([frames] if frames else []), *_image_shape(vision))
        case "pixel_attention_mask":
            return torch.ones(BATCH, vision.num_patches, dtype=torch.int64)
        case "spatial_shapes":
            return torch.tensor([_sides(vision.num_patches)] * BATCH)
        case "bool_masked_pos":
            _, height, width = _image_shape(vision)
            patches = height * width // _first(vision, "patch_size", default=1) ** 2
            return torch.empty(BATCH, patches, dtype=torch.bool, device="meta")
        case "input_values" if _has(config, "num_mel_bins"):
            return image(model, config.max_length, config.num_mel_bins)
        case "input_values":
            return image(model, SOUND)
        case "input_features":
            bins = _first(config, "num_mel_bins", "num_features", default=80)
            return image(model, *_sound_shape(config, bins))
        case _ if name.endswith("_ids"):
            return tokens(min(LENGTH, _first(text, "max_position_embeddings", default=LENGTH)))
    return None


def _vision(config: Any) -> Any:
    names = ("vision_config", "backbone_config", "encoder")
    return next((getattr(config, name) for name in names if _has(config, name)), config)


def _first(config: Any, *names: str, default: int) -> Any:
    return next((getattr(config, name) for name in names if _has(config, name)), default)


def _image_shape(vision: Any) -> tuple[int, ...]:
    """Channels, height and width."""
    if pretrained := getattr(vision, "pretrained_cfg", None):
        return tuple(pretrained["input_size"])
    size = _first(vision, "image_size", "img_size", "crop_size", default=224)
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    channels = _first(vision, "num_channels", "in_channels", "in_chans", default=3)
    return channels, height, width


def _sound_shape(config: Any, bins: int) -> tuple[int, int]:
    """Whisper's frames come last; others have them first."""
    if _has(config, "max_source_positions"):
        return bins, 2 * config.max_source_positions
    return 100, bins


def _sides(patches: int) -> tuple[int, int]:
    """The height and width, in patches, of an image that is as square as can be."""
    height = next(side for side in range(int(patches**0.5), 0, -1) if patches % side == 0)
    return height, patches // height

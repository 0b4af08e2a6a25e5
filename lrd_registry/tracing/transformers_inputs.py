"""What a model of transformers takes, read from its configuration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from lrd_registry.tracing.arguments import BATCH, Arguments, image

LENGTH = 16
"""Tokens in a text."""

SPECIAL = ("_token_id", "_token_index")
"""How configurations call the tokens that are no words."""

SOUND = 16000
"""Samples in a recording."""

FRAMES = 100
"""Frames in a spectrogram."""


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
    arguments = {name: _made(name, model) for name in _wanted(model, main, takes)}
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


def _made(name: str, model: nn.Module) -> Tensor | None:
    make = MAKERS.get("input_ids" if name.endswith("_ids") else name)
    return make(model) if make else None


def _text(model: Any) -> Tensor:
    """Real tokens, as models look for some of them: none is special but the last, the text's end.

    A model that knows no padding takes one text at a time.
    """
    config = getattr(model.config, "text_config", None) or model.config
    longest = _first(config, "max_position_embeddings", default=LENGTH)
    length = min(LENGTH, longest) if longest > 0 else LENGTH  # XLNet's -1 means any
    special = [value for key, value in vars(config).items() if key.endswith(SPECIAL)]
    plain = next(token for token in count(1) if token not in special)
    is_padded = _has(config, "pad_token_id") or _has(model.config, "vision_config")
    text = torch.full((BATCH if is_padded else 1, length), plain)
    if isinstance(end := getattr(config, "eos_token_id", None), int):
        text[:, -1] = end
    return text


def _pixels(model: Any) -> Tensor:
    """Images; the frames of a video before their channels; or patches, each flat."""
    vision = _vision(model)
    if _has(vision, "num_patches"):
        return image(model, vision.num_patches, vision.num_channels * vision.patch_size**2)
    frames = _first(vision, "num_frames", "frames_per_clip", default=0)
    if model.main_input_name == "inputs":  # a model of any kind of input, here of images
        frames = 0
    return image(model, *([frames] if frames else []), *_image_shape(vision))


def _whole_mask(model: Any) -> Tensor:
    return torch.ones(BATCH, _vision(model).num_patches, dtype=torch.int64)


def _sides(model: Any) -> Tensor:
    """The height and width, in patches, of images that are as square as can be."""
    patches = _vision(model).num_patches
    height = next(side for side in range(int(patches**0.5), 0, -1) if patches % side == 0)
    return torch.tensor([(height, patches // height)] * BATCH)


def _masked(model: Any) -> Tensor:
    vision = _vision(model)
    _, height, width = _image_shape(vision)
    patches = height * width // _first(vision, "patch_size", default=1) ** 2
    return torch.empty(BATCH, patches, dtype=torch.bool, device="meta")


def _sound(model: Any) -> Tensor:
    """A recording, or its spectrogram."""
    if _has(model.config, "num_mel_bins"):
        return image(model, model.config.max_length, model.config.num_mel_bins)
    return image(model, SOUND)


def _spectrogram(model: Any) -> Tensor:
    """Whisper's frames come last; others have them first."""
    bins = _first(model.config, "num_mel_bins", "num_features", default=80)
    if _has(model.config, "max_source_positions"):
        return image(model, bins, 2 * model.config.max_source_positions)
    return image(model, FRAMES, bins)


MAKERS: dict[str, Callable[[Any], Tensor]] = {
    "input_ids": _text,
    "pixel_values": _pixels,
    "pixel_values_videos": _pixels,
    "pixel_attention_mask": _whole_mask,
    "spatial_shapes": _sides,
    "bool_masked_pos": _masked,
    "input_values": _sound,
    "input_features": _spectrogram,
}


def _vision(model: Any) -> Any:
    """The configuration of what sees."""
    names = ("vision_config", "backbone_config", "encoder")
    config = model.config
    return next((getattr(config, name) for name in names if _has(config, name)), config)


def _image_shape(vision: Any) -> tuple[int, ...]:
    """Channels, height and width."""
    if pretrained := getattr(vision, "pretrained_cfg", None):
        return tuple(pretrained["input_size"])
    size = _first(vision, "image_size", "img_size", "crop_size", default=224)
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    channels = _first(vision, "num_channels", "in_channels", "in_chans", default=3)
    return channels, height, width


def _has(config: Any, name: str) -> bool:
    return getattr(config, name, None) is not None


def _first(config: Any, *names: str, default: int) -> Any:
    return next((getattr(config, name) for name in names if _has(config, name)), default)

"""What a model of transformers takes, read from its configuration and its signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from torch import Tensor, nn

from lrd_registry.tracing import image_inputs, sound_inputs, text_inputs
from lrd_registry.tracing.arguments import Arguments
from lrd_registry.tracing.places_in_texts import asked_for_features, with_places
from lrd_registry.tracing.tokens import made_whole
from lrd_registry.tracing.transformers_config import required, taken

Makers: TypeAlias = dict[str, Callable[[Any], "Tensor | None"]]

MAKERS: Makers = {
    "input_ids": text_inputs.text,
    "task_inputs": text_inputs.task,
    "bbox": text_inputs.boxes,
    "image_embeds_position_mask": text_inputs.places_of_image,
    "pixel_values": image_inputs.pixels,
    "hidden_states": image_inputs.pixels,
    "high_res_pixel_values": image_inputs.high_resolution,
    "pixel_values_videos": image_inputs.videos,
    "target_sizes": image_inputs.target_sizes,
    "image_grid_thw": image_inputs.grid,
    "grid_thw": image_inputs.grid,
    "image_merge_sizes": image_inputs.merges,
    "pixel_attention_mask": image_inputs.whole,
    "spatial_shapes": image_inputs.sides,
    "image_sizes": image_inputs.sizes,
    "image_attention_mask": text_inputs.seen,
    "bool_masked_pos": image_inputs.masked,
    "aspect_ratio_ids": image_inputs.aspect_ratios,
    "aspect_ratio_mask": image_inputs.tiles,
    "flattened_patches": image_inputs.flat_patches,
    "visual_feats": image_inputs.regions,
    "visual_pos": image_inputs.region_boxes,
    "visual_embeds": image_inputs.regions,
    "input_values": sound_inputs.recording,
    "decoder_input_values": sound_inputs.said_before,
    "input_features": sound_inputs.spectrogram,
    "input_features_mask": sound_inputs.frames_mask,
    "feature_attention_mask": sound_inputs.frames_mask,
}
"""What is made under each name."""

KINDS = (
    ("input_ids",),
    ("pixel_values", "flattened_patches"),
    ("input_features", "input_values"),
)
"""What a text, an image and a sound are called as main inputs; of one kind, one is enough."""

BESIDE = {
    "bbox": "input_ids",
    "visual_feats": "input_ids",
    "visual_pos": "input_ids",
    "visual_embeds": "input_ids",
    "decoder_input_values": "input_ids",
    "image_attention_mask": "pixel_values",
    "image_embeds_position_mask": "input_ids",
    "image_grid_thw": "pixel_values",
    "aspect_ratio_ids": "pixel_values",
    "aspect_ratio_mask": "pixel_values",
    "spatial_shapes": "pixel_values",
    "feature_attention_mask": "input_features",
}
"""What comes with another input, where the model takes both."""


def transformers_arguments(model: nn.Module) -> Iterator[Arguments]:
    """Arguments by name, the fullest first; none where the model is another library's.

    The fullest are those of every kind that the model takes: a text, an image and a sound, the
    decoder's tokens, and what must come with them, also in the model's own methods for features.
    A model that cannot take them all at once is given its main input and what it requires.
    """
    main = getattr(model, "main_input_name", None)
    if not hasattr(getattr(model, "config", None), "model_type") or main is None:
        return
    takes = taken(model)
    least = [*_mains([main] if isinstance(main, str) else list(main), takes), *required(takes)]
    kinds = [kind for kind in KINDS if not set(kind).intersection(least)]
    fullest = [*least, *(name for kind in kinds for name in _known(kind, takes))]
    errors: list[Exception] = []
    asked = [*fullest, *asked_for_features(model, fullest)]
    for names in dict.fromkeys(_with_companions(model, n) for n in (asked, fullest, least)):
        made = _made(model, names)
        if isinstance(made, Exception) and image_inputs.patch_images(model) is not None:
            made = _made(model, names, MAKERS | {"pixel_values": image_inputs.patch_images})
        if isinstance(made, Exception):
            errors.append(made)
        elif made:
            yield (), made
    if errors:
        raise errors[0]


def _known(names: Sequence[str], takes: Mapping[str, Any]) -> list[str]:
    """The first of these that a model takes."""
    return [name for name in names if name in takes][:1]


def _mains(main: list[str], takes: Mapping[str, Any]) -> list[str]:
    """The main input; where it may be of any kind (Perceiver), one of a kind that is known."""
    if main == ["inputs"]:
        main = _known(("pixel_values", "input_values"), takes) or main
    return [name for name in main if name in takes]


def _with_companions(model: Any, names: list[str]) -> tuple[str, ...]:
    takes = taken(model)
    more = [name for name, other in BESIDE.items() if name in takes and other in names]
    if "image_sizes" in takes and "pixel_values" in names and image_inputs.asks_sizes(model):
        more.append("image_sizes")
    if "decoder_input_ids" in takes:
        more.append("decoder_input_ids")
    if "pixel_attention_mask" in takes and "spatial_shapes" in more:
        more.append("pixel_attention_mask")
    masks = any(name.endswith("mask_token") for name, _ in model.named_parameters())
    if masks and "bool_masked_pos" in takes:
        more.append("bool_masked_pos")
    return tuple(dict.fromkeys([*names, *more]))


def _made(model: Any, names: Iterable[str], makers: Makers = MAKERS) -> dict[str, Any] | Exception:
    """All of these; nothing, where one of them is not known; or why they cannot be made."""
    try:
        made = {name: _one(model, name, makers) for name in names}
        is_known = all(value is not None for value in made.values())
        return with_places(model, made) if is_known else {}
    except Exception as error:  # of a configuration that is not as others are
        return error


def _one(model: Any, name: str, makers: Makers) -> Tensor | None:
    if make := makers.get(name):
        return make(model)
    return made_whole(model, name, tuple(text_inputs.text(model).shape))

"""Images and videos, as a model of transformers takes them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lrd_registry.tracing.arguments import BATCH, float_dtype, image
from lrd_registry.tracing.transformers_config import channels, first, has, part, taken, vision_of

FRAMES = 2
"""Of a video, where the configuration does not say."""

SIZES = ("image_size", "img_size", "crop_size")
"""How configurations call the height and width of an image, which are one number if equal."""

GRIDS = ("image_grid_thw", "grid_thw")
"""What says how an image was cut into patches, all of which come in one list (Qwen-VL)."""


def pixels(model: Any) -> Tensor:
    """Images; or their patches, each flat; or the tiles of each, or the frames of a video."""
    vision = vision_of(model.config)
    takes = taken(model)
    if any(name in takes for name in GRIDS):
        return _listed_patches(model, vision)
    if "target_sizes" in takes:  # the patches of all images in one row (MiniCPM-V)
        patch, count = vision.patch_size, BATCH * _side(vision) ** 2
        row = (1, channels(vision), patch, count * patch)
        return torch.empty(row, dtype=float_dtype(model), device="meta")
    if has(vision, "num_patches"):
        return image(model, vision.num_patches, channels(vision) * vision.patch_size**2)
    if _comes_in_lists(takes):  # of which those without a pixel are padding (Idefics)
        return torch.ones(BATCH, 1, *shape(vision), dtype=float_dtype(model))
    return image(model, *_frames(model, vision), *_images_of_each(model, takes), *shape(vision))


def high_resolution(model: Any) -> Tensor:
    """The same images, larger, for an encoder of their own."""
    return image(model, *shape(part(model.config, "high_res_vision_config")))


def videos(model: Any) -> Tensor:
    """Videos, their frames first."""
    vision = vision_of(model.config)
    return image(model, *(_frames(model, vision) or [FRAMES]), *shape(vision))


def shape(vision: Any) -> tuple[int, ...]:
    """Channels, height and width."""
    if pretrained := getattr(vision, "pretrained_cfg", None):
        return tuple(pretrained["input_size"])
    if not any(has(vision, name) for name in SIZES):  # SAM 2's backbone says it
        vision = part(vision, "backbone_config")
    size = first(vision, *SIZES, default=224)
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return channels(vision), height, width


def _frames(model: Any, vision: Any) -> list[int]:
    frames = first(vision, "num_frames", "frames_per_clip", default=0)
    is_of_any_kind = model.main_input_name == "inputs"  # here of images
    return [frames] if frames and not is_of_any_kind else []


def _images_of_each(model: Any, takes: Any) -> list[int]:
    """How many images, or tiles of an image, stand before the channels."""
    if "aspect_ratio_ids" in takes:
        return [1, _tiles(model)]
    if "image_sizes" in takes and (grids := getattr(model.config, "image_grid_pinpoints", None)):
        side = shape(vision_of(model.config))[-1]
        return [1 + max(height * width // side**2 for height, width in grids)]
    if "image_attention_mask" in takes:
        return [1]
    return [2] if type(model).__name__.endswith("ForKeypointMatching") else []


def _comes_in_lists(takes: Any) -> bool:
    return {"pixel_attention_mask", "input_ids"} <= takes.keys() and "spatial_shapes" not in takes


def _tiles(model: Any) -> int:
    return int(first(vision_of(model.config), "max_num_tiles", default=1))


def _side(vision: Any) -> int:
    """The height and width of an image in patches: four times what is merged into one token."""
    merged = first(vision, "spatial_merge_size", "merge_size", "merge_kernel_size", default=2)
    return 4 * int(merged[0] if isinstance(merged, (list, tuple)) else merged)


def _listed_patches(model: nn.Module, vision: Any) -> Tensor:
    """The patches of all images, each flat."""
    frames = first(vision, "temporal_patch_size", "patch_temporal", default=1)
    return _patches(model, vision, channels(vision) * frames * vision.patch_size**2)


def patch_images(model: Any) -> Tensor | None:
    """The patches of all images, each an image; None where these do not come in one list."""
    if not any(name in taken(model) for name in GRIDS):
        return None
    vision = vision_of(model.config)
    return _patches(model, vision, channels(vision), vision.patch_size, vision.patch_size)


def _patches(model: nn.Module, vision: Any, *shape: int) -> Tensor:
    count = BATCH * _side(vision) ** 2
    return torch.empty(count, *shape, dtype=float_dtype(model), device="meta")


def grid(model: Any) -> Tensor:
    """Of each image, how many patches it has in time, height and width."""
    side = _side(vision_of(model.config))
    return torch.tensor([(1, side, side)] * BATCH)


def target_sizes(model: Any) -> Tensor:
    """Of each image, how many patches it has in height and width."""
    return grid(model)[:, 1:]


def merges(_: Any) -> Tensor:
    """Of each image, over how many patches in height and width a token is merged."""
    return torch.ones(BATCH, dtype=torch.int64)


def sides(model: Any) -> Tensor:
    """The height and width, in patches, of images that are as square as can be."""
    patches = vision_of(model.config).num_patches
    height = next(side for side in range(int(patches**0.5), 0, -1) if patches % side == 0)
    return torch.tensor([(height, patches // height)] * BATCH)


def asks_sizes(model: Any) -> bool:
    """Whether the images are cut as their sizes say: into tiles, or into Pixtral's patches."""
    vision = vision_of(model.config)
    return has(model.config, "image_grid_pinpoints") or vision.model_type == "pixtral"


def sizes(model: Any) -> Tensor:
    """The height and width of each image."""
    _, height, width = shape(vision_of(model.config))
    return torch.tensor([(height, width)] * BATCH)


def whole(model: Any) -> Tensor:
    """A mask without a gap, of patches or of pixels."""
    vision = vision_of(model.config)
    if "spatial_shapes" in taken(model):
        return torch.ones(BATCH, vision.num_patches, dtype=torch.int64)
    return torch.ones(BATCH, 1, *shape(vision)[1:], dtype=torch.bool)


def masked(model: Any) -> Tensor:
    """Which patches are masked."""
    vision = vision_of(model.config)
    _, height, width = shape(vision)
    patches = height * width // first(vision, "patch_size", default=1) ** 2
    return torch.empty(BATCH, patches, dtype=torch.bool, device="meta")


def aspect_ratios(_: Any) -> Tensor:
    """The first of the known ones, for the one image of each text."""
    return torch.ones(BATCH, 1, dtype=torch.int64)


def tiles(model: Any) -> Tensor:
    """A mask without a gap of the tiles of each image."""
    return torch.ones(BATCH, 1, _tiles(model), dtype=torch.int64)


def flat_patches(model: Any) -> Tensor:
    """Patches, each flat, with its row and column before (Pix2Struct)."""
    vision = vision_of(model.config)
    return image(model, 16, 2 + channels(vision) * first(vision, "patch_size", default=16) ** 2)


def regions(model: Any) -> Tensor:
    """What a detector saw in each region of an image."""
    return image(
        model, 4, first(model.config, "visual_feat_dim", "visual_embedding_dim", default=4)
    )


def region_boxes(model: Any) -> Tensor:
    """Where the regions are."""
    return image(model, 4, first(model.config, "visual_pos_dim", default=4))

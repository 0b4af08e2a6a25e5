"""The ConvNeXt family: the small model in full, and where others differ from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tables.answers import Answers, our_answers, published_answers, timm_answers
from tables.comparison import Comparison
from tables.names import FACEBOOK_CONVNEXT, MMPRETRAIN_CONVNEXT, MMPRETRAIN_HEAD, names
from tests.support import published
from tests.support.building import model_with, timm_model

KINDS = {
    "stem": ("downsample_layers.0.*", "stem.*"),
    "stage 1": ("stages.0.[0-9]*", "stages.0.blocks.*"),
    "stage 2": ("stages.1.[0-9]*", "stages.1.blocks.*"),
    "stage 3": ("stages.2.[0-9]*", "stages.2.blocks.*"),
    "stage 4": ("stages.3.[0-9]*", "stages.3.blocks.*"),
    "downsampling before stages 2, 3, 4": ("downsample_layers.[1-3].*", "*.downsample.*"),
    "final norm": ("norm.*", "norm3.*", "head.norm.*"),
    "final norm before pooling, timm's `norm_pre`": ("norm_pre.*",),
    "head": ("head.weight", "head.fc.*"),
}
DEPTHS = {
    "small": (3, 3, 27, 3),
    "tiny": (3, 3, 9, 3),
    "atto": (2, 2, 6, 2),
    "xxlarge": (3, 4, 30, 3),
}
OTHERS = ("stage 3", "stage 4", "head")  # all else is as in the small model


def comparisons() -> list[Comparison]:
    """For each model the kinds of parameters, and everyone's answers."""
    return [Comparison(kinds(size), answers(size, depths)) for size, depths in DEPTHS.items()]


def kinds(size: str) -> dict[str, tuple[str, ...]]:
    """The kinds of parameters to show, marked with the model's size."""
    shown = KINDS if size == "small" else OTHERS
    return {f"{size}: {kind}": KINDS[kind] for kind in shown}


def answers(size: str, depths: Sequence[int]) -> dict[str, Answers]:
    """Everyone's answers on one model."""
    timm = [timm_model(f"convnext_{size}", head_norm_first=first) for first in (False, True)]
    facebook, mmpretrain = names(FACEBOOK_CONVNEXT, depths), names(MMPRETRAIN_CONVNEXT, depths)
    single = partial(published.convnext_v2_single, depths=depths)
    counted = partial(published.mmpretrain_convnext, depths=depths)
    return {
        "ConvNeXt, and V2's `group`": published_answers(published.convnext, facebook),
        "V2's `single`": published_answers(single, facebook),
        "mmpretrain": published_answers(counted, [*mmpretrain, MMPRETRAIN_HEAD]),
        "timm": timm_answers(timm),
        "lrd-registry": our_answers([*timm, *map(model_with, (facebook, mmpretrain))]),
    }

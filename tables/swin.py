"""The Swin family, on the tiny model: stages of 2, 2, 6 and 2 blocks."""

from __future__ import annotations

from functools import partial

from tables.answers import our_answers, published_answers, timm_answers
from tables.comparison import Comparison
from tables.names import MICROSOFT_SWIN, MMPRETRAIN_HEAD, MMPRETRAIN_SWIN, names
from tests.support import published
from tests.support.building import model_with, timm_model

KINDS = {
    "patch embedding": ("patch_embed.*",),
    "absolute position embedding": ("absolute_pos_embed",),
    "mask token": ("mask_token",),
    "stage 1": ("layers.0.blocks.*", "stages.0.blocks.*"),
    "stage 2": ("layers.1.blocks.*", "stages.1.blocks.*"),
    "stage 3": ("layers.2.blocks.*", "stages.2.blocks.*"),
    "stage 4": ("layers.3.blocks.*", "stages.3.blocks.*"),
    "downsampling before stages 2, 3, 4": ("*.downsample.*",),
    "final norm": ("norm.*", "norm3.*"),
    "head": ("head.*",),
}
TIMM = ("swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "swinv2_cr_tiny_224")
DEPTHS = (2, 2, 6, 2)


def comparisons() -> list[Comparison]:
    """The kinds of parameters, and everyone's answers."""
    timm = [timm_model(name) for name in TIMM]
    copied_to = [name for name, _ in timm[0].named_parameters()]
    microsoft, mmpretrain = names(MICROSOFT_SWIN, DEPTHS), names(MMPRETRAIN_SWIN, DEPTHS)
    functions = {
        "SimMIM": (published.simmim_swin, microsoft),
        "SimMIM's function, timm's names": (published.simmim_swin, copied_to),
        "mmpretrain V1": (published.mmpretrain_swin, [*mmpretrain, MMPRETRAIN_HEAD]),
    }
    answers = {
        title: published_answers(partial(function, depths=DEPTHS), of)
        for title, (function, of) in functions.items()
    }
    answers["timm"] = timm_answers(timm)
    answers["lrd-registry"] = our_answers([*timm, *map(model_with, (microsoft, mmpretrain))])
    return [Comparison(KINDS, answers)]

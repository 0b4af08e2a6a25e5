"""The ViT family: 12 blocks in every model, so that layers compare across libraries."""

from __future__ import annotations

from functools import partial

from tables.answers import our_answers, published_answers, timm_answers
from tables.comparison import Comparison
from tables.names import DINOV2, MMPRETRAIN_VIT, MMPRETRAIN_VIT_HEAD, SIMMIM_VIT, names
from tests.support import published
from tests.support.building import model_with, timm_model

KINDS = {
    "patch embedding": ("patch_embed.*",),
    "class token": ("cls_token",),
    "position embedding": ("pos_embed",),
    "mask token": ("mask_token",),
    "distillation token": ("dist_token",),
    "register tokens": ("reg_token", "register_tokens"),
    "norm before the blocks": ("norm_pre.*", "pre_norm.*"),
    "learnt rotary frequencies": ("rope.*",),
    "shared position bias, BEiT's `rel_pos_bias`": ("rel_pos_bias.*",),
    "shared position bias, timm's `shared_rel_pos`": ("shared_rel_pos.*",),
    "blocks": ("blocks.*", "layers.*"),
    "position bias in the blocks": ("*.attn.relative_position_bias_table", "*.attn.rel_pos.*"),
    "final norm": ("norm.*", "ln1.*"),
    "norm after pooling": ("fc_norm.*", "ln2.*"),
    "attention pooling": ("attn_pool.*",),
    "head": ("head.*", "head_dist.*"),
}
TIMM: dict[str, dict[str, object]] = {
    "deit_base_distilled_patch16_224": {},
    "vit_base_patch16_clip_224": {},
    "vit_base_patch14_reg4_dinov2": {"num_classes": 1000},
    "vit_base_patch16_siglip_224": {},
    "vit_base_patch16_rope_mixed_224": {},
    "vit_relpos_base_patch16_224": {},
    "vit_srelpos_small_patch16_224": {},
    "beit_base_patch16_224": {"use_shared_rel_pos_bias": True},  # beside those in the blocks
}
DEPTH = 12


def comparisons() -> list[Comparison]:
    """The kinds of parameters, and everyone's answers."""
    timm = [timm_model(name, **options) for name, options in TIMM.items()]
    simmim, dinov2, mmpretrain = (
        names(templates, (DEPTH,)) for templates in (SIMMIM_VIT, DINOV2, MMPRETRAIN_VIT)
    )
    copied_to = [name for model in timm for name, _ in model.named_parameters()] + ["mask_token"]
    functions = {
        "BEiT": (published.beit, copied_to),
        "MAE": (published.mae, copied_to),
        "SimMIM": (published.simmim_vit, simmim),
        "mmpretrain": (published.mmpretrain_vit, [*mmpretrain, MMPRETRAIN_VIT_HEAD]),
        "DINOv2": (published.dinov2, dinov2),
    }
    answers = {
        title: published_answers(partial(function, depth=DEPTH), of)
        for title, (function, of) in functions.items()
    }
    answers["timm"] = timm_answers(timm)
    answers["lrd-registry"] = our_answers([*timm, *map(model_with, (simmim, dinov2, mmpretrain))])
    return [Comparison(KINDS, answers)]

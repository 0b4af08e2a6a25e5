"""The names of the parameters in the published repositories' models, one or two of each kind.

`{stage}` and `{block}` stand for every stage and block. mmpretrain's heads are modules of their
own, beside the backbone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

VIT_EMBEDDINGS = ("cls_token", "pos_embed", "mask_token")
SIMMIM_VIT = (
    *VIT_EMBEDDINGS,
    "patch_embed.proj.weight",
    "rel_pos_bias.relative_position_bias_table",
    "blocks.{block}.norm1.weight",
    "blocks.{block}.attn.relative_position_bias_table",
    "norm.weight",
    "fc_norm.weight",
    "head.weight",
)
DINOV2 = (
    *VIT_EMBEDDINGS,
    "register_tokens",
    "patch_embed.proj.weight",
    "blocks.{block}.norm1.weight",
    "norm.weight",
)
MMPRETRAIN_VIT = (
    *VIT_EMBEDDINGS,
    "dist_token",
    "patch_embed.projection.weight",
    "pre_norm.weight",
    "rel_pos_bias.relative_position_bias_table",
    "layers.{block}.ln1.weight",
    "layers.{block}.attn.qkv.weight",
    "layers.{block}.attn.relative_position_bias_table",
    "ln1.weight",
    "ln2.weight",
)
MMPRETRAIN_VIT_HEAD = "head.layers.head.weight"

MICROSOFT_SWIN = (
    "patch_embed.proj.weight",
    "absolute_pos_embed",
    "mask_token",
    "layers.{stage}.blocks.{block}.norm1.weight",
    *(f"layers.{stage}.downsample.reduction.weight" for stage in range(3)),
    "norm.weight",
    "head.weight",
)
MMPRETRAIN_SWIN = (
    "patch_embed.projection.weight",
    "absolute_pos_embed",
    "mask_token",
    "stages.{stage}.blocks.{block}.norm1.weight",
    *(f"stages.{stage}.downsample.reduction.weight" for stage in range(3)),
    "norm3.weight",
)

FACEBOOK_CONVNEXT = (
    "downsample_layers.{stage}.0.weight",
    "stages.{stage}.{block}.dwconv.weight",
    "norm.weight",
    "head.weight",
)
MMPRETRAIN_CONVNEXT = (
    "downsample_layers.{stage}.0.weight",
    "stages.{stage}.{block}.depthwise_conv.weight",
    "norm3.weight",
)
MMPRETRAIN_HEAD = "head.fc.weight"


def names(templates: Iterable[str], depths: Sequence[int]) -> list[str]:
    """The names of a model whose stages have these depths.

    >>> names(["stem", "stages.{stage}.{block}.weight"], (2, 1))
    ['stem', 'stages.0.0.weight', 'stages.0.1.weight', 'stages.1.0.weight']
    """
    blocks = [(stage, block) for stage, depth in enumerate(depths) for block in range(depth)]
    spelt = (text.format(stage=s, block=b) for text in templates for s, b in blocks)
    return list(dict.fromkeys(spelt))

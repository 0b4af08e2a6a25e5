"""The published layer functions, restated: a parameter's name (and the depths) to its layer.

Each speaks of its own repository's names, and a name that it does not know falls through to the
last layer, as it does there. The repositories and the files are named in `docs/numbering.md`.
"""

from collections.abc import Collection, Sequence


def number(name: str, part: int) -> int:
    """The number that is this component of a dotted name."""
    return int(name.split(".")[part])


def beit(name: str, depth: int) -> int:
    """microsoft/unilm, beit/optim_factory.py, get_num_layer_for_vit."""
    return vit_layer(name, {"cls_token", "mask_token", "pos_embed"}, "blocks", depth)


def mae(name: str, depth: int) -> int:
    """facebookresearch/mae, util/lr_decay.py, get_layer_id_for_vit: without a mask token."""
    return vit_layer(name, {"cls_token", "pos_embed"}, "blocks", depth)


def simmim_vit(name: str, depth: int) -> int:
    """microsoft/SimMIM, optimizer.py, get_vit_layer: BEiT's."""
    return beit(name, depth)


def mmpretrain_vit(name: str, depth: int) -> int:
    """open-mmlab/mmpretrain, backbones/vision_transformer.py, get_layer_depth: as MAE's."""
    return vit_layer(name, {"cls_token", "pos_embed"}, "layers", depth)


def vit_layer(name: str, tokens: Collection[str], blocks: str, depth: int) -> int:
    """What the four have in common: embeddings 0, block i at i + 1, all else last."""
    if name in tokens or name.startswith("patch_embed"):
        return 0
    return number(name, 1) + 1 if name.startswith(blocks) else depth + 1


def dinov2(name: str, depth: int) -> int:
    """facebookresearch/dinov2, utils/param_groups.py: a block's own number, in a chunk or not."""
    stem = ("pos_embed", "patch_embed", "mask_token", "cls_token", "register_tokens")
    if any(part in name for part in stem):
        return 0
    if not name.startswith("blocks."):
        return depth + 1
    chunked = name.split(".")[2].isdigit()
    return number(name, 2 if chunked else 1) + 1


def simmim_swin(name: str, depths: Sequence[int]) -> int:
    """microsoft/SimMIM, optimizer.py, get_swin_layer: downsampling with the block before it."""
    if name == "mask_token":
        return 0
    return swin_layer(name, "layers", depths)


def mmpretrain_swin(name: str, depths: Sequence[int]) -> int:
    """open-mmlab/mmpretrain, backbones/swin_transformer.py, get_layer_depth; V2 has none."""
    return swin_layer(name, "stages", depths)


def swin_layer(name: str, stages: str, depths: Sequence[int]) -> int:
    """What the two have in common: a downsampling belongs to the stage that holds it."""
    if name.startswith("patch_embed"):
        return 0
    if not name.startswith(stages):
        return sum(depths) + 1
    stage = number(name, 1)
    if name.split(".")[3] in {"reduction", "norm"}:
        return sum(depths[: stage + 1])
    return sum(depths[:stage]) + number(name, 3) + 1


def convnext(name: str) -> int:
    """facebookresearch/ConvNeXt, optim_factory.py, and V2's "group": 12 layers, always."""
    return convnext_layer(name, 12)


def mmpretrain_convnext(name: str, depths: Sequence[int]) -> int:
    """open-mmlab/mmpretrain, backbones/convnext.py, get_layer_depth: 12 layers or 6."""
    return convnext_layer(name, 12 if depths[-2] > 9 else 6)


def convnext_layer(name: str, layers: int) -> int:
    """What the two have in common: three blocks of the third stage to a layer."""
    if not name.startswith(("downsample_layers", "stages")):
        return layers + 1
    stage = number(name, 1)
    if stage == 0:
        return 1 if name.startswith("stages") else 0
    if stage == 2 and name.startswith("stages"):
        return 3 + number(name, 2) // 3
    return layers if stage == 3 else stage + 1


def convnext_v2_single(name: str, depths: Sequence[int]) -> int:
    """facebookresearch/ConvNeXt-V2, optim_factory.py, "single": a layer for each block."""
    if not name.startswith(("downsample_layers", "stages")):
        return sum(depths) + 1
    block = number(name, 2) if name.startswith("stages") else 0
    return sum(depths[: number(name, 1)]) + block + 1

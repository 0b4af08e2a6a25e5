"""How many blocks a model has by its own word: its configuration's, or its authors' grouping."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from zoo.transformers_blocks import is_of_features, transformers_blocks


def declared_blocks(model: nn.Module) -> int | None:
    """The number of blocks, over all stages; None where the model does not say."""
    if hasattr(model, "group_matcher"):
        found = _in_stages(model) or _of_grouping(model)
        return found and found + _in_backbone(getattr(model, "patch_embed", None))
    if is_of_features(model):
        return _in_lists(model)
    if isinstance(model, PreTrainedModel):
        return transformers_blocks(model, declared_blocks) or None
    stages = _of_torchvision(model)
    return sum(map(len, stages)) if stages else None


def _in_stages(model: Any) -> int | None:
    """The blocks in timm's stages; its patterns group many of these networks by stage alone."""
    stages = getattr(model, "stages", None) or getattr(model, "layers", None)
    if not isinstance(stages, (nn.Sequential, nn.ModuleList)):
        return None
    blocks = [getattr(stage, "blocks", None) for stage in stages]
    lists = [found for found in blocks if isinstance(found, (nn.Sequential, nn.ModuleList))]
    if len(lists) < len(stages) and _of_grouping(model) == len(stages):
        lists = [stage for stage in stages if isinstance(stage, nn.Sequential)]
    with_parameters = [block for found in lists for block in found if list(block.parameters())]
    return len(with_parameters) if len(lists) == len(stages) else None


def _in_backbone(patch_embedding: Any) -> int:
    """The blocks of the convolutional network below a ViT, by its stages."""
    backbone = getattr(patch_embedding, "backbone", None)
    if hasattr(backbone, "group_matcher") or is_of_features(backbone):
        return declared_blocks(backbone) or 0
    return _in_lists(backbone.stages) if hasattr(backbone, "stages") else 0


def _in_lists(stages: nn.Module) -> int:
    """The blocks in all lists; a convolution alone, as in a stem, is none."""
    lists = (stage for stage in stages.children() if isinstance(stage, nn.Sequential))
    return sum(bool(list(block.children())) for found in lists for block in found)


def _of_grouping(model: Any) -> int | None:
    """Timm's `group_matcher`: the groups of its patterns for blocks that have a number.

    What is in the stem is no block, whichever other pattern it fits, unless it is one of a list,
    as VGG's first convolution is.

    Further lists of blocks at the top, such as XCiT's `cls_attn_blocks`, which have no group of
    their own there, are counted too.
    """
    matcher = model.group_matcher(coarse=False)
    if not isinstance(matcher, dict):  # a function from name to group, which has no patterns
        return None
    blocks = [value for key, value in matcher.items() if "blocks" in key]
    patterns = [pair for found in blocks for pair in _pairs(found)]
    numbered = [re.compile(pattern) for pattern, order in patterns if order is None]
    numbered = [pattern for pattern in numbered if pattern.groups]
    numbered.append(re.compile(r"(\w*blocks)\.(\d+)\."))
    stem = [pattern for pattern, _ in _pairs(matcher.get("stem", ()))]
    names = [name for name, _ in model.named_parameters()]
    names = [name for name in names if not _is_in_stem(name, stem)]
    groups = {_group(numbered, name) for name in names} - {None}
    return len(groups) or None


def _is_in_stem(name: str, stem: Iterable[str]) -> bool:
    return not re.search(r"\.\d+\.", name) and any(re.match(each, name) for each in stem)


def _pairs(found: Any) -> list[tuple[str, Any]]:
    """Each pattern of a part of the grouping, with its place in the order, if it has one."""
    items = [found] if isinstance(found, str) else found
    return [(item, None) if isinstance(item, str) else item for item in items]


def _group(patterns: Iterable[re.Pattern[str]], name: str) -> tuple[Any, ...] | None:
    """The first pattern that matches, by its place, and the numbers that it takes."""
    for place, pattern in enumerate(patterns):
        if found := pattern.match(name):
            return place, *found.groups()
    return None


def _of_torchvision(model: Any) -> list[Any]:
    """The stages of torchvision's networks, each a list of its blocks."""
    match type(model).__name__:
        case "ResNet":
            return [model.layer1, model.layer2, model.layer3, model.layer4]
        case "RegNet":
            return list(model.trunk_output.children())
        case "VisionTransformer":
            return [model.encoder.layers]
        case "SwinTransformer" | "ConvNeXt":
            return list(model.features)[1::2]
        case "EfficientNet":
            return list(model.features)[1:-1]
        case "MobileNetV2" | "MobileNetV3":
            return [list(model.features)[1:-1]]
        case "DenseNet":
            return [m for name, m in model.features.named_children() if "denseblock" in name]
        case "MaxVit":
            return [block.layers for block in model.blocks]
        case "MNASNet":
            return list(model.layers)[8:14]
    return []

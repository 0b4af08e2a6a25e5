"""How many blocks a model has by its own word: its configuration's, or its authors' grouping."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from torch import nn

from zoo.transformers_types import OF_STAGES

DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_encoder_layers")
DECODERS = ("decoder_layers", "num_decoder_layers", "decoder_num_hidden_layers")
ENCODERS = ("encoder_layers", "encoder_num_hidden_layers")


def declared_blocks(model: nn.Module) -> int | None:
    """The number of blocks, over all stages; None where the model does not say."""
    if hasattr(model, "group_matcher"):
        return _in_stages(model) or _of_grouping(model)
    config = getattr(model, "config", None)
    if config is not None:
        return _of_configuration(config, [name for name, _ in model.named_modules()])
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


def _of_grouping(model: Any) -> int | None:
    """Timm's `group_matcher`: the groups of its patterns for blocks that have a number.

    Further lists of blocks at the top, such as XCiT's `cls_attn_blocks`, which have no group of
    their own there, are counted too.
    """
    matcher = model.group_matcher(coarse=False)
    if not isinstance(matcher, dict):  # a function from name to group, which has no patterns
        return None
    found = matcher.get("blocks", ())
    patterns = [(found, None)] if isinstance(found, str) else [_pair(item) for item in found]
    numbered = [re.compile(pattern) for pattern, order in patterns if order is None]
    numbered.append(re.compile(r"(\w*blocks)\.(\d+)\."))
    names = [name for name, _ in model.named_parameters()]
    groups = {_group(numbered, name) for name in names} - {None}
    return len(groups) or None


def _pair(item: Any) -> tuple[str, Any]:
    return (item, None) if isinstance(item, str) else item


def _group(patterns: Iterable[re.Pattern[str]], name: str) -> tuple[Any, ...] | None:
    """The first pattern that matches, by its place, and the numbers that it takes."""
    for place, pattern in enumerate(patterns):
        if found := pattern.match(name):
            return place, *found.groups()
    return None


def _of_configuration(config: Any, modules: Collection[str] = ()) -> int | None:
    """A configuration's depth; of a model with a decoder, or of several towers, all together.

    A class with one tower of two, as for classification, is configured for both.
    """
    for key in OF_STAGES[:2]:
        if isinstance(stages := getattr(config, key, None), (list, tuple)):
            return sum(stages)
    encoder = _first(config, ENCODERS) or _first(config, DEPTHS)
    has_decoder = getattr(config, "is_encoder_decoder", False) and _is_in("decoder", modules)
    decoder = _first(config, DECODERS) if has_decoder else None
    if encoder:
        backbone = getattr(config, "backbone_config", None)
        return encoder + (decoder or 0) + ((backbone and _of_configuration(backbone)) or 0)
    found = [name for name in ("vision", "text") if _is_in(f"{name}_model", modules)]
    towers = [getattr(config, f"{name}_config", None) for name in found or ("vision", "text")]
    depths = [_of_configuration(tower) for tower in towers if tower is not None]
    return sum(filter(None, depths)) or None


def _is_in(part: str, modules: Iterable[str]) -> bool:
    return any(part in path for path in modules)


def _first(config: Any, keys: Iterable[str]) -> int | None:
    values = (getattr(config, key, None) for key in keys)
    return next((value for value in values if isinstance(value, int) and value), None)


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

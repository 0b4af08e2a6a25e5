"""Types of transformers: each in its default configuration, and the same deeper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import transformers
import yaml
from torch import nn
from transformers.models.auto import modeling_auto

from lrd_registry.models.on_meta import build_on_meta

OF_STAGES = (
    "depths",
    "depth",
    "n_attn_blocks",
    "stage_num_blocks",
    "block_configs",
    "conv_layer_kernel_sizes",
    "conv_layer_strides",
)
"""What configurations call the depth of each stage, or what they say of each of its blocks."""

OF_ALL = ("num_hidden_layers", "n_layer", "num_self_attends_per_block", "depth_coefficient")
"""What they call the depth where there are no stages."""

TOWERS = ("vision_config", "text_config")
DEEPER = ":deeper"

OF = {
    "transformers, images": modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES,
    "transformers, texts": modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    "transformers, sounds": modeling_auto.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES,
    "transformers, videos": modeling_auto.MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING_NAMES,
    "transformers, translators": modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    "transformers, detectors": modeling_auto.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES,
    "transformers, towers": modeling_auto.MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES,
    "transformers, images with texts": modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
}
"""What the models of a row are -> each type's classes."""

CONFIGURATIONS: Mapping[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "configurations.yaml").read_text()
)
"""Of types whose default configuration does not run, what is set in it."""


def names(what: str) -> list[str]:
    """Each type of a row, with the first of its classes; none that is in a row before."""
    rows = list(OF)
    before = {name for row in rows[: rows.index(what)] for name in _of(row)}
    return [name for name in _of(what) if name not in before]


def _of(row: str) -> list[str]:
    firsts = {kind: of if isinstance(of, str) else of[0] for kind, of in OF[row].items()}
    return [f"hf:{kind}:{name}" for kind, name in firsts.items()]


def deeper(name: str) -> str | None:
    """The name of the same type with more blocks; None where that is not a matter of one number."""
    if not _deeper(_config(_kind(name))):
        return None
    try:
        build(name + DEEPER)
    except Exception:
        return None
    return name + DEEPER


def build(name: str) -> nn.Module:
    """The model of a name of these; on the meta device, but for the one that counts tokens."""
    _, kind, class_name, *_ = name.split(":")
    config = _config(kind)
    if name.endswith(DEEPER):
        config = _config(kind, _deeper(config))
    if kind == "shieldgemma2":
        return transformers.ShieldGemma2ForImageClassification(config)
    return build_on_meta(lambda: getattr(transformers, class_name)(config), name)


def inputs(name: str) -> dict[str, Any] | None:
    """What a model is to be run on, where it does not say so itself."""
    if _kind(name) != "shieldgemma2":
        return None
    return {
        "input_ids": torch.tensor([[1, 13, 12, 12, 12, 12, 14, 1]]),
        "pixel_values": torch.zeros(1, 3, 32, 32),
    }


def _kind(name: str) -> str:
    return name.split(":")[1]


def _config(kind: str, arguments: Mapping[str, Any] = MappingProxyType({})) -> Any:
    given = {**CONFIGURATIONS.get(kind, {}), **arguments}
    return transformers.CONFIG_MAPPING[kind](**given)


def _deeper(config: Any) -> dict[str, Any]:
    """The arguments that make the same configuration, but with more blocks."""
    stages = [key for key in OF_STAGES if isinstance(getattr(config, key, None), (list, tuple))]
    keys = stages or [key for key in OF_ALL if hasattr(config, key)]
    deeper = {key: _more(getattr(config, key)) for key in keys}
    towers = {name: getattr(config, name, None) for name in TOWERS}
    for tower, own in ((name, own) for name, own in towers.items() if own is not None):
        deeper[tower] = own.to_dict() | {"layer_types": None} | _deeper(own)
    return deeper


def _more(value: Any) -> Any:
    """One more block: a number more, or for a list of blocks the last once more; in each stage."""
    if not isinstance(value, (list, tuple)):
        return value + 1
    return [
        [*stage, stage[-1]] if isinstance(stage, (list, tuple)) else stage + 1 for stage in value
    ]

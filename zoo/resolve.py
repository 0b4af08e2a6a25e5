"""Which models of each library `arch="auto"` resolves, by what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import timm
from torchvision import models as vision

from lrd_registry import LrdError, assign_layers
from lrd_registry.models import build_model
from lrd_registry.models.on_meta import call_on_meta
from tables.markdown import table
from tables.versions import library_version
from zoo import transformers_types

if TYPE_CHECKING:
    from torch import nn

HEADER = ["library", "models for", "tried", "resolve", "rule sets"]
TORCHVISION = {
    "image classification": vision,
    "video classification": vision.video,
    "detection": vision.detection,
    "segmentation": vision.segmentation,
}
TRANSFORMERS = {
    "image classification": "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES",
    "video classification": "MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING_NAMES",
    "masked image modelling": "MODEL_FOR_MASKED_IMAGE_MODELING_MAPPING_NAMES",
    "semantic segmentation": "MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES",
    "depth estimation": "MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES",
    "masks": "MODEL_FOR_MASK_GENERATION_MAPPING_NAMES",
    "backbones": "MODEL_FOR_BACKBONE_MAPPING_NAMES",
    "text classification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "token classification": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "question answering": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "multiple choice": "MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES",
    "masked words": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "next words": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "text to text": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "audio classification": "MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES",
    "speech by CTC": "MODEL_FOR_CTC_MAPPING_NAMES",
    "speech to text": "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES",
    "images and texts": "MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING_NAMES",
    "images to text": "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",
    "detection": "MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES",
    "universal segmentation": "MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING_NAMES",
}
"""What models are for -> the table of transformers that has them, in `modeling_auto.py`."""


def tasks() -> dict[str, tuple[str, str, str]]:
    """Every model: its name with its task -> the library, the task, and the name there."""
    found = [("timm", "image classification", name) for name in timm.list_models()]
    for task, module in TORCHVISION.items():
        found += [("torchvision", task, name) for name in vision.list_models(module=module)]
    found += _of_transformers()
    found += _of_open_clip()
    return {f"{library} {task}:{name}": (library, task, name) for library, task, name in found}


def _of_transformers() -> list[tuple[str, str, str]]:
    from transformers.models.auto import modeling_auto

    return [
        ("transformers", task, f"{kind}:{name if isinstance(name, str) else name[0]}")
        for task, mapping in TRANSFORMERS.items()
        for kind, name in getattr(modeling_auto, mapping).items()
    ]


def _of_open_clip() -> list[tuple[str, str, str]]:
    import open_clip

    return [("open_clip", "images and texts", name) for name in open_clip.list_models()]


def measure(task: tuple[str, str, str]) -> dict[str, Any]:
    """What comes of one model; it counts as not tried where it cannot be built."""
    try:
        model = _build(*task)
    except Exception as error:  # whatever a library's own code raises
        return {"tried": False, "why": f"{error}"[:150]}
    try:
        found = assign_layers(model)
    except LrdError as error:
        return {"tried": True, "resolves": False, "why": f"{error}"[:150]}
    return {"tried": True, "resolves": True, "rule_set": found.arch}


def _build(library: str, task: str, name: str) -> nn.Module:
    if library == "transformers":
        return transformers_types.build(f"hf:{name}")
    if library == "open_clip":
        from tests.support.libraries import open_clip_models

        return call_on_meta(lambda: open_clip_models.model(open_clip_models.CONFIGS[name]))
    if task in {"detection", "segmentation"}:
        options = {"weights": None, "weights_backbone": None}
        return call_on_meta(lambda: vision.get_model(name, **options))
    return build_model(f"{library}:{name}")


def text(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The table, and below it what does not resolve, and what was not tried."""
    by_row: dict[tuple[str, str], list[str]] = {}
    for name, (library, task, _) in tasks().items():
        by_row.setdefault((library, task), []).append(name)
    rows = [_row(*row, [results[name] for name in names]) for row, names in by_row.items()]
    others = [
        f"- {'does not resolve' if result['tried'] else 'not tried'}: {name}: "
        + result["why"].partition("\n")[0]
        for name, result in results.items()
        if not result.get("resolves")
    ]
    return "\n".join([table(HEADER, rows), *others])


def _row(library: str, task: str, results: list[Mapping[str, Any]]) -> list[str]:
    rule_sets = {result["rule_set"] for result in results if result.get("resolves")}
    tried = sum(result["tried"] for result in results)
    resolved = sum(bool(result.get("resolves")) for result in results)
    return [library_version(library), task, str(tried), str(resolved), str(len(rule_sets))]

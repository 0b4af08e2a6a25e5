"""Does each architecture of timm resolve to one rule set: with a head, without, as features?"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import timm
import torch
from timm.models import model_entrypoint

from lrd_registry import LrdError, ModelError, assign_layers
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import check_order
from tables.markdown import table

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.assignment import Assignment

COLUMNS = ["architectures", "with a head", "without", "as features", "same scales", "in order"]


def tasks() -> dict[str, str]:
    """Every architecture, the first of each module of timm's before the second of any."""
    modules: dict[str, list[str]] = {}
    for name in timm.list_models():
        modules.setdefault(module_of(name), []).append(name)
    deepest = max(map(len, modules.values()))
    rounds = ([names[n] for names in modules.values() if n < len(names)] for n in range(deepest))
    return {name: name for names in rounds for name in names}


def module_of(name: str) -> str:
    """The module of timm's that an architecture is in, such as `resnet`."""
    return str(model_entrypoint(name).__module__.rpartition(".")[2])


def measure(name: str) -> dict[str, Any]:
    """What comes of one architecture."""
    torch.manual_seed(0)
    random.seed(0)
    model = _build(name)
    whole, why = _resolved(model)
    if whole is None:
        return {"whole": False, "why": why}
    headless, without = _resolved(_build(name, num_classes=0))
    features, of_features = _of_features(name)
    return {
        "whole": True,
        "rule_set": f"{whole.arch}/{whole.layout}",
        "known_by": whole.known_by,
        "num_layers": whole.num_layers,
        "headless": headless is not None,
        "features": None if features is None and not of_features else features is not None,
        "why": " ".join(filter(None, (without, of_features))),
        "same": _differing(whole, headless, features),
        **_order(model, whole),
    }


def _build(name: str, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return timm.create_model(name, **options)


def _of_features(name: str) -> tuple[Assignment | None, str]:
    """The layers of the features; neither layers nor a reason, where timm has no features."""
    try:
        model = _build(name, features_only=True)
    except (RuntimeError, AttributeError, AssertionError, TypeError, KeyError):
        return None, ""
    return _resolved(model)


def _resolved(model: nn.Module) -> tuple[Assignment | None, str]:
    try:
        return assign_layers(model), ""
    except LrdError as error:
        return None, str(error)[:300]


def _differing(
    whole: Assignment, headless: Assignment | None, features: Assignment | None
) -> list[str]:
    """The parameters with another scale than in the whole; of features, with another layer."""
    found = []
    if headless is not None:
        shift = whole.num_layers - headless.num_layers
        found += [n for n in headless if headless[n].layer + shift != whole[n].layer]
    if features is not None:
        layers = {whole.written[name]: row.layer for name, row in whole.items()}
        written = features.written
        found += [n for n in features if features[n].layer != layers.get(written[n])]
    return found[:5]


def _order(model: nn.Module, whole: Assignment) -> dict[str, Any]:
    try:
        check = check_order(whole, trace(model))
    except ModelError as error:
        return {"in_order": None, "move": [str(error)[:200]]}
    return {
        "in_order": not check.contradictions,
        "move": list(check.move)[:5],
        "waived": [waiver.why for waiver in check.waived],
        "idle": [waiver.why for waiver in check.idle],
    }


def text(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The table, one row for each module of timm's, and below it whatever is not as it should."""
    return "\n".join([_table(results), *_exceptions(results)])


def _table(results: Mapping[str, Mapping[str, Any]]) -> str:
    counts: dict[str, Counter[str]] = {}
    for name, result in results.items():
        for row in (module_of(name), "all"):
            count = counts.setdefault(row, Counter())
            count["architectures"] += 1
            count["with a head"] += result["whole"]
            count["without"] += result.get("headless", False)
            count["as features"] += bool(result.get("features"))
            count["same scales"] += result["whole"] and not result["same"]
            count["in order"] += bool(result.get("in_order"))
    ordered = sorted(counts, key=lambda row: (row == "all", row))
    return table(
        ["module", *COLUMNS], ([row, *(str(counts[row][c]) for c in COLUMNS)] for row in ordered)
    )


def _exceptions(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for name, result in results.items():
        if result["why"]:
            yield f"- {name}: {result['why']}"
        if result.get("same"):
            yield f"- {name}: another scale: {', '.join(result['same'])}"
        if result.get("in_order") is None and result["whole"]:
            yield f"- {name}: not traced: {result['move'][0]}"
        elif result.get("in_order") is False:
            yield f"- {name}: out of order: {', '.join(result['move'])}"
        for why in result.get("idle", ()):
            yield f"- {name}: a waiver is not needed ({why})"

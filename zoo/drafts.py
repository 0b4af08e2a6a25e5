"""Drafting a rule file for every architecture: is it complete, in order, and fit for others?"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from lrd_registry import Assignment, LrdError, assign_layers
from lrd_registry.assignment import Placement
from lrd_registry.diff.timm_grouping import timm_side
from lrd_registry.drafting import draft
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import contradictions
from lrd_registry.tracing.result import Trace
from zoo import models
from zoo.declared_blocks import declared_blocks

BUNDLED = ("vit", "swin", "convnext")
SEVERAL = 4
"""From so many modules of a list that have an entry each, they are blocks."""


def measure(name: str) -> dict[str, Any]:
    """One architecture's draft, and timm's own grouping of it where there is one."""
    try:
        model = models.build(name)
        traced = trace(model, models.inputs(name))
    except Exception as error:
        return {"traced": False, "why": _why(error)}
    bundled = _bundled(model)
    found = {"traced": True, "kinds": _kinds(model), "tensors": len(list(model.parameters()))}
    found |= {"draft": _draft(model, traced, bundled), "blocks": declared_blocks(model)}
    return found | ({"timm": _timm(model, traced, bundled)} if name.startswith("timm:") else {})


def _why(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _kinds(model: nn.Module) -> str:
    """The parameters' names without their numbers: equal for all sizes of one architecture."""
    kinds = sorted({re.sub(r"\d+", "#", name) for name, _ in model.named_parameters()})
    return hashlib.sha256("\n".join(kinds).encode()).hexdigest()[:12]


def _bundled(model: nn.Module) -> dict[str, int] | None:
    """The layers of the bundled rule set that fits, if one does."""
    try:
        assignment = assign_layers(model)
    except LrdError:
        return None
    return _layers(assignment) if assignment.arch in BUNDLED else None


def _layers(assignment: Assignment) -> dict[str, int]:
    return {name: placed.layer for name, placed in assignment.placements.items()}


def _draft(model: nn.Module, traced: Trace, bundled: dict[str, int] | None) -> dict[str, Any]:
    try:
        drafted = draft(model, "drafted", traced)
        assignment = assign_layers(model, drafted.rule_set)
    except Exception as error:
        return {"complete": False, "why": _why(error)}
    return {
        "complete": True,
        "in_order": not contradictions(assignment, traced),
        "blocks": _blocks(drafted.rules, assignment),
        "silent": [name for name in traced.unused if not _is_said(name, drafted.unsure)],
        "rules": dict(drafted.rules),
        "unsure": len(drafted.unsure),
        "equals": None if bundled is None else _layers(assignment) == bundled,
    }


def _blocks(rules: Mapping[str, Any], assignment: Assignment) -> int:
    """The number of layers that are blocks: of entries with an index, or for one of a list."""
    parts = {f"{name}.": part["layers"] for name, part in rules.get("parts", {}).items()}
    patterns = {
        start + name: str(value["match"] if isinstance(value, dict) else value)
        for start, layers in (parts or {"": rules["layers"]}).items()
        for entry in layers
        for name, value in entry.items()
    }
    lists = Counter(map(_list_of, patterns.values()))
    of_blocks = {
        name
        for name, pattern in patterns.items()
        if "{" in pattern or ((path := _list_of(pattern)) and lists[path] >= SEVERAL)
    }
    return len({at.level for at in assignment.placements.values() if at.entry in of_blocks})


def _list_of(pattern: str) -> str | None:
    """The path of the list that an entry's first pattern is for one module of."""
    found = re.search(r"([\w.]+)\.\d+\.\*\*", pattern)
    return found[1] if found else None


def _is_said(name: str, unsure: Iterable[str]) -> bool:
    """Whether a sentence names a parameter, or a module that it is in."""
    said = set(re.split(r"[\s,:;]+", " ".join(unsure)))
    name = re.sub(r"\.[0-9]+(?=\.)", ".{block}", name, count=1) if name not in said else name
    segments = name.split(".")
    paths = (".".join(segments[:count]) for count in range(1, len(segments)))
    return name in said or any(f"{path}.**" in said for path in paths) or "**" in said


def _timm(model: nn.Module, traced: Trace, bundled: dict[str, int] | None) -> dict[str, Any]:
    """The same of timm's own grouping."""
    try:
        side = timm_side(model, 0.75)
    except LrdError as error:
        return {"complete": False, "why": _why(error)}
    layers = {name: place.layer for name, place in side.places.items()}
    depth = ("",) * (max(layers.values()) + 1)
    placements = {name: Placement(layer, "", "") for name, layer in layers.items()}
    own = Assignment("timm", side.layout, ("",), {"": depth}, placements, {n: n for n in layers})
    return {
        "complete": side.layout == "group_matcher",
        "in_order": not contradictions(own, traced),
        "equals": None if bundled is None else layers == bundled,
    }


def next_sizes(results: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Each architecture -> the next larger one of the same family and kinds of parameters.

    Of transformers' types, which have one configuration here, it is the same with more blocks.
    """
    relatives: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name, result in results.items():
        if result["traced"]:
            key = models.family(name), result["kinds"]
            relatives.setdefault(key, []).append((result["tensors"], name))
    larger = {
        name: other
        for members in relatives.values()
        for size, name in members
        for other in _next(size, members)
    }
    drafted = (name for name, result in results.items() if result["traced"])
    deeper = {name: models.deeper(name) for name in drafted if name not in larger}
    return larger | {name: other for name, other in deeper.items() if other}


def _next(size: int, members: Iterable[tuple[int, str]]) -> list[str]:
    return [name for _, name in sorted(member for member in members if member[0] > size)][:1]


def fits(task: tuple[dict[str, Any], str]) -> dict[str, Any]:
    """Whether a draft covers another model."""
    rules, other = task
    try:
        assign_layers(models.build(other), rule_set_from_mapping(rules))
    except LrdError as error:
        return {"fits": False, "other": other, "why": _why(error)}
    return {"fits": True, "other": other}

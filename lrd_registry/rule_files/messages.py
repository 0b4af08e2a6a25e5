"""A validation error in words: what was expected, what was found, and the likely fix."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.format import LAYOUT_KEYS
from lrd_registry.rule_files.layout import Layout, Part, Waiver
from lrd_registry.rule_files.schema import RuleSet, Source
from lrd_registry.rule_files.yaml_positions import describe
from lrd_registry.wording import clip, did_you_mean

_BELOW: dict[type[BaseModel], dict[str | int, tuple[type[BaseModel], int]]] = {
    RuleSet: {"layouts": (Layout, 1), "sources": (Source, 1)},
    Layout: {
        "layers": (Entry, 2),
        "parts": (Part, 1),
        "outside": (Entry, 1),
        "waivers": (Waiver, 1),
    },
    Part: {"layers": (Entry, 2)},
}
"""What is under a key of each part of a rule file, below how many positions or names."""

_PATTERNS = {
    "match",
    "first",
    "last",
    "previous",
    "outside",
    "signature",
    "no_weight_decay",
    "parameters",
}

_EXPECTED = {
    "string_type": "text",
    "string_pattern_mismatch": "a name of letters, digits, `-` and `_`",
    "int_type": "an integer",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}

_OTHERS = {
    "too_long": "one entry per list item: put a `-` before each name",
    "too_short": "must not be empty",
    "greater_than_equal": "must be at least 1",
    "invalid_key": "a key must be text",
}


def own_errors(error: ValidationError) -> list[ErrorDetails]:
    """The errors, less those that only say that something with an error in it is gone."""
    errors = error.errors(include_url=False)
    return [e for e in errors if not (e["type"] == "too_short" and e["input"])]


def explain(error: ErrorDetails, text: str | None = None) -> str:
    """The message of an error; `text` is the scalar at fault, as written in the file."""
    kind, loc = error["type"], error["loc"]
    if kind == "missing":
        other = " (or `layers`)" if loc[-1] == "layouts" else ""
        return f"missing key `{loc[-1]}`{other}"
    if kind == "extra_forbidden":
        return _unknown_key(loc)
    if kind == "literal_error":
        return _no_word(error, text)
    if kind in _EXPECTED:
        found = _found(error["input"], text, is_scalar=kind in {"int_type", "bool_type"})
        return f"expected {_expected(kind, loc)}, found {found}"
    return _OTHERS.get(kind, error["msg"])


def _no_word(error: ErrorDetails, text: str | None) -> str:
    """Of a value that is none of a few words."""
    words = error["ctx"]["expected"].split("'")[1::2]
    hint = did_you_mean(error["input"], words) if isinstance(error["input"], str) else ""
    expected = " or ".join(f"`{word}`" for word in words)
    return f"expected {expected}, found {_found(error['input'], text, is_scalar=False)}{hint}"


def _expected(kind: str, loc: tuple[str | int, ...]) -> str:
    if kind == "tuple_type" and loc[-1] in _PATTERNS:
        return "a pattern or a list of patterns"
    if kind == "string_pattern_mismatch" and "classes" in loc:
        return "the full name of a class, such as `timm.models.resnet.ResNet`"
    if kind == "string_pattern_mismatch" and "prefix" in loc:
        return "names joined by dots, such as `model.backbone`"
    if kind == "model_type" and _model_at(loc) is Entry:
        return "a pattern, a list of patterns, or a mapping"
    return _EXPECTED[kind]


def _found(value: Any, text: str | None, *, is_scalar: bool) -> str:
    if text is None or value is None:
        return describe(value)
    if isinstance(value, str) and not is_scalar:
        return f"`{clip(text)}`"
    return f"`{clip(text)}`, which YAML reads as {describe(value)}"


def _unknown_key(loc: tuple[str | int, ...]) -> str:
    key = clip(str(loc[-1]))
    model = _model_at(loc[:-1])
    if model is RuleSet and key in LAYOUT_KEYS:
        return f"`{key}` at the top is for a file without `layouts`; this one has both"
    known = [*model.model_fields, *(LAYOUT_KEYS if model is RuleSet else ())]
    hint = did_you_mean(key, known)
    return f"unknown key `{key}`{hint or '; the keys here are ' + ', '.join(known)}"


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    """The part of a rule file to which a path leads."""
    model: type[BaseModel] = RuleSet
    while path and path[0] in _BELOW.get(model, {}):
        model, names = _BELOW[model][path[0]]
        path = path[1 + names :]
    return model

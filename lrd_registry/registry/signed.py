"""A rule file's signatures as they are written, to pass over files that cannot fit a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrd_registry.rule_files.format import SINGLE_LAYOUT


def one_name_of_each_layout(data: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A name for each layout, under each of its prefixes, that a model must have for it.

    None where there is none: a layout without a signature, one of wildcards alone, or something
    else than a rule file's data.

    >>> stages = {"signature": ["*.weight", "stem.weight"], "prefix": "body", "layers": []}
    >>> one_name_of_each_layout({"arch": "x", "layouts": {"a": stages}})
    ('stem.weight', 'body.stem.weight')
    >>> one_name_of_each_layout({"arch": "x", "layers": []}) is None
    True
    """
    layouts = data.get("layouts", {SINGLE_LAYOUT: data})
    if not isinstance(layouts, Mapping):
        return None
    found: list[str] = []
    for layout in layouts.values():
        name = next(filter(_is_plain, _texts(layout, "signature")), None)
        if name is None:
            return None
        found += [name, *(f"{prefix}.{name}" for prefix in _texts(layout, "prefix"))]
    return tuple(found)


def _texts(layout: object, key: str) -> list[str]:
    """The texts of a key, which may hold one or a list of them."""
    value = layout.get(key) if isinstance(layout, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _is_plain(pattern: str) -> bool:
    return not set("*{") & set(pattern)

"""Whether a layout speaks of a model at all: the patterns that must each match a parameter."""

from __future__ import annotations

import re
from collections.abc import Collection

from lrd_registry.patterns import Pattern
from lrd_registry.schema import Layout


def is_signed(layout: Layout, prefix: str, names: Collection[str]) -> bool:
    """Whether the names under a prefix (`""`: all names) bear a layout's signature."""
    start = f"{prefix}." if prefix else ""
    return all(_is_found(pattern, start, names) for pattern in layout.signature)


def missing_signature(layout: Layout, names: Collection[str]) -> tuple[Pattern, ...]:
    """The patterns of a layout's signature that match none of the names."""
    return tuple(pattern for pattern in layout.signature if not _is_found(pattern, "", names))


def _is_found(pattern: Pattern, start: str, names: Collection[str]) -> bool:
    if pattern.is_literal:
        return start + pattern.text in names
    beginning = start + re.split(r"[{*]", pattern.text)[0].rstrip(".")
    return any(
        name.startswith(beginning) and pattern.match(name[len(start) :]) is not None
        for name in names
    )

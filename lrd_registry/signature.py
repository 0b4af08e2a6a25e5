"""Whether a layout speaks of a model at all: the patterns that must each match a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lrd_registry.patterns import Pattern
from lrd_registry.schema import Layout


def missing_signature(layout: Layout, names: Iterable[str]) -> tuple[Pattern, ...]:
    """The patterns of a layout's signature that match none of the names."""
    return tuple(pattern for pattern in layout.signature if not _is_found(pattern, names))


def _is_found(pattern: Pattern, names: Iterable[str]) -> bool:
    if pattern.is_literal:
        return pattern.text in names
    beginning = re.split(r"[{*]", pattern.text)[0].rstrip(".")
    return any(name.startswith(beginning) and pattern.match(name) is not None for name in names)

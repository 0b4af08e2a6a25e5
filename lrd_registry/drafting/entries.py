"""The entries of a draft, before they are written out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

ROLES = ("match", "previous", "first", "last")


@dataclass(frozen=True)
class DraftEntry:
    """One entry: its name, its patterns by role, and what a reader should know of it."""

    name: str
    patterns: dict[str, list[str]] = field(default_factory=dict)
    optional: bool = False
    comments: tuple[str, ...] = ()

    def data(self) -> Any:
        """The entry's value in a rule file."""
        values: dict[str, Any] = {
            role: patterns[0] if len(patterns) == 1 else patterns
            for role, patterns in self.patterns.items()
            if patterns
        }
        if values.keys() == {"match"} and not self.optional:
            return values["match"]
        return values | ({"optional": True} if self.optional else {})

    def below(self, prefix: str) -> DraftEntry:
        """The entry with its patterns as they stand below a prefix."""
        start = f"{prefix}." if prefix else ""
        patterns = {
            role: [text.removeprefix(start) for text in texts]
            for role, texts in self.patterns.items()
        }
        return replace(self, patterns=patterns)

"""A drafted rule set: plain data, and what a reader should know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lrd_registry.rule_files.loading import rule_set_from_mapping
from lrd_registry.rule_files.schema import RuleSet


@dataclass(frozen=True)
class Draft:
    """A first rule set for a model.

    Attributes:
        rules: the rule set as plain data, for `rule_set_from_mapping`.
        comments: entry name (`part.name` in a part) -> what to know of it.
        unsure: the choices that the draft was unsure of, a sentence each.
    """

    rules: Mapping[str, Any] = field(repr=False)
    comments: Mapping[str, tuple[str, ...]] = field(repr=False)
    unsure: tuple[str, ...]

    @property
    def rule_set(self) -> RuleSet:
        """The draft as a rule set."""
        return rule_set_from_mapping(self.rules)

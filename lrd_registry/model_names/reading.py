"""What a model's names were, as far as they are not what its author wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

INPUT = ""
"""Stands for the name of a parameter that a wrapper puts before the model: prompt tokens."""


@dataclass(frozen=True)
class Reading:
    """How the author of a model wrote the names that the model now spells otherwise.

    Attributes:
        written: name as the model spells it -> as its author wrote it; an adapter goes by the
            parameter that it adapts.
        adapters: the names of adapters -> the parameters as written, one of which each adapts.
        removed: the paths of modules that were there and have been set to None, as written.
        is_guess: whether nothing tells that it was so, but that it would fit.
    """

    written: dict[str, str] = field(default_factory=dict)
    adapters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    is_guess: bool = False

"""Which parameters get no weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.matching import Matcher
from lrd_registry.patterns import Pattern, PatternError, parse_pattern

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.parameters import Model


class WeightDecayRule:
    """Tells decayed parameters from the others, by shape and by name.

    Not decayed: parameters of at most one dimension, names that end in `.bias` where `biases`
    says so, and whatever the patterns, names and keywords (parts of a name) cover.
    """

    def __init__(
        self,
        patterns: Iterable[Pattern] = (),
        *,
        names: Iterable[str] = (),
        keywords: Iterable[str] = (),
        biases: bool = True,
    ) -> None:
        patterns = tuple(patterns)
        self._names = {p.text for p in patterns if p.is_literal}.union(names)
        self._matcher = Matcher([p for p in patterns if not p.is_literal])
        self._keywords = tuple(keywords)
        self._ending = ".bias" if biases else "\0"

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        """Whether the parameter gets weight decay."""
        return not (
            parameter.ndim <= 1
            or name.endswith(self._ending)
            or name in self._names
            or self._matcher.match(name)
            or any(keyword in name for keyword in self._keywords)
        )


def parse_patterns(patterns: str | Iterable[str], argument: str) -> tuple[Pattern, ...]:
    """Parse the patterns of an argument.

    Raises:
        InvalidArgumentError: one of them is no pattern.
    """
    try:
        texts = [patterns] if isinstance(patterns, str) else patterns
        return tuple(parse_pattern(text) for text in texts)
    except PatternError as error:
        raise InvalidArgumentError(f"{argument}: {error}") from None


def own_names(model: Model) -> Iterable[str]:
    """The names that the model itself exempts, by its `no_weight_decay()` (timm's convention)."""
    return _ask(model, "no_weight_decay")


def own_keywords(model: Model) -> Iterable[str]:
    """The parts of names that the model exempts, by `no_weight_decay_keywords()` (Swin's)."""
    return _ask(model, "no_weight_decay_keywords")


def _ask(model: Model, method: str) -> Iterable[str]:
    answer = getattr(model, method, None)
    return tuple(answer()) if callable(answer) else ()

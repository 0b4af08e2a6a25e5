"""Which parameters get no weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.matching import Matcher
from lrd_registry.patterns import Pattern, PatternError, parse_pattern

if TYPE_CHECKING:
    from lrd_registry.parameters import Model


class WeightDecayRule:
    """Tells by name which parameters are exempt, besides those of at most one dimension.

    Exempt: whatever the patterns, names and keywords (parts of a name) cover, and names that
    end in `.bias`, unless `biases` is false.
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
        endings = [p.ending for p in patterns if p.ending is not None]
        self._names = {p.text for p in patterns if p.is_literal}.union(endings, names)
        self._endings = (*(f".{ending}" for ending in endings), *([".bias"] if biases else []))
        others = [p for p in patterns if p.ending is None and not p.is_literal]
        self._matcher = Matcher(others) if others else None
        self._keywords = tuple(keywords)

    def exempts(self, name: str) -> bool:
        """Whether a parameter of this name gets no weight decay."""
        return (
            name.endswith(self._endings)
            or name in self._names
            or (self._matcher is not None and bool(self._matcher.match(name)))
            or (bool(self._keywords) and any(keyword in name for keyword in self._keywords))
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

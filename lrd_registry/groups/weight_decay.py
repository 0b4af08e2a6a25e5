"""Which parameters get no weight decay."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.model_names.parameters import is_module
from lrd_registry.model_names.wrappers import find_module
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.patterns.syntax import PatternError, parse_pattern
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from lrd_registry.model_names.parameters import Model


class WeightDecayRule:
    """Tells by name which parameters are exempt, besides those of at most one dimension.

    Exempt: whatever the patterns, names, globs (as in a shell, across dots) and keywords (parts
    of a name) cover, and names that end in `.bias`, unless `biases` is false.
    """

    def __init__(
        self,
        patterns: Iterable[Pattern] = (),
        *,
        names: Iterable[str] = (),
        globs: Iterable[str] = (),
        keywords: Iterable[str] = (),
        biases: bool = True,
    ) -> None:
        patterns = tuple(patterns)
        endings = [p.ending for p in patterns if p.ending is not None]
        insides = [p.inside for p in patterns if p.inside is not None]
        self._names = {p.text for p in patterns if p.is_literal}.union(endings, names)
        self._endings = (*(f".{ending}" for ending in endings), *([".bias"] if biases else []))
        self._insides = tuple(f".{inside}." for inside in insides)
        self._keywords = tuple(keywords)
        self._globs = tuple(globs)
        self._others = tuple(
            p for p in patterns if not p.is_literal and p.ending is None and p.inside is None
        )

    def exempts(self, name: str) -> bool:
        """Whether a parameter of this name gets no weight decay.

        Most patterns are a name, `**.x` or `**.x.**`, which plain string search answers.
        """
        if name.endswith(self._endings) or name in self._names:
            return True
        for inside in self._insides:
            if inside in f".{name}.":
                return True
        for keyword in self._keywords:
            if keyword in name:
                return True
        for glob in self._globs:
            if fnmatchcase(name, glob):
                return True
        return bool(self._others) and any(p.match(name) is not None for p in self._others)


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


def check_matches(patterns: Iterable[Pattern], names: Collection[str], argument: str) -> None:
    """Refuse a pattern of an argument that matches none of a model's names.

    Raises:
        InvalidArgumentError: there is one; the message has the nearest name.
    """
    for pattern in patterns:
        if not any(pattern.match(name) is not None for name in names):
            hint = _found_deeper(pattern, names) or did_you_mean(pattern.text, names, quote="{!r}")
            raise InvalidArgumentError(
                f"{argument}: no parameter of the model matches {pattern.text!r}{hint}"
            )


def _found_deeper(pattern: Pattern, names: Iterable[str]) -> str:
    """A clause for a pattern that leaves out where in the model its parameters are."""
    deeper = pattern.under("**")
    found = next((name for name in names if deeper.match(name) is not None), None)
    return f"; {deeper.text!r} does, as {found!r}" if found else ""


def own_names(model: Model, roots: Iterable[str]) -> tuple[list[str], list[str]]:
    """What the model exempts by its own `no_weight_decay()`: names and globs, as timm does.

    Asked are the modules at `roots`, inside their wrappers; their names count from there.
    """
    listed = [
        f"{root}.{name}" if root else name
        for root in roots
        for name in _ask(model, root, "no_weight_decay")
    ]
    return [n for n in listed if "*" not in n], [n for n in listed if "*" in n]


def own_keywords(model: Model, roots: Iterable[str]) -> Iterable[str]:
    """The parts of names that the model exempts, by `no_weight_decay_keywords()` (Swin's)."""
    return [word for root in roots for word in _ask(model, root, "no_weight_decay_keywords")]


def _ask(model: Model, root: str, method: str) -> tuple[str, ...]:
    module = find_module(model, root) if is_module(model) else None
    answer = getattr(module, method, None)
    return tuple(answer()) if callable(answer) else ()

"""What a model must have for a layout to speak of it at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from lrd_registry.patterns.pattern import Pattern


class Signature:
    """Patterns that must each match one of a model's names.

    Most are plain names, and the lack of one settles the matter before any pattern is tried.

    >>> from lrd_registry.patterns.syntax import parse_pattern
    >>> signature = Signature(map(parse_pattern, ["head.weight", "blocks.0.**"]))
    >>> signature.is_on(["blocks.0.weight", "head.weight"])
    True
    >>> [str(pattern) for pattern in signature.missing(["blocks.1.weight", "head.weight"])]
    ['blocks.0.**']
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._all = tuple(patterns)
        self._names = tuple(pattern.text for pattern in self._all if pattern.is_literal)
        self._patterns = tuple(
            (_beginning(pattern), pattern) for pattern in self._all if not pattern.is_literal
        )

    @property
    def one_name(self) -> str | None:
        """A name without which it is on no model; None where it has none but patterns."""
        return self._names[0] if self._names else None

    def is_on(self, names: Collection[str]) -> bool:
        """Whether each pattern matches one of the names."""
        for name in self._names:
            if name not in names:
                return False
        return not self._patterns or all(
            _is_found(beginning, pattern, names) for beginning, pattern in self._patterns
        )

    def missing(self, names: Collection[str]) -> tuple[Pattern, ...]:
        """The patterns that match none of the names."""
        return tuple(p for p in self._all if not _is_found(_beginning(p), p, names))


class Signatures:
    """Many signatures, of which few are tried on any names.

    >>> from lrd_registry.patterns.syntax import parse_pattern
    >>> signatures = Signatures([Signature([parse_pattern("head.weight")])])
    >>> signatures.any_is_on(["head.weight"]), signatures.any_is_on(["stem.weight"])
    (True, False)
    """

    def __init__(self, signatures: Iterable[Signature]) -> None:
        self._by_name: dict[str | None, list[Signature]] = {}
        for signature in signatures:
            self._by_name.setdefault(signature.one_name, []).append(signature)

    def any_is_on(self, names: Collection[str]) -> bool:
        """Whether one of them is among the names."""
        return any(
            signature.is_on(names)
            for name, several in self._by_name.items()
            if name is None or name in names
            for signature in several
        )


def _beginning(pattern: Pattern) -> str:
    """With what each name begins that a pattern matches."""
    return re.split(r"[{*]", pattern.text)[0].rstrip(".")


def _is_found(beginning: str, pattern: Pattern, names: Collection[str]) -> bool:
    return any(name.startswith(beginning) and pattern.match(name) is not None for name in names)

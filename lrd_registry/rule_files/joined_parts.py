"""What is wrong with the `before` of a layout's parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from lrd_registry.wording import did_you_mean


def faults_of_before(
    before: Mapping[str, str], parts: Collection[str], outside: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The parts whose `before` cannot be, each with the reason.

    Args:
        before: part -> the part that it goes on below.
        parts: the layout's parts.
        outside: the names of the entries outside them.

    >>> list(faults_of_before({"image": "image"}, ["image"], []))
    [('image', 'a part cannot be before itself; name the part that it feeds')]
    """
    for part, named in before.items():
        if named not in parts:
            yield part, _no_part(named, parts, outside)
    for circle in _circles(before):
        yield circle[0], _in_words(circle)


def _no_part(named: str, parts: Collection[str], outside: Collection[str]) -> str:
    if named in outside:
        return (
            f"`{named}` is outside the parts; to be before it, make it one of the `parts`, with "
            "`layers` of its own"
        )
    hint = did_you_mean(named, parts) or f"; the parts are {', '.join(parts)}"
    return f"`{named}` is no part of this layout{hint}"


def _circles(before: Mapping[str, str]) -> Iterator[list[str]]:
    """The parts that are before themselves, together with those between; each circle once."""
    known: set[str] = set()
    for part in before:
        chain = [part]
        while (last := before.get(chain[-1])) is not None and last not in chain:
            chain.append(last)
        if last == part and part not in known:
            known.update(chain)
            yield chain


def _in_words(circle: list[str]) -> str:
    if len(circle) == 1:
        return "a part cannot be before itself; name the part that it feeds"
    parts = " before ".join(f"`{part}`" for part in [*circle, circle[0]])
    return f"the parts go in a circle: {parts}; the one nearest to the head has no `before`"

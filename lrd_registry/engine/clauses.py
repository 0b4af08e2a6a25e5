"""One pattern's part in a layout, and the claim that it lays on a name."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from lrd_registry.patterns.pattern import Pattern

Role: TypeAlias = Literal["match", "first", "last", "previous"]
Indices: TypeAlias = tuple[int, ...]

ROLES: tuple[Role, ...] = ("match", "first", "last", "previous")
NOT_CAPTURED = -1


class Claim(NamedTuple):
    """An entry's hold on a parameter, at `NOT_CAPTURED` where its pattern leaves an index open."""

    entry: int
    role: Role
    indices: Indices


class Clause(NamedTuple):
    """A pattern of an entry, by the entry's position, and its role there.

    `places` has, for each of the entry's indices, its place in the pattern's captures; it is
    None where these are the entry's indices, one for one.
    """

    entry: int
    role: Role
    pattern: Pattern
    places: tuple[int | None, ...] | None

    def claim(self, captures: tuple[int, ...]) -> Claim:
        """The claim on a name from which the pattern captured these indices."""
        if self.places is None:
            return Claim(self.entry, self.role, captures)
        indices = [NOT_CAPTURED if place is None else captures[place] for place in self.places]
        return Claim(self.entry, self.role, tuple(indices))

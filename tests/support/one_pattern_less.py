"""A bundled rule set without one of its patterns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import product
from operator import getitem
from typing import NamedTuple

from lrd_registry import get_rule_set
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.layout import Layout
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.rule_files.schema import RuleSet

ROLES = ("match", "first", "last", "previous", "outside")
NOTHING = "nothing-has-this-name"


class Place(NamedTuple):
    """Where a pattern stands in the bundled rule files: in the entry at a path of its layout."""

    arch: str
    layout: str
    path: tuple[str | int, ...]
    role: str
    position: int

    def __str__(self) -> str:
        return "/".join(map(str, (self.arch, self.layout, *self.path, self.role, self.position)))

    @property
    def pattern(self) -> Pattern:
        """The pattern itself."""
        layout = get_rule_set(self.arch).layouts[self.layout]
        return getattr(dict(entries(layout))[self.path], self.role)[self.position]

    def stands_as(self) -> set[str]:
        """The pattern's text under each prefix that the layout, and the part, may have."""
        layout = get_rule_set(self.arch).layouts[self.layout]
        if self.role == "outside":
            return {self.pattern.text}
        parts = layout.parts[self.path[1]].prefixes if self.path[0] == "parts" else ("",)
        places = product(layout.prefixes, parts)
        return {".".join(filter(None, (*place, self.pattern.text))) for place in places}


def places(arch: str, layout: str) -> Iterator[Place]:
    """Every pattern of a layout."""
    for path, entry in entries(get_rule_set(arch).layouts[layout]):
        for role in ROLES:
            for position in range(len(getattr(entry, role))):
                yield Place(arch, layout, path, role, position)


def entries(layout: Layout, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], Entry]]:
    """Every entry of a layout and of its parts' own layers, and those outside, with its path."""
    for number, (name, entry) in enumerate(layout.entries):
        yield (*path, "layers", number, name), entry
    for name, part in (layout.parts or {}).items():
        if part.own:
            yield from entries(part.own, "parts", name)
    for name, entry in layout.outside.items():
        yield ("outside", name), entry


def without(place: Place) -> tuple[str, RuleSet]:
    """A pattern, and the rule set without it; an entry left with none matches nothing."""
    rules = get_rule_set(place.arch)
    data = rules.to_dict()
    layout = data["layouts"][place.layout]
    entry = reduce(getitem, place.path, layout)
    removed = entry[place.role].pop(place.position)
    if not entry[place.role]:
        del entry[place.role]
    if not entry.get("match") and (place.role == "match" or not entry.get("outside")):
        match = dict(entries(rules.layouts[place.layout]))[place.path].match
        indices = match[0].indices if match else ()
        entry["match"] = [NOTHING + "".join(f".{{{index}}}" for index in indices)]
    data["layouts"] = {place.layout: layout}
    return removed, rule_set_from_mapping(data)


def is_written_out(place: Place) -> bool:
    """Whether another pattern of the layout, with an index for a number, covers the same."""
    layout = get_rule_set(place.arch).layouts[place.layout]
    others = [p for _, entry in entries(layout) for role in ROLES for p in getattr(entry, role)]
    return any(place.pattern.is_literal_of(other) for other in others)

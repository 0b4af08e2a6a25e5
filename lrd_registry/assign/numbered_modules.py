"""Numbered modules that a rule file puts into one layer without saying that it means to.

`block: blocks.*.**` fits a model of twelve blocks, and makes one layer of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from lrd_registry.assignment import Assignment, Level, Row
from lrd_registry.patterns.pattern import SPAN, Pattern, Segment
from lrd_registry.patterns.syntax import PatternError, parse_pattern
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.schema import RuleSet

Rows: TypeAlias = Mapping[str, Row]
"""The parameters of one pattern, by their names below the model's prefix."""

Run: TypeAlias = tuple[str, ...]
"""The paths of modules that differ in one number."""


class SharedLayer(NamedTuple):
    """What one pattern of an entry puts into one layer, in each of one or more layers.

    Attributes:
        entry: the entry's name.
        pattern: the pattern, in which a `*`, or the closing `**`, stands for a number.
        instead: the pattern that would tell the modules apart.
        runs: the modules of each such layer.
    """

    entry: str
    pattern: str
    instead: str
    runs: tuple[Run, ...]

    def __str__(self) -> str:
        first, more = self.runs[0], len(self.runs) - 1
        ends = f"{first[0]} {'to' if len(first) > 2 else 'and'} {first[-1]}"
        so_too = f" (and so in {more} more)" if more else ""
        return (
            f"{self.pattern} puts {len(first)} numbered modules into one layer of "
            f"`{self.entry}`{so_too}: {ends}; {self.instead} gives each its own. "
            f'If one layer is meant, write {{match: "{self.instead}", index: []}}'
        )


def find_shared_layers(rules: RuleSet, assignment: Assignment) -> list[SharedLayer]:
    """The numbered modules that share a layer although nothing in their entry asks for it.

    Asked for it is by an `{index}` with `every` or `index`, by `first`, `last` and `previous`, and
    by the modules' own numbers in patterns. What remains is a `*` that matches a number, and a
    `path.**` without a number in it that matches a list with most of the parameters.

    Args:
        rules: the rule set that the assignment was made by.
        assignment: the layers of a model.
    """
    entries = dict(_own_entries(rules, assignment.layout))
    sizes = Counter(row.part for row in assignment.values())
    found = []
    for (name, text), rows in _by_pattern(assignment).items():
        own = [str(p) for p in entries[name].match] if name in entries else []
        if written := next((p for p in own if f".{text}".endswith(f".{p}")), None):
            most = sizes[next(iter(rows.values())).part] / 2
            prefix = text.removesuffix(written)
            found += [
                shared._replace(pattern=written, instead=shared.instead.removeprefix(prefix))
                for shared in _of_stars(name, text, rows) or _of_a_span(name, text, rows, most)
            ]
    return found


def _own_entries(rules: RuleSet, layout: str) -> Iterator[tuple[str, Entry]]:
    """The entries that the file itself has, by what an assignment calls them."""
    yield from rules.layouts[layout].entries
    for part, of_part in rules.layouts[layout].parts.items():
        for name, entry in of_part.own.entries if of_part.own else ():
            yield f"{part}.{name}", entry


def _by_pattern(assignment: Assignment) -> dict[tuple[str, str], dict[str, Row]]:
    start = f"{assignment.roots[0]}." if assignment.roots[0] else ""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for name, row in assignment.items():
        below = assignment.written[name].removeprefix(start)
        found.setdefault((row.entry, row.pattern), {})[below] = row
    return found


def _of_stars(entry: str, text: str, rows: Rows) -> list[SharedLayer]:
    """Those of which a `*` matches the number."""
    found = []
    pattern = parse_pattern(text)
    for place, part in enumerate(pattern.parts):
        instead = _with_index(pattern, place) if isinstance(part, Segment) else None
        if instead:
            segment = instead.parts[place]
            assert isinstance(segment, Segment)
            numbered = {
                name: at
                for name in rows
                if (at := _place(name, place, instead, segment)) is not None
            }
            if runs := _runs(rows, numbered):
                found.append(SharedLayer(entry, text, instead.text, runs))
    return found


def _with_index(pattern: Pattern, place: int) -> Pattern | None:
    """The pattern with an index for the one `*` of a segment; None where none can stand there."""
    segments = [str(getattr(part, "text", part)) for part in pattern.parts]
    before, star, after = segments[place].partition("*")
    index = _index_name(before or ".".join(segments[:place]), pattern)
    try:
        instead = [*segments[:place], f"{before}{{{index}}}{after}", *segments[place + 1 :]]
        return parse_pattern(".".join(instead)) if star and "*" not in after else None
    except PatternError:
        return None


def _place(name: str, least: int, instead: Pattern, segment: Segment) -> int | None:
    """At which segment a name has the number that `instead` captures.

    A number inside a name, as in `layer1`, must be of a module that holds modules: what is called
    `conv1`, `conv2` is rather one step than blocks.
    """
    segments = name.split(".")
    if instead.match(name) is None:
        return None
    at = range(least, len(segments) - (1 if segment.is_index else 2))
    return next((place for place in at if segment.match(segments[place]) is not None), None)


def _of_a_span(entry: str, text: str, rows: Rows, least: float) -> list[SharedLayer]:
    """The list of blocks that a closing `**` matches, if it holds more than `least` parameters."""
    path = text.removesuffix(f".{SPAN}")
    if path == text or set(path) & set("*{0123456789"):
        return []
    start = path.count(".") + 1
    numbered = {name: at for name in rows if (at := _block(name, start)) is not None}
    lists = Counter(_path(name, at) for name, at in numbered.items())
    longest, size = lists.most_common(1)[0] if lists else ("", 0)
    if size <= least:
        return []
    runs = _runs(rows, {name: at for name, at in numbered.items() if _path(name, at) == longest})
    index = _index_name(longest, parse_pattern(text))
    return [SharedLayer(entry, text, f"{longest}.{{{index}}}.{SPAN}", runs)] if runs else []


def _block(name: str, least: int) -> int | None:
    """At which segment a name has the number of a module that holds modules itself."""
    segments = name.split(".")
    return next((at for at in range(least, len(segments) - 2) if segments[at].isdecimal()), None)


def _path(name: str, count: int) -> str:
    return ".".join(name.split(".")[:count])


def _runs(rows: Rows, numbered: Mapping[str, int]) -> tuple[Run, ...]:
    """The modules of each layer and list that has several; `numbered` has where their number is."""
    members: dict[tuple[Level, str], dict[str, None]] = {}
    for name, at in numbered.items():
        run = members.setdefault((rows[name].level, _path(name, at)), {})
        run[_path(name, at + 1)] = None
    return tuple(tuple(run) for run in members.values() if len(run) > 1)


def _index_name(before: str, pattern: Pattern) -> str:
    """A name for the index after a path, such as `block` after `blocks`.

    >>> _index_name("encoder.blocks", parse_pattern("a")), _index_name("", parse_pattern("a"))
    ('block', 'index')
    """
    word = re.sub(r"[^A-Za-z]+$", "", before.rpartition(".")[2])
    word = word.removesuffix("s") if len(word) > 2 else word
    return word if word.isidentifier() and word not in pattern.indices else "index"

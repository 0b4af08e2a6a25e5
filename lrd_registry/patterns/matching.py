"""Many patterns, run together along the segments of many names.

This is a finite automaton, built as far as the names at hand lead: a state is where all
patterns stand after some segments, with what they have captured. In a state where only
closing `**`s are left, the rest of a name makes no difference and is not read. A matcher keeps its
states from one model to the next, also where several threads use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from lrd_registry.patterns.pattern import Captures, Pattern

NOWHERE = 1
"""The state in which no pattern is left."""

MOST_STATES = 10_000
"""How many states a matcher has before it takes too much memory to be kept."""


class Hit(NamedTuple):
    """A pattern, by its place in the list, that matches a name, and the indices it captured."""

    pattern: int
    captures: Captures


class Matcher:
    """Matches names against all of `patterns` at once.

    >>> from lrd_registry.patterns.syntax import parse_pattern
    >>> matcher = Matcher([parse_pattern("blocks.{i}.**"), parse_pattern("**.bias")])
    >>> matcher.match("blocks.7.attn.bias")
    (Hit(pattern=0, captures=(7,)), Hit(pattern=1, captures=()))
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.patterns = tuple(patterns)
        start = [(index, pattern.start) for index, pattern in enumerate(patterns)]
        self._threads = [start, []]
        self._after: list[dict[str, int] | None] = [{}, None]
        self._adding = Lock()

    @property
    def is_full(self) -> bool:
        """Whether it has met so many names that it should be left for a new one."""
        return len(self._threads) > MOST_STATES

    def match(self, name: str) -> tuple[Hit, ...]:
        """What matches `name`, in the order of the patterns."""
        state, _ = self._follow(name)
        return self.hits(state)

    def states(self, names: Iterable[str]) -> list[int]:
        """The state in which each name ends; in one state, the same patterns match alike.

        Names in a model's order share long beginnings: one that begins as the name before it,
        up to where that one had reached a settled state, ends in the same.
        """
        states: list[int] = []
        settled = None
        for name in names:
            if settled is not None and name.startswith(settled):
                states.append(states[-1])
            else:
                state, rest = self._follow(name)
                settled = name[: -len(rest)] if rest else None
                states.append(state)
        return states

    def hits(self, state: int) -> tuple[Hit, ...]:
        """What matches the names that end in a state."""
        patterns = self.patterns
        found = [
            Hit(index, ways[end])
            for index, ways in self._threads[state]
            if (end := patterns[index].end) in ways
        ]
        return tuple(found)

    def _follow(self, name: str) -> tuple[int, str]:
        """The state in which `name` ends, and the part of it that made no difference."""
        state, more, rest = 0, ".", name
        while more and (after := self._after[state]) is not None:
            segment, more, rest = rest.partition(".")
            if segment in after:
                state = after[segment]
            elif (state := self._step(state, segment)) != NOWHERE:
                after[segment] = state  # dead ends are not kept: models have any number of them
        return state, rest

    def _step(self, state: int, segment: str) -> int:
        before, patterns = self._threads[state], self.patterns
        moved = [
            (index, ways)
            for index, threads in before
            if state or patterns[index].first in (None, segment)
            if (ways := patterns[index].advance(threads, segment))
        ]
        if moved == before:
            return state
        if not moved:
            return NOWHERE
        is_open = [index for index, ways in moved if not patterns[index].settled(ways)]
        with self._adding:
            self._threads.append(moved)
            self._after.append({} if is_open else None)
            return len(self._threads) - 1

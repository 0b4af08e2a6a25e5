"""Many patterns, run together over many names.

Names of one model share their beginnings, so they are matched as paths: a name's state is
found from the state of the module that holds the parameter. States are built as they are
reached and kept; below a settled one nothing is left to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lrd_registry.patterns import Captures, Pattern, Threads


class Hit(NamedTuple):
    """A pattern, by its place in the list, that matches a name, and the indices it captured."""

    pattern: int
    captures: Captures


class State:
    """Where all patterns stand after some segments.

    States are compared by identity: names that the same patterns match with the same
    captures, because they lie in one module, end in the same state.
    """

    __slots__ = ("after", "hits", "settled", "threads")

    def __init__(self, threads: dict[int, Threads], patterns: Sequence[Pattern]) -> None:
        self.threads = threads
        self.after: dict[str, State] = {}
        self.hits = tuple(
            Hit(index, ways[len(patterns[index].parts)])
            for index, ways in threads.items()
            if len(patterns[index].parts) in ways
        )
        self.settled = all(
            patterns[index].ends_open and min(ways) >= len(patterns[index].parts) - 1
            for index, ways in threads.items()
        )


class Matcher:
    """Matches names against all of `patterns` at once.

    >>> from lrd_registry.patterns import parse_pattern
    >>> matcher = Matcher([parse_pattern("blocks.{i}.**"), parse_pattern("**.bias")])
    >>> matcher.match("blocks.7.attn.bias")
    (Hit(pattern=0, captures=(7,)), Hit(pattern=1, captures=()))
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.patterns = tuple(patterns)
        start = {index: pattern.start() for index, pattern in enumerate(patterns)}
        self._start = State(start, self.patterns)
        self._modules = {"": self._start}
        self._known = {_identity(start): self._start}

    def match(self, name: str) -> tuple[Hit, ...]:
        """What matches `name`, in the order of the patterns."""
        return self.state(name).hits

    def state(self, name: str) -> State:
        """The state in which `name` ends."""
        module, _, leaf = name.rpartition(".")
        state = self._modules.get(module) or self._descend(module)
        if state.settled:
            return state
        return state.after.get(leaf) or self._step(state, leaf)

    def _descend(self, module: str) -> State:
        state = self._modules[module] = self.state(module)
        return state

    def _step(self, state: State, segment: str) -> State:
        moved = {
            index: ways
            for index, before in state.threads.items()
            if (ways := self.patterns[index].advance(before, segment))
        }
        identity = _identity(moved)
        if identity not in self._known:
            self._known[identity] = State(moved, self.patterns)
        reached = state.after[segment] = self._known[identity]
        return reached


_Identity = tuple[tuple[int, tuple[tuple[int, Captures], ...]], ...]


def _identity(threads: dict[int, Threads]) -> _Identity:
    return tuple((index, tuple(ways.items())) for index, ways in threads.items())

"""A model's names as a layout sees them: as written, and below the backbone's prefix."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from lrd_registry.model_names.parameterless import is_silent
from lrd_registry.model_names.reading import INPUT
from lrd_registry.model_names.wrappers import class_names, drops_parts, find_module, is_bare

if TYPE_CHECKING:
    from torch import nn


class End(NamedTuple):
    """The end of a model that a parameter joins of which no pattern speaks, and what it is."""

    layer: Literal[0, -1]
    what: str


@dataclass(frozen=True, eq=False)
class Names:
    """The names of a model's parameters, and what each is compared as.

    Attributes:
        order: each parameter's first name, in the model's order.
        aliases: first name -> the parameter's other names, for tied parameters.
        written: name as the model spells it -> as its author wrote it.
        one_module: names of one parameter of one module that is in the model under several paths
            -> the first of them. Other aliases are of modules that share a tensor.
        adapters: the names of adapters, written as what they adapt -> what that may be.
        removed: the paths of modules that have been set to None, as written.
        module: what the names are of; None where only the names are known.
        is_as_written: whether the model spells all its names as its author wrote them.
        is_guess: whether nothing but a fit would tell that they were written so.
        prefix: where the backbone is; names are compared below it.
        joins_head: whether names beside the prefix join the head; otherwise they are nowhere.
    """

    order: Sequence[str]
    aliases: Mapping[str, tuple[str, ...]]
    written: Mapping[str, str]
    adapters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    one_module: Mapping[str, str] = field(default_factory=dict)
    module: nn.Module | None = field(default=None, repr=False)
    is_as_written: bool = False
    is_guess: bool = False
    prefix: str = ""
    joins_head: bool = False

    @cached_property
    def compared(self) -> Mapping[str, str]:
        """The names that patterns are for, and how they look to them."""
        start = f"{self.prefix}." if self.prefix else ""
        if not start and not self._has_input:
            return self.written
        return {
            name: written[len(start) :]
            for name, written in self.written.items()
            if written.startswith(start) and written != INPUT
        }

    @cached_property
    def _has_input(self) -> bool:
        return not self.is_as_written and INPUT in self.written.values()

    @cached_property
    def ends(self) -> Mapping[str, End]:
        """The names that patterns are not for, and which end of the model they join."""
        found: dict[str, End] = {}
        if not self.joins_head and not self._has_input:
            return found
        for name, written in self.written.items():
            if written == INPUT:
                found[name] = End(0, "tokens before the input")
            elif self.joins_head and name not in self.compared and not self._is_inside(name):
                found[name] = End(-1, f"outside {self.prefix}")
        return found

    def _is_inside(self, name: str) -> bool:
        """Whether the same module is inside the prefix by another of its paths."""
        return self.one_module.get(name) in self._inside

    @cached_property
    def _inside(self) -> set[str]:
        return {first for name, first in self.one_module.items() if name in self.compared}

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """The names beside the prefix that are nowhere."""
        if not self.prefix:
            return ()
        beside = (n for n in self.written if n not in self.compared and n not in self.ends)
        return tuple(name for name in beside if not self._is_inside(name))

    @cached_property
    def known(self) -> Collection[str]:
        """What patterns are compared with, to look a name up."""
        if self.is_as_written and self.compared is self.written:
            return self.written
        return dict.fromkeys(self.compared.values())

    @cached_property
    def first_segments(self) -> set[str]:
        """With what the names begin that patterns are for."""
        found: list[str] = []
        beginning = ""
        for name in self.known:
            if not found or not name.startswith(beginning):  # neighbours mostly share theirs
                found.append(name.partition(".")[0])
                beginning = f"{found[-1]}."
        return set(found)

    @property
    def are_alone(self) -> bool:
        """Whether there are no modules to ask, but those that hold the names."""
        return self.module is None or is_bare(type(self.module))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The full names of the model's class and its bases, nearest first; of bare names, none."""
        module = None if self.module is None else find_module(self.module, self.prefix)
        kind: type = type(module)
        return () if module is None else class_names(kind)

    @cached_property
    def drops_parts(self) -> bool:
        """Whether a wrapper has left out what it does not need of the model."""
        return self.module is not None and drops_parts(self.module, self.prefix)

    def is_silent(self, path: str) -> bool:
        """Whether at a path below the prefix there is a module that has no parameters."""
        return self.module is not None and is_silent(self.module, self.full(path))

    def relative(self, path: str) -> str | None:
        """A path from the model's top, below the prefix; None, if it is not there."""
        start = f"{self.prefix}." if self.prefix else ""
        return path[len(start) :] if path.startswith(start) else None

    def full(self, path: str) -> str:
        """A path below the prefix, as its author wrote it from the model's top."""
        return ".".join(filter(None, (self.prefix, path)))

    def below(self, prefix: str) -> Collection[str]:
        """What is compared below a prefix (`""`: at the top), to look a name up."""
        start = f"{prefix}."
        if not prefix:
            return self.known
        return {name[len(start) :]: None for name in self.known if name.startswith(start)}

    def under(self, prefix: str, *, joins_head: bool = False) -> Names:
        """The same names, with the backbone under a prefix."""
        return replace(self, prefix=prefix, joins_head=joins_head)

"""The registry: rule sets by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lrd_registry.errors import RegistrationError, RuleFileError, UnknownArchitectureError
from lrd_registry.registry.heads import Registered, read_heads, read_whole
from lrd_registry.wording import did_you_mean, nearest_words

if TYPE_CHECKING:
    from lrd_registry.rule_files.schema import RuleSet


class Registry:
    """Rule sets by name: those in directories of rule files, and those registered by hand.

    A file at fault is known by its name, as the others, and fails only who asks for it.

    Args:
        installed: tells which directories of rule files do not change; asked once, at first use.
        directories: tells where more rule files lie; asked anew at each use.
    """

    def __init__(
        self,
        installed: Callable[[], Iterable[Path]] = tuple,
        directories: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self._installed = installed
        self._directories = directories
        self.registered: dict[str, Registered] = {}
        self.replaced: set[str] = set()

    def register(self, rule_set: RuleSet, source: str, *, replace: bool = False) -> None:
        """Add a rule set under the name that it gives itself.

        Raises:
            RegistrationError: the name is taken, and `replace` is not set.
        """
        if not replace and (taken := self.catalog().by_name.get(rule_set.arch)):
            raise _twice(rule_set.arch, taken.source, source)
        self.replaced.add(rule_set.arch)
        self.registered[rule_set.arch] = Registered(
            rule_set.arch, rule_set.summary, tuple(rule_set.layouts), source, lambda: rule_set
        )

    def catalog(self) -> Catalog:
        """What there is at this moment: the directories are listed once, at its first use."""
        return Catalog(self)

    def heads(self) -> Iterator[Registered]:
        """The rule files of all directories."""
        return chain(self._installed_heads, *map(read_whole, self._directories()))

    @cached_property
    def _installed_heads(self) -> tuple[Registered, ...]:
        return tuple(chain.from_iterable(map(read_heads, self._installed())))


class Catalog:
    """The rule sets that a registry has at one moment.

    Args:
        registry: the registry.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def entries(self) -> list[Registered]:
        """All rule sets, by name, and the files at fault."""
        return sorted([*self.by_name.values(), *self._faulty], key=lambda entry: entry.arch)

    def names(self) -> list[str]:
        """The names of all rule sets, sorted."""
        return sorted(self.by_name)

    def rule_sets(self) -> list[RuleSet]:
        """All rule sets, by name, but for those whose files are at fault."""
        return [rules for _, entry in sorted(self.by_name.items()) if (rules := _loaded(entry))]

    def faulty_files(self) -> list[str]:
        """The files that `rule_sets` leaves out."""
        unread = (entry for entry in self.by_name.values() if _loaded(entry) is None)
        return sorted(entry.source for entry in (*unread, *self._faulty))

    def get(self, name: str) -> RuleSet:
        """The rule set of this name.

        Raises:
            UnknownArchitectureError: there is none; the message names the nearest.
            RuleFileError: its file is at fault.
        """
        entries = {entry.arch: entry for entry in self._faulty} | self.by_name
        if name not in entries:
            raise UnknownArchitectureError(
                f"no rule set is called {name!r}{did_you_mean(name, entries, quote='{!r}')}\n"
                f"Known: {', '.join(sorted(entries)) or 'none'}. A rule file of your own is given "
                "by its path, such as ./my.yaml",
                nearest=nearest_words(name, entries),
            )
        return entries[name].load()

    @cached_property
    def by_name(self) -> dict[str, Registered]:
        """The rule sets by name, those registered by hand in place of files of their name."""
        found: dict[str, Registered] = {}
        for entry in self._heads:
            if entry.problems:
                continue
            if entry.arch in found and entry.arch not in self._registry.replaced:
                raise _twice(entry.arch, found[entry.arch].source, entry.source)
            found[entry.arch] = entry
        return found | self._registry.registered

    @property
    def _faulty(self) -> list[Registered]:
        return [entry for entry in self._heads if entry.problems]

    @cached_property
    def _heads(self) -> list[Registered]:
        return list(self._registry.heads())


def _loaded(entry: Registered) -> RuleSet | None:
    try:
        return entry.load()
    except RuleFileError:
        return None


def _twice(arch: str, first: str, second: str) -> RegistrationError:
    return RegistrationError(
        f"two rule sets are called {arch!r}: one from {first}, one from {second}; rename one, "
        "or register yours with replace=True"
    )

"""The registry: rule sets by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lrd_registry.errors import RegistrationError, RuleFileError, UnknownArchitectureError
from lrd_registry.registry.headers import (
    Registered,
    RuleFile,
    all_classes,
    list_files,
    one_name_of_each_layout,
    read_heads,
    read_whole,
)
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
        self._registered: dict[str, Registered] = {}
        self._catalog: Catalog | None = None

    def register(self, rule_set: RuleSet, source: str, *, replace: bool = False) -> None:
        """Add a rule set under the name that it gives itself; the same once more is no error.

        Raises:
            RegistrationError: the name is taken by another, and `replace` is not set.
        """
        if not replace and (taken := self.catalog().by_name.get(rule_set.arch)):
            if taken.source == source and taken.load() == rule_set:
                return
            raise _twice(rule_set.arch, taken.source, source)
        data = rule_set.to_dict()
        self._registered[rule_set.arch] = Registered(
            rule_set.arch,
            rule_set.summary,
            tuple(rule_set.layouts),
            source,
            lambda: rule_set,
            kind=rule_set.kind or "",
            signed_by=one_name_of_each_layout(data),
            classes=all_classes(data),
        )
        self._catalog = None

    def catalog(self) -> Catalog:
        """What there is at this moment; the same object until a file or a directory changes."""
        files = tuple(chain.from_iterable(map(list_files, self._directories())))
        if self._catalog is None or self._catalog.files != files:
            self._catalog = Catalog(self._installed_heads, files, dict(self._registered))
        return self._catalog

    @cached_property
    def _installed_heads(self) -> tuple[Registered, ...]:
        files = map(list_files, self._installed())
        return tuple(chain.from_iterable(map(read_heads, files)))


class Catalog:
    """The rule sets that a registry has at one moment.

    Args:
        installed: the heads of the rule files that do not change.
        files: the rule files that may; they are validated when it matters.
        registered: the rule sets registered by hand, in place of files of their name.
    """

    def __init__(
        self,
        installed: Iterable[Registered],
        files: tuple[RuleFile, ...],
        registered: dict[str, Registered],
    ) -> None:
        self._installed = tuple(installed)
        self.files = files
        self._registered = registered

    def entries(self) -> list[Registered]:
        """All rule sets, by name, and the files at fault."""
        return sorted([*self.by_name.values(), *self._faulty], key=lambda entry: entry.arch)

    def names(self) -> list[str]:
        """The names of all rule sets, sorted."""
        return sorted(self.by_name)

    @cached_property
    def rule_sets(self) -> tuple[RuleSet, ...]:
        """All rule sets, by name, but for those whose files are at fault."""
        return _load_all(entry for _, entry in sorted(self.by_name.items()))

    def rule_sets_for(self, names: Collection[str]) -> tuple[RuleSet, ...]:
        """Those of the rule sets that may fit a model of these names, as far as signatures tell."""
        signed = self._by_signature.keys() & names
        found = {entry for name in signed for entry in self._by_signature[name]}
        return self._load(frozenset(found | self._unsigned))

    def known_class(self, classes: Iterable[str]) -> str | None:
        """The first of some classes that a layout is for."""
        return next((name for name in classes if name in self._by_class), None)

    def rule_sets_of(self, kind: str) -> tuple[RuleSet, ...]:
        """The rule sets of which a layout is for this class."""
        return self._load(frozenset(self._by_class[kind]))

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
        if name in self._by_head:
            return self._by_head[name].load()
        entries = {entry.arch: entry for entry in self._faulty} | self.by_name
        if name not in entries:
            raise UnknownArchitectureError(
                f"no rule set is called {name!r}{did_you_mean(name, entries, quote='{!r}')}\n"
                f"Known: {', '.join(sorted(entries)) or 'none'}. A rule file of your own is given "
                "by its path, such as ./my.yaml",
                nearest=nearest_words(name, entries),
            )
        return entries[name].load()

    def find(self, name: str) -> RuleSet | None:
        """The rule set of this name; None where there is none, or its file is at fault."""
        try:
            return self.get(name)
        except (UnknownArchitectureError, RuleFileError):
            return None

    @cached_property
    def by_name(self) -> dict[str, Registered]:
        """The rule sets by name, those registered by hand in place of files of their name."""
        found: dict[str, Registered] = {}
        for entry in self._heads:
            if entry.problems:
                continue
            if entry.arch in found and entry.arch not in self._registered:
                raise _twice(entry.arch, found[entry.arch].source, entry.source)
            found[entry.arch] = entry
        return found | self._registered

    @cached_property
    def _by_head(self) -> dict[str, Registered]:
        """The same, without validating any file, unless two have one name."""
        heads = [e for e in (*self._installed, *read_heads(self.files)) if not e.problems]
        found = {entry.arch: entry for entry in heads}
        return found | self._registered if len(found) == len(heads) else self.by_name

    @cached_property
    def _by_signature(self) -> dict[str, list[Registered]]:
        found: dict[str, list[Registered]] = {}
        for entry in self._by_head.values():
            for name in entry.signed_by or ():
                found.setdefault(name, []).append(entry)
        return found

    @cached_property
    def _by_class(self) -> dict[str, list[Registered]]:
        found: dict[str, list[Registered]] = {}
        for entry in self._by_head.values():
            for name in dict.fromkeys(entry.classes):
                found.setdefault(name, []).append(entry)
        return found

    @cached_property
    def _unsigned(self) -> set[Registered]:
        return {entry for entry in self._by_head.values() if entry.signed_by is None}

    @cached_property
    def _load(self) -> Callable[[frozenset[Registered]], tuple[RuleSet, ...]]:
        """Loads entries, by name; models of one kind ask for the same."""
        return lru_cache(maxsize=64)(
            lambda entries: _load_all(sorted(entries, key=lambda entry: entry.arch))
        )

    @property
    def _faulty(self) -> list[Registered]:
        return [entry for entry in self._heads if entry.problems]

    @cached_property
    def _heads(self) -> tuple[Registered, ...]:
        return (*self._installed, *read_whole(self.files))


def _load_all(entries: Iterable[Registered]) -> tuple[RuleSet, ...]:
    """The rule sets of entries, but for those whose files are at fault."""
    return tuple(rules for entry in entries if (rules := _loaded(entry)))


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

"""Names → rule sets: bundled, from installed packages, in the user's directories, or registered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import Problem, RegistrationError, RuleFileError, UnknownArchitectureError
from lrd_registry.heads import Registered, read_heads
from lrd_registry.installed import package_directories
from lrd_registry.wording import did_you_mean, nearest_words

if TYPE_CHECKING:
    from lrd_registry.schema import RuleSet

RULES_PATH = "LRD_RULES_PATH"
"""The environment variable with directories of rule files, separated as in `PATH`."""


class Registry:
    """Rule sets by name: those in directories of rule files, and those registered by hand.

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
        self._replaced: set[str] = set()

    def register(self, rule_set: RuleSet, source: str, *, replace: bool = False) -> None:
        """Add a rule set under the name that it gives itself.

        Raises:
            RegistrationError: the name is taken, and `replace` is not set.
        """
        if not replace and (taken := self._all().get(rule_set.arch)):
            raise _twice(rule_set.arch, taken.source, source)
        self._replaced.add(rule_set.arch)
        self._registered[rule_set.arch] = Registered(
            rule_set.arch, rule_set.summary, tuple(rule_set.layouts), source, lambda: rule_set
        )

    def entries(self) -> list[Registered]:
        """All rule sets, by name."""
        return [entry for _, entry in sorted(self._all().items())]

    def names(self) -> list[str]:
        """The names of all rule sets, sorted."""
        return sorted(self._all())

    def get(self, name: str) -> RuleSet:
        """The rule set of this name.

        Raises:
            UnknownArchitectureError: there is none; the message names the nearest.
            RuleFileError: its file is at fault.
        """
        entries = self._all()
        if name not in entries:
            raise UnknownArchitectureError(
                f"no rule set is called {name!r}{did_you_mean(name, entries, quote='{!r}')}\n"
                f"Known: {', '.join(sorted(entries)) or 'none'}. A rule file of your own is given "
                "by its path, such as ./my.yaml",
                nearest=nearest_words(name, entries),
            )
        return entries[name].load()

    def _all(self) -> dict[str, Registered]:
        found: dict[str, Registered] = {}
        for entry in chain(self._installed_heads, *map(read_heads, self._directories())):
            if entry.arch in found and entry.arch not in self._replaced:
                raise _twice(entry.arch, found[entry.arch].source, entry.source)
            found[entry.arch] = entry
        return found | self._registered

    @cached_property
    def _installed_heads(self) -> tuple[Registered, ...]:
        return tuple(chain.from_iterable(map(read_heads, self._installed())))


def _twice(arch: str, first: str, second: str) -> RegistrationError:
    return RegistrationError(
        f"two rule sets are called {arch!r}: one from {first}, one from {second}; rename one, "
        "or register yours with replace=True"
    )


def bundled_rules() -> Path:
    """The directory of the bundled rule files: in the installed package, or in a checkout."""
    package = Path(__file__).parent
    inside = package / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def installed_directories() -> list[Path]:
    """The directory of the bundled rule files, and those of installed packages.

    Raises:
        RegistrationError: an installed package is at fault.
    """
    return [bundled_rules(), *package_directories()]


def named_directories() -> list[Path]:
    """The directories that the environment variable names.

    Raises:
        RuleFileError: one of them is not there.
    """
    named = [Path(part) for part in os.environ.get(RULES_PATH, "").split(os.pathsep) if part]
    missing = [path for path in named if not path.is_dir()]
    if missing:
        message = f"no such directory; {RULES_PATH} names it"
        raise RuleFileError([Problem(str(path), None, None, message) for path in missing])
    return named


default_registry = Registry(installed_directories, named_directories)
"""The registry behind `arch="…"`; the only global of this package."""


def get_rule_set(name: str) -> RuleSet:
    """The registered rule set of this name.

    Raises:
        UnknownArchitectureError: there is none; the message names the nearest.

    >>> get_rule_set("swin").summary
    'Swin Transformer, V1 and V2'
    """
    return default_registry.get(name)


def list_architectures() -> list[str]:
    """The names of all registered rule sets, sorted.

    >>> list_architectures()
    ['convnext', 'swin', 'vit']
    """
    return default_registry.names()


def register_rules(
    source: str | Path | RuleSet | Mapping[str, Any], *, replace: bool = False
) -> RuleSet:
    """Register a rule set: a rule file's path, a `RuleSet`, or the same as plain data.

    From then on `arch="NAME"` and `arch="auto"` know it, in this process.

    Raises:
        RuleFileError: the file, or the data, is at fault.
        RegistrationError: its name is taken, and `replace` is not set.

    >>> register_rules({"arch": "two-layers", "layers": [{"stem": "a.**"}, {"head": "b.**"}]}).arch
    'two-layers'
    """
    from lrd_registry.loading import load_rule_set, rule_set_from_mapping
    from lrd_registry.schema import RuleSet

    if isinstance(source, RuleSet):
        rule_set, where = source, "a RuleSet"
    elif isinstance(source, Mapping):
        rule_set, where = rule_set_from_mapping(source), "a mapping"
    else:
        rule_set, where = load_rule_set(source), str(source)
    default_registry.register(rule_set, where, replace=replace)
    return rule_set

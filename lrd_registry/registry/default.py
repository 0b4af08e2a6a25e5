"""The default registry: what is bundled, what packages and users bring, what is registered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import Problem, RuleFileError
from lrd_registry.registry.packages import package_directories
from lrd_registry.registry.registry import Catalog, Registry

if TYPE_CHECKING:
    from lrd_registry.rule_files.schema import RuleSet

RULES_PATH = "LRD_RULES_PATH"
"""The environment variable with directories of rule files, separated as in `PATH`."""


def bundled_rules() -> Path:
    """The directory of the bundled rule files: in the installed package, or in a checkout."""
    package = Path(__file__).parent.parent
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


def default_catalog() -> Catalog:
    """What the default registry knows now.

    Raises:
        LrdError: as `Registry.catalog` raises.
    """
    return default_registry.catalog()


def get_rule_set(name: str) -> RuleSet:
    """The registered rule set of this name.

    Raises:
        UnknownArchitectureError: there is none; the message names the nearest.

    >>> get_rule_set("swin").summary
    'Swin Transformer, V1 and V2'
    """
    return default_catalog().get(name)


def list_architectures() -> list[str]:
    """The names of all registered rule sets, sorted.

    >>> list_architectures()[:3]
    ['albert', 'alexnet', 'ast']
    """
    return default_catalog().names()


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
    from lrd_registry.rule_files.load import load_rule_set, rule_set_from_mapping
    from lrd_registry.rule_files.schema import RuleSet

    if isinstance(source, RuleSet):
        rule_set, where = source, "a RuleSet"
    elif isinstance(source, Mapping):
        rule_set, where = rule_set_from_mapping(source), "a mapping"
    else:
        rule_set, where = load_rule_set(source), str(source)
    default_registry.register(rule_set, where, replace=replace)
    return rule_set

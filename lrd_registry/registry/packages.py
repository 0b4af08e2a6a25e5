"""Rule files that installed packages bring; they are found without importing the packages.

A package names a folder of its own, as a dotted path, by an entry point of the group
`lrd_registry.rules`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lrd_registry.errors import RegistrationError
from lrd_registry.registry.headers import list_files

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "lrd_registry.rules"
"""The group of the entry points that name folders of rule files."""


def package_directories() -> list[Path]:
    """The folders of rule files that installed packages name, each once.

    Raises:
        RegistrationError: a package or its folder is not there, or no rule file is in it.
    """
    from importlib.metadata import entry_points  # here, because it takes a while to import

    found = [folder for point in entry_points(group=GROUP) for folder in _folders(point)]
    return list(dict.fromkeys(found))


def _folders(point: EntryPoint) -> list[Path]:
    """The folder that an entry point names; several where it is in several parts of a namespace."""
    package, *path = point.value.split(".")
    places = [Path(location, *path) for location in _locations(package)]
    if not places:
        raise _fault(point, f"no package {package!r} is installed")
    folders = [place for place in places if place.is_dir()]
    if not folders:
        raise _fault(point, f"there is no folder {' or '.join(map(str, places))}")
    if not any(map(list_files, folders)):
        raise _fault(point, f"no rule file (*.yaml) is in {' or '.join(map(str, folders))}")
    return folders


def _locations(package: str) -> list[str]:
    """Where a top-level package lies; nowhere, if it is not there or has no files to lie beside."""
    try:
        spec = find_spec(package)
    except ValueError:  # the name is empty, or a module without a file stands in for the package
        return []
    return list(spec.submodule_search_locations or ()) if spec else []


def _fault(point: EntryPoint, found: str) -> RegistrationError:
    assert point.dist is not None, "entry_points() reads them from distributions"
    name = point.dist.name
    return RegistrationError(
        f"{name} {point.dist.version} brings no rule files: its entry point `{point.name} = "
        f'"{point.value}"` (group {GROUP}) names a folder of them in an installed package, but '
        f"{found}; reinstall {name}, or uninstall it"
    )

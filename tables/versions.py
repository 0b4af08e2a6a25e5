"""Which libraries, in which versions, the figures of a table are of."""

from __future__ import annotations

import re
from importlib.metadata import version

DISTRIBUTIONS = {
    "timm": "timm",
    "torch": "torch",
    "torchvision": "torchvision",
    "transformers": "transformers",
    "open_clip": "open_clip_torch",
}
"""What the tables call a library -> what it is installed as."""

NAMED = re.compile(rf"\b({'|'.join(DISTRIBUTIONS)}) (\d+(?:\.\d+)+)")


def library_version(library: str) -> str:
    """A library by name, with its version."""
    return f"{library} {installed(library)}"


def installed(library: str) -> str:
    """The version of a library that is installed, without what it was built for."""
    return version(DISTRIBUTIONS[library]).partition("+")[0]


def named_versions(text: str) -> dict[str, str]:
    """The libraries that a text names with their versions.

    >>> named_versions("| timm 1.0.3 | `vit` |")
    {'timm': '1.0.3'}
    """
    return dict(NAMED.findall(text))


def moved_libraries(text: str) -> dict[str, str]:
    """The libraries that are not installed in the version that a text names, with what happened."""
    return {
        library: f"{library} moved from {then} to {installed(library)}: make tables"
        for library, then in named_versions(text).items()
        if installed(library) != then
    }

"""The libraries that models come from, imported when one is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from lrd_registry.errors import ModelError
from lrd_registry.models.on_meta import describe_error


def import_library(library: str, wanted: str) -> Any:
    """Import a library that `wanted` needs, and that an extra of the same name brings.

    Raises:
        ModelError: it is not installed, or does not work.
    """
    if importlib.util.find_spec(library) is None:
        raise ModelError(
            f"{wanted!r} needs {library}, which is not installed: "
            f"pip install 'lrd-registry[{library}]'"
        )
    return import_module(library)


def import_module(name: str) -> Any:
    """Import a module.

    Raises:
        ModelError: there is no such module, or it fails.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ModelError(f"cannot import {name!r}: {describe_error(error)}") from error

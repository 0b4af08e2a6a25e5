"""`package.module:callable`: whatever it gives when called without arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import ModelError
from lrd_registry.models.importing import import_module
from lrd_registry.models.on_meta import build_on_meta
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def callable_model(module_name: str, path: str) -> nn.Module:
    """Call `path` of a module, which may also lie in the working directory.

    Raises:
        ModelError: there is no such module or callable, or it gives no model.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")
    target: Any = import_module(module_name)
    for part in path.split("."):
        if not hasattr(target, part):
            hint = did_you_mean(part, dir(target), quote="{!r}")
            raise ModelError(f"{module_name!r} has no {path!r}{hint}")
        target = getattr(target, part)
    if not callable(target):
        raise ModelError(f"{module_name}:{path} is a {type(target).__name__}, not a callable")
    return build_on_meta(target, f"{module_name}:{path}")

"""Modules without parameters, which leave holes in the numbers of a list: activations, pooling."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from lrd_registry.model_names.wrappers import class_names, find_module

if TYPE_CHECKING:
    from torch import nn

PLACEHOLDERS = {
    "torch.nn.modules.linear.Identity",
    "torch.nn.modules.container.Sequential",
    "torch.nn.modules.container.ModuleList",
    "torch.nn.modules.container.ModuleDict",
    "torch.nn.modules.module.Module",
}
"""What stands where a block has been taken out, as in a part of a model."""


def is_silent(model: nn.Module, path: str) -> bool:
    """Whether the module at a path, as its author wrote it, has no parameters by its nature.

    What stands in the place of a block that was taken out is no such module: `nn.Identity`, or a
    container, with nothing in it. Nor is one with buffers, into which a quantised block's
    parameters may have gone.

    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Identity(), nn.Linear(2, 2))
    >>> [is_silent(model, path) for path in "01234"]
    [False, True, False, False, False]
    """
    module = find_module(model, path)
    if module is None or any(True for _ in chain(module.parameters(), module.buffers())):
        return False
    kind: type = type(module)
    return class_names(kind)[0] not in PLACEHOLDERS

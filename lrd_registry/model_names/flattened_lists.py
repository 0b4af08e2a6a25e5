"""Lists of modules that timm's wrappers for features take apart: `stages.0` becomes `stages_0`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

FIRST_LISTS = ("stem", "patch_embed")
"""What a model of timm's begins with; of its other lists, the wrapper keeps a record."""

SEQUENTIAL = ("torch.nn.modules.container", "Sequential")


def children_as_written(module: nn.Module) -> dict[str, str]:
    """The name of each child of a wrapper -> the same in the model whose features it gives.

    Where a list is left among the children under a name of its own, none has been taken apart.

    Source: `_module_list` in timm (`timm/models/_features.py`).
    """
    children = module._modules
    if any(_is_a_list(child) for name, child in children.items() if "_" not in name):
        return {name: name for name in children}
    lists = _known_lists(module)
    return {name: unflattened(name, lists) for name in children}


def _is_a_list(module: nn.Module | None) -> bool:
    kinds = type(module).__mro__
    return any((k.__module__, k.__name__) == SEQUENTIAL for k in kinds)


def _known_lists(module: nn.Module) -> list[str]:
    """The lists of which a feature is taken, and the first, where at least two were in it."""
    names: list[str] = module.feature_info.module_name()  # type: ignore[operator, union-attr]
    lists = {name.partition(".")[0] for name in names if "." in name}
    counts = Counter(
        first for first in FIRST_LISTS for name in module._modules if name.startswith(f"{first}_")
    )
    return [*lists, *(first for first, count in counts.items() if count > 1)]


def unflattened(name: str, lists: Collection[str] = ()) -> str:
    """`stages.0` for `stages_0`.

    Args:
        name: the child's.
        lists: those that are known to have been taken apart; of others, the items are numbers.

    >>> unflattened("stages_0"), unflattened("patch_embed"), unflattened("body_conv1", {"body"})
    ('stages.0', 'patch_embed', 'body.conv1')
    """
    for known in lists:
        if name.startswith(f"{known}_"):
            return f"{known}.{name.removeprefix(f'{known}_')}"
    path, _, number = name.rpartition("_")
    return f"{path}.{number}" if path and number.isdecimal() else name

"""Modules that are in a model under several paths: a siamese net, a shortcut to inner blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def names_of_one_module(model: nn.Module, aliases: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Of the names of parameters, those that lead to one module -> the first of these.

    Args:
        model: the module that they are names in.
        aliases: first name of a parameter -> its others. Some are of the same module under
            another path, some of another module that shares the tensor.

    >>> from torch import nn
    >>> inner = nn.Linear(2, 2, bias=False)
    >>> model = nn.ModuleDict({"left": inner, "right": inner, "other": nn.Linear(2, 2, bias=False)})
    >>> model["other"].weight = inner.weight
    >>> names_of_one_module(model, {"left.weight": ["right.weight", "other.weight"]})
    {'left.weight': 'left.weight', 'right.weight': 'left.weight'}
    """
    found: dict[str, str] = {}
    for first, others in aliases.items():
        by_module: dict[tuple[int, str], list[str]] = {}
        for name in (first, *others):
            path, _, own = name.rpartition(".")
            by_module.setdefault((_identity(model, path), own), []).append(name)
        for names in by_module.values():
            found |= dict.fromkeys(names, names[0]) if len(names) > 1 else {}
    return found


def _identity(model: nn.Module, path: str) -> int:
    """Which module is at a path; where names skip a wrapper there is none, and no other is it."""
    module: nn.Module | None = model
    for key in path.split(".") if path else ():
        module = module._modules.get(key) if module is not None else None
    return id(path) if module is None else id(module)


def shortest_paths(names: Iterable[str], one_module: Mapping[str, str]) -> dict[str, str]:
    """Each name -> the one with the fewest segments that leads to the same module.

    >>> one = {"loss.model.w": "loss.model.w", "model.w": "loss.model.w"}
    >>> shortest_paths(["loss.model.w", "model.w", "loss.a"], one)
    {'loss.model.w': 'model.w', 'model.w': 'model.w', 'loss.a': 'loss.a'}
    """
    groups: dict[str, list[str]] = {}
    for name, first in one_module.items():
        groups.setdefault(first, []).append(name)
    shortest = {first: min(group, key=lambda n: n.count(".")) for first, group in groups.items()}
    return {name: shortest.get(one_module.get(name, ""), name) for name in names}

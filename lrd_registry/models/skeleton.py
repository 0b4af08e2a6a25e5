"""A model's skeleton: bare modules that hold parameters under their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from lrd_registry.errors import ModelError
from lrd_registry.wording import clip

if TYPE_CHECKING:
    from torch import nn

MAX_DEPTH = 100
"""Modules within modules; torch walks them by recursion, which a file must not exhaust."""


def build_skeleton(parameters: Mapping[str, nn.Parameter], source: str) -> nn.Module:
    """A tree of plain modules whose parameters have these names.

    Args:
        parameters: by name, with a dot between module and parameter.
        source: where the names come from, for messages.

    Raises:
        ModelError: a name that no parameter can have, or that is also a module's.

    >>> import torch
    >>> weight = torch.nn.Parameter(torch.empty(2, 3, device="meta"))
    >>> build_skeleton({"head.fc.weight": weight}, "a test").head.fc.weight.shape
    torch.Size([2, 3])
    """
    from torch import nn

    names = list(parameters)
    _check_depth(names, source)
    _check_modules(names, source)
    root = nn.Module()
    for name, parameter in parameters.items():
        _register(root, name, parameter, source)
    return root


def _check_depth(names: Sequence[str], source: str) -> None:
    for name in names:
        if (depth := name.count(".")) > MAX_DEPTH:
            raise ModelError(
                f"{source}: {clip(name)!r} lies in {depth} modules; at most {MAX_DEPTH} are allowed"
            )


def _check_modules(names: Sequence[str], source: str) -> None:
    """Refuse a parameter that is also a module."""
    held: dict[str, str] = {}
    for name in names:
        *path, _ = name.split(".")
        held.update(dict.fromkeys(accumulate(path, "{}.{}".format), name))
    for name in names:
        if name in held:
            raise ModelError(
                f"{source}: {name!r} is a parameter, and also the module that holds "
                f"{held[name]!r}; it can be only one of them"
            )


def _register(root: nn.Module, name: str, parameter: nn.Parameter, source: str) -> None:
    *path, leaf = name.split(".")
    try:
        _module_at(root, path).register_parameter(leaf, parameter)
    except KeyError as error:
        reason = f"cannot be a parameter's name: {error.args[0]}"
        raise ModelError(f"{source}: {name!r} {reason}") from None


def _module_at(root: nn.Module, path: Sequence[str]) -> nn.Module:
    from torch import nn

    module = root
    for part in path:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module.get_submodule(part)
    return module


def has_shapes(parameters: Iterable[nn.Parameter]) -> bool:
    """Whether the shape of every parameter is known.

    >>> from torch.nn import LazyLinear, Linear
    >>> has_shapes(Linear(2, 2).parameters()), has_shapes(LazyLinear(2).parameters())
    (True, False)
    """
    from torch.nn.parameter import UninitializedParameter

    return not any(isinstance(parameter, UninitializedParameter) for parameter in parameters)

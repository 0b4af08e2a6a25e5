"""A model's parameters, each once, with all the names it goes by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from lrd_registry.errors import InvalidArgumentError, ModelError

if TYPE_CHECKING:
    from torch import nn

    Model: TypeAlias = nn.Module | Iterable[tuple[str, nn.Parameter]]
    """A module, or its `(name, parameter)` pairs, such as `model.named_parameters()`."""


@dataclass(frozen=True)
class Parameters:
    """Parameters by name, in the model's order.

    Attributes:
        by_name: each parameter once, under the first of its names.
        aliases: first name -> the parameter's other names, for tied parameters.
    """

    by_name: dict[str, nn.Parameter]
    aliases: dict[str, tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """All names: the first ones in the model's order, then the others."""
        others = [name for names in self.aliases.values() for name in names]
        return [*self.by_name, *others]


def collect_parameters(model: Model) -> Parameters:
    """Collect the parameters of a module, or of `(name, parameter)` pairs.

    Raises:
        ModelError: there are none.
        InvalidArgumentError: a name stands for two parameters, or `model` is something else.
    """
    pairs = _pairs(model)
    by_name = dict(pairs)
    if not by_name:
        raise ModelError("the model has no parameters, so there are no layers to assign")
    if len({id(parameter) for _, parameter in pairs}) == len(pairs) == len(by_name):
        return Parameters(by_name, {})
    return _merge_names(pairs)


def _merge_names(pairs: list[tuple[str, nn.Parameter]]) -> Parameters:
    """The same for a model with tied parameters: names that stand for one tensor, together."""
    owners: dict[str, nn.Parameter] = {}
    names: dict[int, list[str]] = {}
    for name, parameter in pairs:
        if owners.setdefault(name, parameter) is not parameter:
            raise InvalidArgumentError(f"two parameters are called {name!r}; give each its own")
        shared = names.setdefault(id(parameter), [])
        if name not in shared:
            shared.append(name)
    return Parameters(
        by_name={first: owners[first] for first, *_ in names.values()},
        aliases={first: tuple(others) for first, *others in names.values() if others},
    )


def _pairs(model: Model) -> list[tuple[str, nn.Parameter]]:
    pairs: list[tuple[str, nn.Parameter]] = []
    if is_module(model):
        _walk(model, "", pairs)
    elif isinstance(model, Iterable):
        pairs += map(_checked, model)
    else:
        raise InvalidArgumentError(
            "expected a torch.nn.Module or its (name, parameter) pairs, found "
            f"{type(model).__name__}"
        )
    return pairs


def is_module(model: object) -> TypeGuard[nn.Module]:
    """Whether this is a module; told by what is read of it, as torch may not be imported yet."""
    return hasattr(model, "_parameters") and hasattr(model, "_modules")


def _checked(item: Any) -> tuple[str, nn.Parameter]:
    match item:
        case (str() as name, parameter) if hasattr(parameter, "requires_grad"):
            return name, parameter
    raise InvalidArgumentError(
        "expected (name, parameter) pairs, such as model.named_parameters(), found an item of "
        f"type {type(item).__name__}"
    )


def _walk(module: nn.Module, prefix: str, pairs: list[tuple[str, nn.Parameter]]) -> None:
    """What `named_parameters(remove_duplicate=False)` yields, in its order.

    That method passes every parameter through a generator for each level of nesting, which
    takes three times as long as this walk.
    """
    if parameters := module._parameters:
        for name, parameter in parameters.items():
            if parameter is not None:
                pairs.append((prefix + name, parameter))
    if children := module._modules:
        for name, child in children.items():
            if child is not None:
                _walk(child, f"{prefix}{name}.", pairs)

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
    by_name = _by_name(model)
    if not by_name:
        raise ModelError("the model has no parameters, so there are no layers to assign")
    if len(set(map(id, by_name.values()))) == len(by_name):
        return Parameters(by_name, {})
    return _merge_names(by_name)


def _merge_names(by_name: dict[str, nn.Parameter]) -> Parameters:
    """The same for a model with tied parameters: names that stand for one tensor, together."""
    names: dict[int, list[str]] = {}
    for name, parameter in by_name.items():
        names.setdefault(id(parameter), []).append(name)
    return Parameters(
        by_name={first: by_name[first] for first, *_ in names.values()},
        aliases={first: tuple(others) for first, *others in names.values() if others},
    )


def _by_name(model: Model) -> dict[str, nn.Parameter]:
    by_name: dict[str, nn.Parameter] = {}
    if is_module(model):
        _walk(model, "", by_name)
        return by_name
    if not isinstance(model, Iterable):
        raise InvalidArgumentError(
            "expected a torch.nn.Module or its (name, parameter) pairs, found "
            f"{type(model).__name__}"
        )
    for name, parameter in map(_checked, model):
        if by_name.setdefault(name, parameter) is not parameter:
            raise InvalidArgumentError(f"two parameters are called {name!r}; give each its own")
    return by_name


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


def _walk(module: nn.Module, prefix: str, by_name: dict[str, nn.Parameter]) -> None:
    """Collect what `named_parameters(remove_duplicate=False)` yields, in its order.

    That method passes every parameter through a generator for each level of nesting, which
    takes three times as long as this walk.
    """
    if parameters := module._parameters:
        for name, parameter in parameters.items():
            if parameter is not None:
                by_name[prefix + name] = parameter
    if children := module._modules:
        for name, child in children.items():
            if child is not None:
                _walk(child, f"{prefix}{name}.", by_name)

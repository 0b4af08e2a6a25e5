"""A model's parameters, each once, with all the names it goes by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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
    by_name: dict[str, nn.Parameter] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    first_names: dict[int, str] = {}
    for name, parameter in _pairs(model):
        first = first_names.setdefault(id(parameter), name)
        if name in by_name and by_name[name] is not parameter:
            raise InvalidArgumentError(f"two parameters are called {name!r}; give each its own")
        if first is name:
            by_name[name] = parameter
        elif first != name:
            aliases[first] = (*aliases.get(first, ()), name)
    if not by_name:
        raise ModelError("the model has no parameters, so there are no layers to assign")
    return Parameters(by_name, aliases)


def _pairs(model: Model) -> Iterable[tuple[str, nn.Parameter]]:
    if hasattr(model, "named_parameters"):
        pairs: list[tuple[str, nn.Parameter]] = []
        _walk(model, "", pairs)
        return pairs
    if isinstance(model, Iterable):
        return _checked(model)
    raise InvalidArgumentError(
        f"expected a torch.nn.Module or its (name, parameter) pairs, found {type(model).__name__}"
    )


def _checked(items: Iterable[object]) -> Iterable[tuple[str, nn.Parameter]]:
    for item in items:
        match item:
            case (str() as name, parameter) if hasattr(parameter, "requires_grad"):
                yield name, parameter
            case _:
                raise InvalidArgumentError(
                    "expected (name, parameter) pairs, such as model.named_parameters(), found "
                    f"an item of type {type(item).__name__}"
                )


def _walk(module: nn.Module, prefix: str, pairs: list[tuple[str, nn.Parameter]]) -> None:
    """What `named_parameters(remove_duplicate=False)` yields, in its order.

    That method passes every parameter through a generator for each level of nesting, which
    takes three times as long as this walk.
    """
    for name, parameter in module._parameters.items():
        if parameter is not None:
            pairs.append((prefix + name, parameter))
    for name, child in module._modules.items():
        if child is not None:
            _walk(child, f"{prefix}{name}.", pairs)

"""A model's parameters, each once, with all the names it goes by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from lrd_registry.errors import InvalidArgumentError, ModelError
from lrd_registry.model_names.compared import Names
from lrd_registry.model_names.from_modules import read_module
from lrd_registry.model_names.from_names_only import readings_of_names
from lrd_registry.model_names.fsdp import check_not_flattened, dimensions_before
from lrd_registry.model_names.module_aliases import names_of_one_module
from lrd_registry.model_names.reading import Reading
from lrd_registry.model_names.wrappers import changes_names, is_bare

if TYPE_CHECKING:
    from torch import nn

    Model: TypeAlias = nn.Module | Iterable[tuple[str, nn.Parameter]]
    """A module, or its `(name, parameter)` pairs, such as `model.named_parameters()`."""

Named: TypeAlias = "dict[str, nn.Parameter]"


@dataclass(frozen=True)
class Parameters:
    """Parameters by name, in the model's order.

    Attributes:
        by_name: each parameter once, under the first of its names.
        readings: the names as their author wrote them; several where names alone leave it open,
            the most literal first.
        dimensions: of parameters that are flat shards, how many dimensions they had before.
    """

    by_name: Named
    readings: tuple[Names, ...]
    dimensions: Mapping[str, int]


def collect_parameters(model: Model) -> Parameters:
    """Collect the parameters of a module, or of `(name, parameter)` pairs.

    Raises:
        ModelError: there are none, or many of them have been flattened into one.
        InvalidArgumentError: a name stands for two parameters, or `model` is something else.
    """
    if is_module(model):
        by_name, readings, dimensions = _from_module(model)
    else:
        by_name = _from_pairs(model)
        readings, dimensions = readings_of_names(list(by_name)), {}
    if not by_name:
        raise ModelError("the model has no parameters, so there are no layers to assign")
    check_not_flattened(by_name)
    firsts, aliases = _tied(by_name)
    module = model if is_module(model) else None
    one_module = names_of_one_module(module, aliases) if module is not None and aliases else {}
    names = partial(Names, list(firsts), aliases, module=module, one_module=one_module)
    return Parameters(
        firsts,
        tuple(
            names(
                _complete(by_name, r),
                adapters=r.adapters,
                removed=r.removed,
                is_as_written=not r.written,
                is_guess=r.is_guess,
            )
            for r in readings
        ),
        dimensions,
    )


def _complete(by_name: Named, reading: Reading) -> dict[str, str]:
    """Every name as its author wrote it, in the model's order."""
    written = reading.written
    if not written:
        return dict(zip(by_name, by_name, strict=True))
    return {name: written.get(name, name) for name in by_name}


def _from_module(model: nn.Module) -> tuple[Named, list[Reading], dict[str, int]]:
    by_name: Named = {}
    kinds: set[type] = set()
    removed: list[str] = []
    _walk(model, "", by_name, kinds, removed)
    if not any(map(changes_names, kinds)):
        plain = [Reading(removed=tuple(removed))]
        return by_name, readings_of_names(list(by_name)) if is_bare(type(model)) else plain, {}
    spelled = _as_spelled(model, by_name)
    reading = read_module(model)
    by_name = {spelled[name]: parameter for name, parameter in by_name.items()}
    reading = Reading(
        {spelled[name]: written for name, written in reading.written.items()},
        {spelled[name]: adapted for name, adapted in reading.adapters.items()},
        reading.removed,
    )
    return by_name, [reading], dimensions_before(model, by_name)


def _as_spelled(model: nn.Module, by_name: Named) -> dict[str, str]:
    """The names by the model's own method, which is another one in the checkpoint wrapper."""
    spelled = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    return dict(zip(by_name, spelled, strict=True))


def _from_pairs(model: Any) -> Named:
    if not isinstance(model, Iterable):
        raise InvalidArgumentError(
            "expected a torch.nn.Module or its (name, parameter) pairs, found "
            f"{type(model).__name__}"
        )
    by_name: Named = {}
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


def _walk(
    module: nn.Module, prefix: str, by_name: Named, kinds: set[type], removed: list[str]
) -> None:
    """Collect what `named_parameters(remove_duplicate=False)` yields, in its order.

    That method passes every parameter through a generator for each level of nesting, which
    takes three times as long as this walk.
    """
    kinds.add(type(module))
    for name, parameter in module._parameters.items():
        if parameter is not None:
            by_name[prefix + name] = parameter
    for name, child in module._modules.items():
        if child is None:
            removed.append(prefix + name)
        elif child._modules:
            _walk(child, f"{prefix}{name}.", by_name, kinds, removed)
        else:  # most modules, which need no call of their own; what holds none wraps none
            for own, parameter in child._parameters.items():
                if parameter is not None:
                    by_name[f"{prefix}{name}.{own}"] = parameter


def _tied(by_name: Named) -> tuple[Named, dict[str, tuple[str, ...]]]:
    """Each parameter under its first name, and the other names of those that have several."""
    if len(set(map(id, by_name.values()))) == len(by_name):
        return by_name, {}
    names: dict[int, list[str]] = {}
    for name, parameter in by_name.items():
        names.setdefault(id(parameter), []).append(name)
    firsts = {first: by_name[first] for first, *_ in names.values()}
    return firsts, {first: tuple(others) for first, *others in names.values() if others}

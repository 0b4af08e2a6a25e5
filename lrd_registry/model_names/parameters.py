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
from lrd_registry.model_names.fsdp import check_not_flattened, dimensions_before, is_fsdp
from lrd_registry.model_names.module_aliases import names_of_one_module
from lrd_registry.model_names.reading import Reading
from lrd_registry.model_names.walk import Walk
from lrd_registry.model_names.wrappers import changes_names, is_bare, respells, wrapped_whole

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
    path, inner = wrapped_whole(model)
    walk = Walk().through(inner, path)
    by_name = walk.by_name
    if any(map(changes_names, walk.kinds)):
        return _inside_wrappers(model, walk)
    if path:
        return by_name, [_below(path, walk)], {}
    if is_bare(type(model)):
        return by_name, readings_of_names(list(by_name)), {}
    return by_name, [Reading(removed=tuple(walk.removed))], {}


def _below(path: str, walk: Walk) -> Reading:
    """The names without the path of the one module that the model wraps."""
    written = {name: name.removeprefix(path) for name in walk.by_name}
    return Reading(written, removed=tuple(name.removeprefix(path) for name in walk.removed))


def _inside_wrappers(model: nn.Module, walk: Walk) -> tuple[Named, list[Reading], dict[str, int]]:
    by_name, reading = walk.by_name, read_module(model)
    if any(map(respells, walk.kinds)):
        by_name, reading = _as_spelled(model, by_name, reading)
    is_sharded = any(map(is_fsdp, walk.kinds))
    return by_name, [reading], dimensions_before(model, by_name) if is_sharded else {}


def _as_spelled(model: nn.Module, by_name: Named, reading: Reading) -> tuple[Named, Reading]:
    """The same by the names of the model's own method, such as the checkpoint wrapper's."""
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    spelled = dict(zip(by_name, names, strict=True))
    return {spelled[name]: parameter for name, parameter in by_name.items()}, Reading(
        {spelled[name]: written for name, written in reading.written.items()},
        {spelled[name]: adapted for name, adapted in reading.adapters.items()},
        reading.removed,
    )


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


def _tied(by_name: Named) -> tuple[Named, dict[str, tuple[str, ...]]]:
    """Each parameter under its first name, and the other names of those that have several."""
    if len(set(map(id, by_name.values()))) == len(by_name):
        return by_name, {}
    names: dict[int, list[str]] = {}
    for name, parameter in by_name.items():
        names.setdefault(id(parameter), []).append(name)
    firsts = {first: by_name[first] for first, *_ in names.values()}
    return firsts, {first: tuple(others) for first, *others in names.values() if others}

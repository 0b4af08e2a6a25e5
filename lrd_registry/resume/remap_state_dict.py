"""An optimizer's saved state, handed on by parameter name instead of by position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import InvalidArgumentError, ResumeError
from lrd_registry.groups.conventions import CONVENTIONS
from lrd_registry.resume.check_resume import Arrangement, Group, Groups, arrange, saved_groups
from lrd_registry.resume.schedule_progress import BASE, resumed_rates

if TYPE_CHECKING:
    from torch.optim import Optimizer

LABELS = {"params", "layer", "name", "assignment", "part"}

RATES = {BASE, "weight_decay"}.union(
    *((row.scale, row.decays, *row.peak, row.floor, row.last_layer) for row in CONVENTIONS.values())
)


def remap_state_dict(state_dict: Mapping[str, Any], optimizer: Optimizer) -> dict[str, Any]:
    """A state dict for `optimizer.load_state_dict` in which each parameter has its own state.

    State goes from name to name. A parameter without saved state keeps what the optimizer has for
    it, mostly nothing: its state starts afresh. The state of parameters that are gone is dropped.
    Hyperparameters are the optimizer's. What the saved groups have besides, such as the `step` of
    timm's Lamb, is kept, but for the learning-rate keys of another convention.

    Where the saved groups have `initial_lr`, because a scheduler of torch's or timm's was at work,
    the schedule goes on: a group's `initial_lr` is its own base, and its `lr` is where the saved
    schedule has brought that base. Without `initial_lr` (also under ReduceLROnPlateau, which
    leaves none), a group's `lr` is its own.

    Where a trainer loads, a hook can remap:
    `optimizer.register_load_state_dict_pre_hook(lambda new, state: remap_state_dict(state, new))`.

    Args:
        state_dict: an optimizer's `state_dict()`, its groups with `param_names`; not changed.
        optimizer: the one that will load the result, made from `build_param_groups`; its
            scheduler, if there is one, is best made before.

    Returns:
        A new state dict, which holds the very tensors of the saved one.

    Raises:
        ResumeError: names are missing, or none is on both sides; a state has another shape than
            its parameter; or the saved groups disagree on what a new group must take from them.
        InvalidArgumentError: one of the arguments is something else.

    >>> import torch
    >>> a, b = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    >>> old = torch.optim.SGD([{"params": [a, b], "param_names": ["a", "b"]}], momentum=0.9)
    >>> (3 * a + 5 * b).backward()
    >>> old.step()
    >>> new = torch.optim.SGD([{"params": [b], "param_names": ["b"]}], momentum=0.9)
    >>> remap_state_dict(old.state_dict(), new)["state"]
    {0: {'momentum_buffer': tensor([5.])}}
    """
    if not hasattr(optimizer, "param_groups"):
        raise InvalidArgumentError(
            "expected the optimizer that will load the state, as groups alone lack its "
            f"hyperparameters; found {type(optimizer).__name__}"
        )
    saved = arrange(saved_groups(state_dict), "the saved state")
    new = arrange(optimizer.param_groups, "the optimizer")
    _check_common(saved, new)
    return {
        **state_dict,
        "state": _states(state_dict, saved, new, optimizer),
        "param_groups": [
            _resumed(group, positions, saved, state_dict["param_groups"])
            for group, positions in zip(optimizer.param_groups, _runs(new.sizes), strict=True)
        ],
    }


def _check_common(saved: Arrangement, new: Arrangement) -> None:
    if not saved.homes.keys() & new.homes.keys():
        raise ResumeError(
            f"no parameter has the same name in the saved state (such as {next(iter(saved.homes))})"
            f" and in the optimizer (such as {next(iter(new.homes))}); if one of the models was "
            "wrapped (module., _orig_mod.), rename the parameters in the saved 'param_names'"
        )


def _states(
    state_dict: Mapping[str, Any], saved: Arrangement, new: Arrangement, optimizer: Optimizer
) -> dict[Any, Any]:
    """State by new position, and whatever the optimizer keeps beside that of its parameters."""
    groups, old = state_dict["param_groups"], state_dict["state"]
    ids = dict(zip(saved.homes, chain.from_iterable(g["params"] for g in groups), strict=True))
    known = set(ids.values())
    states = {key: state for key, state in old.items() if key not in known}
    parameters = chain.from_iterable(group["params"] for group in optimizer.param_groups)
    for position, (name, parameter) in enumerate(zip(new.homes, parameters, strict=True)):
        state = old.get(ids.get(name)) or optimizer.state.get(parameter)
        if state:
            _check_shape(name, ids.get(name), state, tuple(parameter.shape))
            states[position] = state
    return states


def _check_shape(name: str, key: int | None, state: Group, shape: tuple[int, ...]) -> None:
    """Compare with the tensors of as many dimensions; factored ones span the shape together."""
    shapes = [tuple(value.shape) for value in state.values() if hasattr(value, "shape")]
    shapes = [found for found in shapes if len(found) == len(shape)]
    spanned = tuple(map(max, zip(*shapes, strict=True)))
    if shapes and shape not in shapes and spanned != shape:
        raise ResumeError(
            f"the saved state of {name!r} has the shape {spanned}, the parameter {shape}: it is "
            "another parameter of that name. To start it afresh, take out its state: "
            f"del state_dict['state'][{key}]"
        )


def _runs(sizes: Sequence[int]) -> Iterator[list[int]]:
    """The positions of each group's parameters."""
    start = 0
    for size in sizes:
        yield list(range(start, start + size))
        start += size


def _resumed(
    group: Group, positions: list[int], saved: Arrangement, saved_groups: Groups
) -> dict[str, Any]:
    """A group of the new state dict: the optimizer's own, plus what its parameters bring."""
    homes = [saved.homes[name] for name in group["param_names"] if name in saved.homes]
    members = list({id(home): home for home in homes}.values())
    own = {key: value for key, value in group.items() if key != "params"}
    resumed = _brought(own, members) | own | resumed_rates(own, members, saved_groups)
    # A copy, so that no two groups share a tensor that an optimizer counts its steps in.
    return deepcopy(resumed) | {"params": positions}


def _brought(own: Group, members: Groups) -> dict[str, Any]:
    """What the saved groups have and the new one lacks."""
    brought: dict[str, Any] = {}
    for key, value in chain.from_iterable(member.items() for member in members):
        if key in own or key in LABELS or key in RATES:
            continue
        if brought.setdefault(key, value) != value:
            raise ResumeError(
                f"group {own.get('name', '')!r} takes its parameters from saved groups that "
                f"disagree on {key!r} ({brought[key]} and {value}), of which it can have one; take "
                "it out of the saved groups to start it afresh"
            )
    return brought

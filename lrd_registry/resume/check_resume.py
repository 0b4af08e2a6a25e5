"""Whether an optimizer's saved state fits its parameters as they are arranged now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lrd_registry.errors import InvalidArgumentError, ResumeError

if TYPE_CHECKING:
    from torch.optim import Optimizer

Group: TypeAlias = Mapping[str, Any]
Groups: TypeAlias = Sequence[Group]

SHOWN = 20


@dataclass(frozen=True)
class Arrangement:
    """Parameters as `load_state_dict` takes them: one after the other, group by group.

    Attributes:
        homes: parameter name -> its group, in order of position.
        sizes: how many parameters each group has.
        assignments: the fingerprints that the groups carry.
    """

    homes: Mapping[str, Group]
    sizes: tuple[int, ...]
    assignments: tuple[str, ...]

    @property
    def positions(self) -> dict[str, int]:
        """The position of each parameter, which is all that `load_state_dict` goes by."""
        return {name: position for position, name in enumerate(self.homes)}


def check_resume(state_dict: Mapping[str, Any], groups: Groups | Optimizer) -> None:
    """Check that `optimizer.load_state_dict(state_dict)` gives each parameter its own state.

    torch hands the saved state to the optimizer's parameters by position; this compares their
    names. It does not compare learning rates or weight decay: `load_state_dict` puts the saved
    ones in place of the new, and the saved names too, so check before loading.

    Args:
        state_dict: an optimizer's `state_dict()`, its groups with `param_names`.
        groups: the new groups, or the optimizer made of them.

    Raises:
        ResumeError: a parameter moved, appeared or vanished, the groups have other sizes, or the
            layers are others; or names are missing, so that nothing can be compared.
        InvalidArgumentError: `state_dict` is something else.

    >>> import torch
    >>> a, b = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    >>> saved = torch.optim.SGD([{"params": [a, b], "param_names": ["a", "b"]}]).state_dict()
    >>> check_resume(saved, [{"params": [a, b], "param_names": ["a", "b"]}])
    >>> try:
    ...     check_resume(saved, [{"params": [b], "param_names": ["b"]}])
    ... except ResumeError as error:
    ...     print(error.moved, error.appeared, error.vanished)
    ('b',) () ('a',)
    """
    saved = arrange(saved_groups(state_dict), "the saved state")
    new = arrange(_new_groups(groups), "the new groups")
    before, now = saved.positions, new.positions
    moved = [name for name in now if before.get(name, now[name]) != now[name]]
    appeared = [name for name in now if name not in before]
    vanished = [name for name in before if name not in now]
    assignments = _other_assignments(saved, new)
    lines = [
        *_section(
            "moved, and would get the state of another",
            [f"{name}  (from position {before[name]} to {now[name]})" for name in moved],
        ),
        *_section("appeared, with no state saved for them", appeared),
        *_section("vanished, with nowhere for their state to go", vanished),
        *(() if moved or appeared or vanished else _resized(saved, new)),
        *_relayered(assignments),
    ]
    if lines:
        raise ResumeError(
            "load_state_dict goes by position, and these groups are not arranged as the saved "
            "ones:\n"
            + "\n".join(lines)
            + "\nLoad remap_state_dict(state_dict, optimizer) instead, which goes by name.",
            moved=moved,
            appeared=appeared,
            vanished=vanished,
            assignments=assignments,
        )


def saved_groups(state_dict: Mapping[str, Any]) -> Groups:
    """The groups of an optimizer's state dict.

    Raises:
        InvalidArgumentError: it is something else, such as a whole checkpoint.
    """
    keys = list(state_dict) if isinstance(state_dict, Mapping) else []
    if "state" in keys and "param_groups" in keys:
        groups: Groups = state_dict["param_groups"]
        return groups
    found = f"the keys {', '.join(map(repr, keys))}" if keys else type(state_dict).__name__
    raise InvalidArgumentError(
        f"expected an optimizer's state_dict(), with 'state' and 'param_groups'; found {found}"
    )


def _new_groups(groups: Any) -> Groups:
    found: Groups = getattr(groups, "param_groups", groups)
    return found


def arrange(groups: Groups, whose: str) -> Arrangement:
    """Read the arrangement of some groups.

    Raises:
        ResumeError: a parameter has no name, or two have the same.
    """
    homes: dict[str, Group] = {}
    for number, group in enumerate(groups):
        names = group.get("param_names", ())
        if len(names) != len(group["params"]):
            raise _unnamed(f"group {number} of {whose}", len(group["params"]), len(names))
        for name in names:
            if name in homes:
                raise ResumeError(
                    f"two parameters of {whose} are called {name!r}, so no name tells whose state "
                    "is whose; where one optimizer trains two models, give the names of each "
                    "a prefix of its own"
                )
            homes[name] = group
    return Arrangement(
        homes,
        sizes=tuple(len(group["params"]) for group in groups),
        assignments=tuple(sorted({g["assignment"] for g in groups if "assignment" in g})),
    )


def _unnamed(where: str, parameters: int, names: int) -> ResumeError:
    return ResumeError(
        f"{where} has {parameters} parameters and {names} names in 'param_names', so nothing "
        "tells whose state is whose. The groups of build_param_groups have the names, and an "
        "optimizer keeps them in its state_dict(). To add them to a state saved without, build "
        "the optimizer as it was when it was saved, and copy each group's 'param_names' over"
    )


def _other_assignments(saved: Arrangement, new: Arrangement) -> tuple[tuple[str, ...], ...]:
    """The fingerprints on both sides; none where they agree, or where one side has none."""
    sides = (saved.assignments, new.assignments)
    return () if sides[0] == sides[1] or () in sides else sides


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"  {title}:"
        yield from (f"    {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"    … and {len(lines) - SHOWN} more"


def _resized(saved: Arrangement, new: Arrangement) -> Iterator[str]:
    """Groups that part the same sequence at other places, which `load_state_dict` refuses."""
    for number, (before, now) in enumerate(zip(saved.sizes, new.sizes, strict=False)):
        if before != now:
            yield f"  parted at other places: group {number} had {before} parameters, now {now}"
            return
    if len(saved.sizes) != len(new.sizes):
        yield f"  parted at other places: groups then {len(saved.sizes)}, now {len(new.sizes)}"


def _relayered(assignments: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    if assignments:
        saved, new = (", ".join(f"{digest[:12]}…" for digest in side) for side in assignments)
        yield (
            f"  in other layers: the saved groups carry the assignment {saved}, these {new}; "
            "names, layers or their number changed (a fingerprint cannot say which), and scales "
            "with them"
        )

"""The groups of a live optimizer, and the names of what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.groups.conventions import CONVENTIONS

SCALE_KEYS: Mapping[str, str] = {
    row.scale: name for name, row in CONVENTIONS.items() if row.scale is not None
}
"""The key that carries a scale -> the convention that has it so."""


@dataclass(frozen=True)
class LiveGroup:
    """A group as the optimizer has it now.

    Attributes:
        index: its place in the optimizer.
        name: what `build_param_groups` called it, where that is still there.
        names: those of its parameters; None for what cannot be named.
        lr: its learning rate.
        scale_keys: the keys that carry a scale.
        assignment: the fingerprint of the assignment that it was made from.
        is_scheduled: a scheduler was built on the optimizer.
    """

    index: int
    name: str | None
    names: tuple[str | None, ...]
    lr: float
    scale_keys: tuple[str, ...]
    assignment: str | None
    is_scheduled: bool

    def __str__(self) -> str:
        return f"group {self.index}" + (f" {self.name!r}" if self.name else "")


def read_groups(optimizer: Any, by_name: Mapping[str, Any] | None = None) -> list[LiveGroup]:
    """The groups of an optimizer, or of what wraps one.

    Args:
        optimizer: whatever has `param_groups`.
        by_name: the model's parameters. Those of the optimizer are named by them where any is
            the same tensor, and else by `param_names`.

    Raises:
        InvalidArgumentError: it has no `param_groups`.
    """
    if not hasattr(optimizer, "param_groups"):
        raise InvalidArgumentError(
            "expected an optimizer, or what wraps one and has its param_groups; found "
            f"{type(optimizer).__name__}"
        )
    groups = optimizer.param_groups
    names = _names(groups, by_name or {})
    return [_live(index, *pair) for index, pair in enumerate(zip(groups, names, strict=True))]


def _live(index: int, group: Mapping[str, Any], names: Iterable[str | None]) -> LiveGroup:
    if "lr" not in group:
        raise InvalidArgumentError(
            f"group {index} of the optimizer has no lr, as after loading a state that was saved "
            "for other groups; see check_resume"
        )
    return LiveGroup(
        index=index,
        name=group.get("name"),
        names=tuple(names),
        lr=float(group["lr"]),
        scale_keys=tuple(key for key in SCALE_KEYS if key in group),
        assignment=group.get("assignment"),
        is_scheduled="initial_lr" in group,
    )


def _names(
    groups: Iterable[Mapping[str, Any]], by_name: Mapping[str, Any]
) -> list[Iterable[str | None]]:
    """Names by identity: `param_names` may be of tensors that the model no longer has.

    Where the optimizer has none of the model's tensors, but flat ones or copies of its own
    (ZeRO), `param_names` is what there is; not where the model's were replaced when it was sharded.
    """
    name_of = {id(parameter): name for name, parameter in by_name.items()}
    found = [[name_of.get(id(parameter)) for parameter in group["params"]] for group in groups]
    is_sharded = any(type(parameter).__name__ == "DTensor" for parameter in by_name.values())
    if is_sharded or any(name is not None for names in found for name in names):
        return [*found]
    return [group.get("param_names") or names for group, names in zip(groups, found, strict=True)]

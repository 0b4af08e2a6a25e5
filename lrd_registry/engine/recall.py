"""What `place` gave for the last models of the same names, so that it need not place them again."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from lrd_registry.assignment import Assignment, KnownBy
from lrd_registry.engine.compile_layout import Plan
from lrd_registry.engine.place import place
from lrd_registry.engine.problems import Coverage
from lrd_registry.model_names.compared import Names


class _Spelled(NamedTuple):
    """All that `Names` has but the module that they are of."""

    names: tuple[str, ...]
    written: tuple[str, ...]
    order: tuple[str, ...]
    aliases: tuple[tuple[str, tuple[str, ...]], ...]
    adapters: tuple[tuple[str, tuple[str, ...]], ...]
    one_module: tuple[tuple[str, str], ...]
    removed: tuple[str, ...]
    prefix: str
    joins_head: bool


def recall(plan: Plan, names: Names, known_by: KnownBy) -> Assignment | Coverage:
    """What `place` gives; an assignment that asks nothing of the module is kept for the next."""
    return _place_alone(plan, _spelled(names), known_by) or place(plan, names, known_by)


@lru_cache(maxsize=16)
def _place_alone(plan: Plan, spelled: _Spelled, known_by: KnownBy) -> Assignment | None:
    """The assignment of names without their module; None where the module may excuse a fault."""
    found = place(plan, _names(spelled), known_by)
    return found if isinstance(found, Assignment) else None


def _spelled(names: Names) -> _Spelled:
    spelled = tuple(names.written)
    return _Spelled(
        spelled,
        spelled if names.is_as_written else tuple(names.written.values()),
        tuple(names.order) if names.aliases else spelled,
        tuple(names.aliases.items()),
        tuple(names.adapters.items()),
        tuple(names.one_module.items()),
        names.removed,
        names.prefix,
        names.joins_head,
    )


def _names(spelled: _Spelled) -> Names:
    return Names(
        spelled.order,
        dict(spelled.aliases),
        dict(zip(spelled.names, spelled.written, strict=True)),
        dict(spelled.adapters),
        spelled.removed,
        dict(spelled.one_module),
        is_as_written=spelled.written is spelled.names,
        prefix=spelled.prefix,
        joins_head=spelled.joins_head,
    )

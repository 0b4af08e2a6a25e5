"""The assignment of a whole model, applied by name to a part of it, or to the same in wrappers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lrd_registry.assignment import Assignment, Placement
from lrd_registry.engine.problems import SHOWN, more
from lrd_registry.errors import CoverageError
from lrd_registry.model_names.compared import Names
from lrd_registry.model_names.reading import INPUT


def apply_whole(whole: Assignment, readings: Sequence[Names]) -> Assignment:
    """The assignment of a model for the parameters of a part of it, compared as written.

    Raises:
        CoverageError: there are parameters that the whole does not have.
    """
    known = by_written_name(whole)
    names = best_reading(known, readings)
    if unknown := [name for name in names.order if names.written[name] not in known]:
        listed = "\n".join([*(f"    {name}" for name in unknown[:SHOWN]), *more(unknown)])
        count = "1 parameter is" if len(unknown) == 1 else f"{len(unknown)} parameters are"
        raise CoverageError(
            f"{count} not in this assignment (made with {whole.arch!r}); "
            f"make it from the whole model, with the same names:\n{listed}",
            unmatched=unknown,
        )
    return replace(
        whole,
        placements={name: known[names.written[name]] for name in names.order},
        written=names.written,
        adapters=names.adapters,
        aliases=names.aliases,
        whole=whole.fingerprint(),
    )


def by_written_name(whole: Assignment) -> dict[str, Placement]:
    """The placement of each name as its author wrote it, and of tokens before the input."""
    part, layers = next(iter(whole.parts.items()))
    known = {INPUT: Placement(0, layers[0], "tokens before the input", part)}
    for name, placement in whole.placements.items():
        for spelled in (name, *whole.aliases.get(name, ())):
            known[whole.written[spelled]] = placement
    return known


def best_reading(known: dict[str, Placement], readings: Sequence[Names]) -> Names:
    """The reading of which the most names are known; of equal ones, the most literal."""
    return max(readings, key=lambda names: sum(w in known for w in names.written.values()))

"""Which of several rule sets, and which of their layouts, fits a model."""

from __future__ import annotations

from collections.abc import Sequence

from lrd_registry.assign.misfits import explain_misfit
from lrd_registry.assignment import Assignment
from lrd_registry.engine.try_layouts import place_where_signed
from lrd_registry.errors import AmbiguousArchitectureError
from lrd_registry.model_names.compared import Names
from lrd_registry.registry.registry import Catalog
from lrd_registry.rule_files.schema import RuleSet


def fit(
    rule_sets: Sequence[RuleSet] | None,
    readings: Sequence[Names],
    catalog: Catalog,
    *,
    prefix: str = "",
    joins_head: bool = False,
) -> Assignment:
    """The assignment of the one layout that fits.

    Args:
        rule_sets: those that may; None for all that are registered.
        readings: the model's names; the first reading that a layout fits is taken.
        catalog: the registered rule sets, of which others are composed.
        prefix: where the backbone is; `""` is the model's top.
        joins_head: whether parameters beside the prefix join the head.

    Raises:
        CoverageError: none fits; every parameter at fault is named.
        AmbiguousArchitectureError: more than one does.
    """
    for reading in readings:
        names = reading.under(prefix, joins_head=joins_head)
        tried = catalog.rule_sets_for(names.known) if rule_sets is None else rule_sets
        results = place_where_signed(tried, names, catalog.get, likely=rule_sets is None)
        fitting = [result for result in results if isinstance(result, Assignment)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise _ambiguous(fitting)
    below = [reading.under(prefix, joins_head=joins_head) for reading in readings]
    raise explain_misfit(rule_sets, below, catalog)


def _ambiguous(fitting: Sequence[Assignment]) -> AmbiguousArchitectureError:
    candidates = [f"{result.arch}/{result.layout}" for result in fitting]
    return AmbiguousArchitectureError(
        f"{len(fitting)} layouts fit this model: {', '.join(candidates)}\n"
        "Choose with arch=…, or give the layouts signatures that tell them apart.",
        candidates=candidates,
    )

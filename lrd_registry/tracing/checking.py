"""An assignment against a trace: what contradicts the order of use, and what was waived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrd_registry.layers.assignment import Assignment
from lrd_registry.tracing.contradictions import Contradiction, contradictions, smallest_move
from lrd_registry.tracing.uses import Trace

if TYPE_CHECKING:
    from lrd_registry.rule_files.layout import Waiver


@dataclass(frozen=True)
class OrderCheck:
    """What a trace says of the layers of one model.

    Attributes:
        contradictions: pairs of parameters in the wrong order, but for those that are waived.
        move: the smallest set of parameters whose move to other layers would mend them.
        waived: the waivers that are needed here.
        idle: those whose parameters the model has, in the right order.
    """

    contradictions: tuple[Contradiction, ...]
    move: tuple[str, ...]
    waived: tuple[Waiver, ...]
    idle: tuple[Waiver, ...]


def check_order(assignment: Assignment, trace: Trace) -> OrderCheck:
    """Compare the layers of an assignment with the order in which a trace uses the parameters.

    Args:
        assignment: the layers of a model; its rule file's waivers count.
        trace: of the same model, with the same names.
    """
    found = contradictions(assignment, trace)
    involved = {name for pair in found for name in (pair.before, pair.after)}
    covered = {waiver: _covered(waiver, assignment) for waiver in assignment.waivers}
    waived = frozenset().union(*covered.values())
    rest = tuple(pair for pair in found if not {pair.before, pair.after} & waived)
    return OrderCheck(
        contradictions=rest,
        move=smallest_move(rest),
        waived=tuple(waiver for waiver, names in covered.items() if names & involved),
        idle=tuple(waiver for waiver, names in covered.items() if names and not names & involved),
    )


def _covered(waiver: Waiver, assignment: Assignment) -> frozenset[str]:
    """The parameters that a waiver is for."""
    return frozenset(
        name
        for name in assignment
        if any(p.match(assignment.written[name]) is not None for p in waiver.parameters)
    )

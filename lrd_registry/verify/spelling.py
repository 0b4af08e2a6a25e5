"""An assignment with the names that the optimizer has: it may know the model in other wrappers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lrd_registry.assignment import Assignment
from lrd_registry.engine.submodel import best_reading, by_written_name
from lrd_registry.model_names.compared import Names


def spelled_as(assignment: Assignment, readings: Sequence[Names]) -> Assignment:
    """The assignment with the names of `readings` in place of those written alike.

    What is not among them keeps its name, and what the assignment does not know is left out.
    """
    if all(name in assignment.placements for name in readings[0].order):
        return assignment
    known = by_written_name(assignment)
    written = best_reading(known, readings).written
    placements = {
        name: known[as_written] for name, as_written in written.items() if as_written in known
    }
    covered = set(written.values())
    rest = {
        name: placement
        for name, placement in assignment.placements.items()
        if assignment.written[name] not in covered
    }
    return replace(
        assignment,
        placements={**placements, **rest},
        written={**assignment.written, **written},
    )

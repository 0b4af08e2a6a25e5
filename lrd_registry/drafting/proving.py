"""Whether a draft holds: it covers the model, and is in the order of its trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lrd_registry.fitting.trying import place_where_signed
from lrd_registry.layers.assignment import Assignment
from lrd_registry.registry.registry import Registry
from lrd_registry.rule_files.loading import rule_set_from_mapping
from lrd_registry.tracing.contradictions import contradictions, smallest_move

if TYPE_CHECKING:
    from lrd_registry.names.compared import Names
    from lrd_registry.tracing.uses import Trace

MOST = 2
"""So many parameters may be waived; where more are out of order, the draft is wrong."""

REUSED = "used again in later blocks; the layer is that of the block that holds it"


def proven(names: Names, rules: Mapping[str, Any], trace: Trace) -> dict[str, Any] | None:
    """The rules, if they hold; None if they do not.

    A parameter that later blocks use again, such as the position bias that T5 has in its first
    block, is before and after those at once, and gets a waiver.
    """
    find = Registry().catalog().get  # a draft is composed of no other rule set
    (assignment,) = place_where_signed([rule_set_from_mapping(rules)], names, find)
    if not isinstance(assignment, Assignment):
        return None
    found = smallest_move(contradictions(assignment, trace))
    if not found:
        return dict(rules)
    if len(found) > MOST or not all(_is_reused(name, trace) for name in found):
        return None
    return {**rules, "waivers": [_waiver(name, assignment) for name in found]}


def _is_reused(name: str, trace: Trace) -> bool:
    first, last = trace.uses[name]
    return first.step != last.step


def _waiver(name: str, assignment: Assignment) -> dict[str, str]:
    return {"parameters": assignment.written[name], "why": REUSED}

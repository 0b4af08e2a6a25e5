"""The order in which a forward pass uses the parameters, against their layers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from lrd_registry.assignment import Assignment, Waived
from lrd_registry.decay import parts_from
from lrd_registry.errors import InvalidArgumentError
from lrd_registry.tracing.result import Trace


@dataclass(frozen=True)
class Contradiction:
    """Two parameters: `before` comes strictly before `after`, and has a later layer.

    They are of one part, or `after` is in a part that goes on below that of `before`.
    """

    before: str
    after: str
    layer_before: int
    layer_after: int


def contradictions(assignment: Assignment, trace: Trace) -> tuple[Contradiction, ...]:
    """Every two parameters whose layers are against their order, earliest in the pass first.

    Raises:
        InvalidArgumentError: the assignment lacks a parameter of the trace.
    """
    order = trace.order()
    if missing := [name for name in order if name not in assignment]:
        raise InvalidArgumentError(
            f"the assignment and the trace are of different models: {missing[0]!r} is in the "
            "trace alone"
        )
    position = {name: number for number, name in enumerate(order)}
    placed = {name: assignment.placements[name] for name in order}

    def is_later(before: str, after: str) -> bool:
        one, other = placed[before], placed[after]
        if one.part == other.part:
            return one.layer > other.layer
        return one.part in parts_from(other.part, assignment.before)

    def earlier(after: str) -> list[str]:
        found = [
            before
            for before in trace.depends[after]
            if is_later(before, after) and trace.comes_before(before, after)
        ]
        return sorted(found, key=position.__getitem__)

    return tuple(
        Contradiction(before, after, placed[before].layer, placed[after].layer)
        for after in order
        for before in earlier(after)
    )


def smallest_move(contradictions: Iterable[Contradiction]) -> tuple[str, ...]:
    """The smallest set of parameters that takes part in every contradiction.

    Moved to other layers, they mend all; of several smallest sets, one is given, in the order in
    which the contradictions name them.

    "Before, and in a later layer" is an order where every parameter is used once: if a contradicts
    b, and b contradicts c, then a contradicts c. The parameters that can stay are then its
    largest antichain (Dilworth's theorem), found by matching each `before` with an `after`, and
    by König's theorem the cover of that bipartite graph is what must move. Parameters that are
    used several times can break the chain; the set then mends all, and none of it can be left
    out, but there may be a smaller one.
    """
    pairs = [(found.before, found.after) for found in contradictions]
    moved = _cover(pairs)
    against: dict[str, set[str]] = {}
    for before, after in pairs:
        against.setdefault(before, set()).add(after)
        against.setdefault(after, set()).add(before)
    for name in sorted(moved):
        if against[name] <= moved:
            moved.remove(name)
    return tuple(dict.fromkeys(name for pair in pairs for name in pair if name in moved))


def _cover(pairs: list[tuple[str, str]]) -> set[str]:
    """The names with a place in the smallest cover of the graph from befores to afters."""
    behind: dict[str, list[str]] = {}
    for before, after in pairs:
        behind.setdefault(before, []).append(after)
    partner = _matching(behind)
    matched = set(partner.values())
    reached = {before for before in behind if before not in matched}
    afters: set[str] = set()
    waiting = list(reached)
    while waiting:
        new = set(behind[waiting.pop()]) - afters
        afters |= new
        befores = {partner[after] for after in new} - reached
        reached |= befores
        waiting.extend(befores)
    return afters | (set(behind) - reached)


def _matching(behind: dict[str, list[str]]) -> dict[str, str]:
    """A largest matching, as after -> before, grown by one augmenting path after another."""
    partner: dict[str, str] = {}
    after_of: dict[str, str] = {}
    for start in behind:
        free, reached = _free_after(start, behind, partner)
        while free is not None:
            before, after = reached[free], free
            free = after_of.get(before)
            partner[after], after_of[before] = before, after
    return partner


def _free_after(
    start: str, behind: dict[str, list[str]], partner: dict[str, str]
) -> tuple[str | None, dict[str, str]]:
    """The nearest unmatched `after` on an alternating path; and after -> the before ahead of it."""
    reached: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        before = waiting.popleft()
        for after in behind[before]:
            if after not in reached:
                reached[after] = before
                if after not in partner:
                    return after, reached
                waiting.append(partner[after])
    return None, reached


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
    waived: tuple[Waived, ...]
    idle: tuple[Waived, ...]


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


def _covered(waiver: Waived, assignment: Assignment) -> frozenset[str]:
    """The parameters that a waiver is for."""
    return frozenset(
        name
        for name in assignment
        if any(p.match(assignment.written[name]) is not None for p in waiver.parameters)
    )

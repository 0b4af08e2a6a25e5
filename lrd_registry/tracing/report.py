"""A trace and its check, as plain data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lrd_registry.assignment import Assignment
from lrd_registry.tracing.order_check import OrderCheck
from lrd_registry.tracing.result import Trace, Use

Rows = list[dict[str, Any]]
SHOWN = 20


def use_rows(trace: Trace, assignment: Assignment | None) -> Rows:
    """One row per parameter, in the order of first use; then those that are not used."""
    rows = [
        {
            **_place(name, assignment),
            "name": name,
            "first": first.step,
            "last": last.step,
            "operation": first.operation,
            "module": first.module,
        }
        for name in trace.order()
        for first, last in [trace.uses[name]]
    ]
    empty = {"first": "", "last": "", "operation": "unused", "module": ""}
    return rows + [{**_place(n, assignment), "name": n, **empty} for n in trace.unused]


def _place(name: str, assignment: Assignment | None) -> dict[str, Any]:
    if assignment is None:
        return {}
    return {"layer": assignment[name].layer, "entry": assignment[name].entry}


def check_data(check: OrderCheck) -> dict[str, Any]:
    """What a check found, ready for JSON."""
    return {
        "in_order": not check.contradictions,
        "contradictions": [asdict(pair) for pair in check.contradictions],
        "smallest_move": list(check.move),
        "waived": [_waiver_data(waiver) for waiver in check.waived],
        "waivers_not_needed": [_waiver_data(waiver) for waiver in check.idle],
    }


def _waiver_data(waiver: Any) -> dict[str, Any]:
    return {"parameters": list(map(str, waiver.parameters)), "why": waiver.why}


def check_text(check: OrderCheck, assignment: Assignment, trace: Trace) -> str:
    """What a check found, in words."""
    return "\n".join(_check_lines(check, assignment, trace))


def _check_lines(check: OrderCheck, assignment: Assignment, trace: Trace) -> Iterator[str]:
    if check.contradictions:
        yield (
            "the layers contradict the order of use, in pairs of parameters: "
            f"{len(check.contradictions)}; to move these ({len(check.move)}) would mend all:"
        )
        yield from (_say_move(name, check, assignment, trace) for name in check.move[:SHOWN])
        if len(check.move) > SHOWN:
            yield f"  … and {len(check.move) - SHOWN} more"
    else:
        yield "the layers are in the order of use"
    for waiver in check.waived:
        yield f"waived: {', '.join(map(str, waiver.parameters))}: {waiver.why}"
    for waiver in check.idle:
        yield f"a waiver that this model does not need: {', '.join(map(str, waiver.parameters))}"


def _say_move(name: str, check: OrderCheck, assignment: Assignment, trace: Trace) -> str:
    pair = next(p for p in check.contradictions if name in (p.before, p.after))
    other, relation = (pair.after, "before") if pair.before == name else (pair.before, "after")
    first, last = trace.uses[name]
    return (
        f"  {_say_layer(name, assignment)}, used {_say_use(first)}"
        f"{'' if first == last else f' to {_say_use(last)}'}; it comes {relation} "
        f"{_say_layer(other, assignment)}"
    )


def _say_layer(name: str, assignment: Assignment) -> str:
    return f"{name} (layer {assignment[name].layer}, {assignment[name].entry})"


def _say_use(use: Use) -> str:
    return f"at step {use.step} ({use.operation}{f' in {use.module}' if use.module else ''})"

"""An assignment, a rule set and a registry as plain data, and as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from lrd_registry.decay import layer_scale
from lrd_registry.wording import in_layers

if TYPE_CHECKING:
    from lrd_registry.assignment import Assignment, Level
    from lrd_registry.groups.build_param_groups import Group
    from lrd_registry.model_names.parameters import Parameters
    from lrd_registry.registry.headers import Registered
    from lrd_registry.rule_files.entry import Entry
    from lrd_registry.rule_files.layout import Layout
    from lrd_registry.rule_files.schema import RuleSet

Rows = list[dict[str, Any]]


def parameter_rows(
    parameters: Parameters,
    assignment: Assignment,
    groups: Iterable[Group] | None,
    layer_decay: float,
) -> Rows:
    """One row per parameter, in the model's order; a frozen one has no weight decay to show.

    Without groups, as where shapes are unknown, the rows say nothing that needs a shape.
    """
    weight_decay = {name: g["weight_decay"] for g in groups or () for name in g["param_names"]}
    rows: Rows = [
        {
            "layer": row.layer,
            "name": row.name,
            "entry": row.entry,
            "pattern": row.pattern,
            "elements": None if groups is None else parameters.by_name[row.name].numel(),
            "scale": assignment.scale(row.name, layer_decay),
            "weight_decay": weight_decay.get(row.name),
        }
        for row in assignment.values()
    ]
    return _without_shapes(rows) if groups is None else rows


def layer_rows(rows: Rows, assignment: Assignment, layer_decay: float) -> Rows:
    """One row per layer, from those of its parameters; `decayed` counts elements."""
    depths, before = assignment.depths, assignment.before
    layers: dict[Level, dict[str, Any]] = {
        level: {
            "layer": level[1],
            "entry": entry,
            "parameters": 0,
            "elements": 0,
            "scale": layer_scale(level, depths, before, layer_decay),
            "weight_decay": 0.0,
            "decayed": 0,
        }
        for level, entry in assignment.levels.items()
    }
    for row in rows:
        found = layers[assignment[row["name"]].level]
        found["parameters"] += 1
        found["elements"] += row.get("elements", 0)
        if row.get("weight_decay"):
            found["weight_decay"] = row["weight_decay"]
            found["decayed"] += row["elements"]
    every = list(layers.values())
    return every if all("elements" in row for row in rows) else _without_shapes(every)


def _without_shapes(rows: Rows) -> Rows:
    shaped = {"elements", "weight_decay", "decayed"}
    return [{key: row[key] for key in row if key not in shaped} for row in rows]


def depth_data(assignment: Assignment) -> dict[str, Any]:
    """How many layers there are, and in a model of several parts how many each has."""
    parts = {} if "" in assignment.parts else {"parts": assignment.depths}
    before = {"before": dict(assignment.before)} if assignment.before else {}
    return {"num_layers": assignment.num_layers, **parts, **before}


def depth_text(data: Mapping[str, Any]) -> str:
    """The same in words; parts of one layer go without saying."""
    return in_layers(data.get("parts", {"": data["num_layers"]}), data.get("before", {}))


def registry_rows(entries: Iterable[Registered]) -> Rows:
    """One row per rule set, by kind; one whose file is at fault has its problems."""
    return [
        {
            "kind": entry.kind,
            "arch": entry.arch,
            "layouts": list(entry.layouts),
            "summary": entry.summary,
            "source": entry.source,
            "problems": list(map(str, entry.problems)),
        }
        for entry in sorted(entries, key=lambda entry: (not entry.kind, entry.kind))
    ]


def registry_table(rows: Rows, bundled: Path) -> Table:
    """The same as a table: each kind once, and the sources but of what is bundled."""
    kinds = ["", *(row["kind"] for row in rows)]
    cells = [_registry_cells(bundled=bundled, **row) for row in rows]
    return table(
        [
            {"kind": "" if kind == before else kind or "other", **row}
            for kind, before, row in zip(kinds[1:], kinds, cells, strict=False)
        ]
    )


def _registry_cells(
    *, bundled: Path, layouts: list[str], problems: list[str], kind: str, **row: str
) -> dict[str, Any]:
    """What is shown of a rule set beside its kind; a problem in place of the summary."""
    del kind
    if problems:
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        row["summary"] = f"broken at {problems[0].removeprefix(row['source'] + ':')}{more}"
    if Path(row["source"]).parent == bundled:
        row["source"] = ""
    return {"arch": row["arch"], "layouts": len(layouts), **row}


def table(rows: Rows) -> Table:
    """The rows as a table; numbers to the right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0] if rows else ():
        is_number = isinstance(rows[0][column], (int, float))
        drawn.add_column(column.replace("_", " "), justify="right" if is_number else "left")
    for row in rows:
        drawn.add_row(*map(_cell, row.values()))
    return drawn


def rule_set_text(rules: RuleSet) -> str:
    """A rule set for a person to read: what it is, where it is from, and its layers."""
    lines = [f"{rules.arch}: {rules.summary}" if rules.summary else rules.arch]
    lines += ["", "sources"] if rules.sources else []
    lines += [f"  {source.what}\n    {source.where}" for source in rules.sources]
    if rules.tied:
        lines += ["", f"tied tensors are in the {rules.tied} of their layers"]
    if rules.no_weight_decay:
        lines += ["", "no weight decay", *_indented(rules.no_weight_decay)]
    for name, layout in rules.layouts.items():
        lines += ["", f"layout {name}", *_layout_lines(layout)]
    return "\n".join(lines)


def _layout_lines(layout: Layout) -> Iterator[str]:
    if layout.signature:
        yield f"  known by {', '.join(map(str, layout.signature))}"
    if layout.prefix:
        yield f"  at the top, or under {', '.join(layout.prefix)}"
    for name, part in layout.parts.items():
        yield f"  part {name}, {part.where}{f', before {part.before}' if part.before else ''}"
        yield from (f"    as in {rules}" for rules in part.rules)
        yield from _indented(_entries_lines(part.own.entries if part.own else ()))
    yield from _entries_lines(layout.entries)
    for waiver in layout.waivers:
        yield "  not in the order of use, waived"
        yield from _indented(waiver.parameters, by=4)
        yield f"    because {waiver.why}"
    yield from _entries_lines(tuple(layout.outside.items()))


def _entries_lines(entries: Iterable[tuple[str, Entry]]) -> Iterator[str]:
    for name, entry in entries:
        yield f"  {name}{' (optional)' if entry.optional else ''}"
        yield from _entry_lines(entry)


def _entry_lines(entry: Entry) -> list[str]:
    lines = _indented(entry.match, by=4)
    lines += [f"    {pattern} outside the prefix" for pattern in entry.outside]
    if entry.index:
        lines += [f"    numbered by {', '.join(entry.index)}"]
    if entry.index == () and entry.counted:
        lines += [f"    one layer, whatever its {' and '.join(entry.counted)}"]
    if isinstance(entry.every, dict):
        lines += [f"    of {n}, every {m} neighbours share a layer" for n, m in entry.every.items()]
    elif entry.every > 1:
        lines += [f"    every {entry.every} neighbours share a layer"]
    for role in ("first", "last", "previous"):
        lines += [f"    {pattern} joins the {role} layer" for pattern in getattr(entry, role)]
    return lines


def _indented(items: Iterable[object], *, by: int = 2) -> list[str]:
    return [f"{' ' * by}{item}" for item in items]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "frozen" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

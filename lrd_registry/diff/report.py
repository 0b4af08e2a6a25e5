"""A difference between two sides as plain data, and as text and table rows for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lrd_registry.diff.difference import Change, Difference, Side

SHOWN_RUNS = 3


def difference_data(difference: Difference) -> dict[str, Any]:
    """The difference as plain data; layers and scales go with the names, one by one."""
    return {
        "a": _side_data(difference.a),
        "b": _side_data(difference.b),
        "parameters": difference.parameters,
        "changes": [_change_data(change) for change in difference.changes],
    }


def difference_text(difference: Difference) -> str:
    """A line for each side, and one that says how many parameters change."""
    total = difference.parameters
    changed = sum(len(change.moves) for change in difference.changes)
    result = (
        f"{changed} of {total} parameters change layer or scale:"
        if changed
        else f"no difference: {total} parameters in the same layers at the same scales"
    )
    return "\n".join([_headline("A", difference.a), _headline("B", difference.b), result])


def change_rows(changes: Iterable[Change]) -> list[dict[str, str]]:
    """One row per change; a range where its parameters differ, one value where A's is B's."""
    return [
        {
            "pattern": _arrow(*_known(change.a.pattern, change.b.pattern)),
            "entry": _arrow(*_known(change.a.entry, change.b.entry)),
            "parameters": _count(change),
            "layer": _arrow(
                _runs(move.layer_a for move in change.moves),
                _runs(move.layer_b for move in change.moves),
            ),
            "shift": _range([move.shift for move in change.moves], _signed, " to "),
            "scale": _arrow(
                _range([move.scale_a for move in change.moves]),
                _range([move.scale_b for move in change.moves]),
            ),
            "factor": _range([move.factor for move in change.moves]),
        }
        for change in changes
    ]


def _side_data(side: Side) -> dict[str, Any]:
    keys = ("spec", "arch", "layout", "num_layers", "layer_decay")
    return {key: getattr(side, key) for key in keys}


def _change_data(change: Change) -> dict[str, Any]:
    def columns(*keys: str) -> list[list[Any]]:
        return [[getattr(move, key) for move in change.moves] for key in keys]

    (names,) = columns("name")
    return {
        "pattern": _sides(change.a.pattern or None, change.b.pattern or None),
        "entry": _sides(change.a.entry or None, change.b.entry or None),
        "of": change.of,
        "names": names,
        "layers": _sides(*columns("layer_a", "layer_b")),
        "scales": _sides(*columns("scale_a", "scale_b")),
    }


def _sides(a: Any, b: Any) -> dict[str, Any]:
    return {"a": a, "b": b}


def _headline(letter: str, side: Side) -> str:
    return (
        f"{letter} ({side.spec}): {side.arch}, layout {side.layout}, {side.num_layers} layers, "
        f"layer decay {side.layer_decay:g}"
    )


def _count(change: Change) -> str:
    """How many of the pattern's parameters; one by name where a reader must ask which."""
    count = f"{len(change.moves)} of {change.of}"
    return count if len(change.moves) == change.of else f"{count}: {change.moves[0].name} …"


def _known(a: str, b: str) -> tuple[str, str]:
    """What both sides say, where one of them has nothing to say."""
    return a or b, b or a


def _arrow(a: str, b: str) -> str:
    return a if a == b else f"{a} → {b}"


def _signed(number: float) -> str:
    return f"{number:+}" if number else "0"


def _range(
    values: Sequence[float], say: Callable[[float], str] = "{:.3g}".format, to: str = "–"
) -> str:
    low, high = say(min(values)), say(max(values))
    return low if low == high else f"{low}{to}{high}"


def _runs(layers: Iterable[int]) -> str:
    """Layers in words, neighbours together: `2, 4–6, 10`; the middle left out where long."""
    runs: list[list[int]] = []
    for layer in sorted(set(layers)):
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
    if len(texts) > SHOWN_RUNS:
        texts = [*texts[:2], "…", texts[-1]]
    return ", ".join(texts)

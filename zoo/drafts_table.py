"""The table of the drafts, timm's own grouping beside them, and below it whatever falls short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tables.markdown import table
from tables.versions import library_version

Results = Mapping[str, Mapping[str, Any]]
HEADER = [
    "models of",
    "by",
    "tried",
    "run",
    "complete",
    "in order",
    "fits the next size",
    "as bundled",
    "blocks as declared",
]


def text(rows: Mapping[str, Sequence[str]], results: Results, sizes: Results) -> str:
    """One row for each library's drafts, and one for timm's own grouping.

    timm's grouping is code of the larger model too: it fits where it is complete there.

    Args:
        rows: what the models are of -> their names.
        results: of each model.
        sizes: of each model that has a larger one of its kind.
    """
    fits = {name: size["fits"] for name, size in sizes.items()}
    own = {
        name: results[size["other"]]["timm"]["complete"]
        for name, size in sizes.items()
        if name in rows["timm"]
    }
    of = {what: {name: results[name] for name in names} for what, names in rows.items()}
    cells = [_row(what, "draft", found, fits) for what, found in of.items()]
    cells.append(_row("timm", "timm", of["timm"], own))
    return "\n".join([table(HEADER, cells), *_exceptions(results, sizes)])


def _row(what: str, by: str, results: Results, fits: Mapping[str, bool]) -> list[str]:
    library, *rest = what.split(", ")
    found = [result.get(by, {}) for result in results.values()]
    compared = [f["equals"] for f in found if f.get("equals") is not None]
    tried = [fits[name] for name in results if name in fits]
    return [
        ", ".join((library_version(library), *rest)),
        "its own grouping" if by == "timm" else by,
        str(len(results)),
        str(sum(result["traced"] for result in results.values())),
        str(sum(f.get("complete", False) for f in found)),
        str(sum(f.get("in_order", False) for f in found)),
        f"{sum(tried)} of {len(tried)}",
        f"{sum(compared)} of {len(compared)}",
        _counted(results) if by == "draft" else "",
    ]


def _counted(results: Results) -> str:
    """How many drafts have as many blocks as the model declares."""
    known = [name for name, result in results.items() if result.get("blocks")]
    return f"{len(known) - len(_miscounted(results))} of {len(known)}"


def _miscounted(results: Results) -> dict[str, str]:
    """The models whose draft has other blocks -> how many it has, and how many there are."""
    found = {}
    for name, result in results.items():
        blocks, declared = result.get("draft", {}).get("blocks"), result.get("blocks")
        if declared and blocks is not None and blocks != declared:
            found[name] = f"{blocks} for {declared}"
    return found


def _exceptions(results: Results, sizes: Results) -> Iterable[str]:
    drafts = {name: result.get("draft", {}) for name, result in results.items()}
    for name, drafted in drafts.items():
        if not drafted.get("complete", False):
            yield f"- {name}: no draft: {results[name].get('why') or drafted['why']}"
    yield from _named("out of order", [n for n, d in drafts.items() if d.get("in_order") is False])
    unfit = [f"{n} ({size['other']})" for n, size in sizes.items() if not size["fits"]]
    yield from _named("does not fit the next size", unfit)
    other = [name for name, drafted in drafts.items() if drafted.get("equals") is False]
    yield from _named("other layers than the bundled rule set", other)
    miscounted = [f"{name} ({said})" for name, said in _miscounted(results).items()]
    yield from _named("other blocks than the model declares", miscounted)
    silent = [name for name, drafted in drafts.items() if drafted.get("silent")]
    yield from _named("unused parameters that no sentence names", silent)


def _named(what: str, names: Sequence[str]) -> Iterable[str]:
    if names:
        yield f"- {what}, {len(names)}: {', '.join(names)}"

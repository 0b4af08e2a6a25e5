"""The table of the drafts, and below it whatever falls short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tables.markdown import table

Results = Mapping[str, Mapping[str, Any]]
HEADER = ["models of", "by", "tried", "complete", "in order", "fits the next size", "as bundled"]


def text(results: Results, sizes: Results) -> str:
    """One row for each library's drafts, and one for timm's own grouping."""
    libraries = dict.fromkeys(name.partition(":")[0] for name in results)
    rows = [_row(library, "draft", _of(results, library), sizes) for library in libraries]
    rows.append(_row("timm", "timm", _of(results, "timm"), {}))
    return "\n".join([table(HEADER, rows), *_exceptions(results, sizes)])


def _of(results: Results, library: str) -> Results:
    return {name: r for name, r in results.items() if name.partition(":")[0] == library}


def _row(library: str, by: str, results: Results, sizes: Results) -> list[str]:
    found = [result.get(by, {}) for result in results.values()]
    compared = [f["equals"] for f in found if f.get("equals") is not None]
    tried = [sizes[name]["fits"] for name in results if name in sizes]
    return [
        library,
        by,
        str(len(results)),
        str(sum(f.get("complete", False) for f in found)),
        str(sum(f.get("in_order", False) for f in found)),
        f"{sum(tried)} of {len(tried)}" if tried else "–",
        f"{sum(compared)} of {len(compared)}",
    ]


def _exceptions(results: Results, sizes: Results) -> Iterable[str]:
    for name, result in results.items():
        drafted = result.get("draft", {})
        if not result["traced"] or not drafted["complete"]:
            yield f"- {name}: {result.get('why') or drafted['why']}"
        elif not drafted["in_order"]:
            yield f"- {name}: the draft is out of order"
        elif drafted["equals"] is False:
            yield f"- {name}: other layers than the bundled rule set"
        if name in sizes and not sizes[name]["fits"]:
            yield f"- {name}: the draft does not fit {sizes[name]['other']}"

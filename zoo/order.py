"""Are the bundled rule sets in the order of use, on every model that they are tested on?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lrd_registry import LrdError, ModelError, assign_layers
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import check_order
from tables.markdown import table
from tables.versions import library_version
from tests.support.libraries.everything import MODELS
from tests.support.libraries.examples import EXAMPLES, RECORDED

if TYPE_CHECKING:
    from torch import nn

COLUMNS = ["models", "traced", "in order", "by a waiver"]


def tasks() -> dict[str, str]:
    """The models by name, in the order of the table."""
    return {name: name for name in _builders()}


def _builders() -> dict[str, Callable[[], nn.Module]]:
    """What builds each model; those that only names were recorded of cannot run."""
    models = {f"{m.library}/{m.arch}/{m.family}/{m.name}": m.build for m in MODELS}
    examples = {
        f"transformers/{layout}/{number}: {example.model}": example.build
        for layout, several in EXAMPLES.items()
        for number, example in enumerate(several)
        if example.model not in RECORDED
    }
    return models | examples


def measure(name: str) -> dict[str, Any]:
    """What one model's forward pass says of its layers."""
    built = _builders()[name]()
    try:
        assignment = assign_layers(built)
        check = check_order(assignment, trace(built))
    except ModelError as error:
        return {"traced": False, "why": str(error)}
    except LrdError as error:
        return {"traced": False, "why": f"does not resolve: {error}"}
    return {
        "traced": True,
        "in_order": not check.contradictions,
        "move": list(check.move),
        "waived": [waiver.why for waiver in check.waived],
        "idle": [waiver.why for waiver in check.idle],
    }


def text(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The table, one row for each library and rule set, and below it whatever is not in order."""
    return "\n".join([_table(results), *_exceptions(results)])


def _table(results: Mapping[str, Mapping[str, Any]]) -> str:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for name, result in results.items():
        library, arch, *_ = name.split("/")
        count = counts.setdefault((library, arch), Counter())
        count["models"] += 1
        count["traced"] += result["traced"]
        count["in order"] += result.get("in_order", False)
        count["by a waiver"] += bool(result.get("waived"))
    rows = (
        [library_version(library), f"`{arch}`", *(str(count[column]) for column in COLUMNS)]
        for (library, arch), count in counts.items()
    )
    return table(["library", "rule set", *COLUMNS], rows)


def _exceptions(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for name, result in results.items():
        if not result["traced"]:
            yield f"- {name}: {result['why']}"
        elif not result["in_order"]:
            yield f"- {name}: out of order; {len(result['move'])} would have to move: " + ", ".join(
                result["move"][:5]
            )
        for why in result.get("idle", ()):
            yield f"- {name}: a waiver is not needed ({why})"

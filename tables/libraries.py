"""The table of README.md: how many models of each library resolve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from lrd_registry import LrdError, assign_layers
from tables.markdown import table
from tables.versions import library_version
from tests.support.libraries import LibraryModel
from tests.support.libraries.everything import MODELS

HEADER = ["library", "rule set", "models of", "tried", "resolve"]


def tables() -> dict[str, str]:
    """The table, after building every model and assigning its layers."""
    return {"libraries": libraries(MODELS, resolves)}


def libraries(models: Iterable[LibraryModel], is_resolved: Callable[[LibraryModel], bool]) -> str:
    """One row for each library and rule set."""
    tried: Counter[tuple[str, str]] = Counter()
    resolved: Counter[tuple[str, str]] = Counter()
    families: dict[tuple[str, str], dict[str, None]] = {}
    for model in models:
        row = model.library, model.arch
        families.setdefault(row, {})[model.family] = None
        tried[row] += 1
        resolved[row] += is_resolved(model)
    return table(
        HEADER,
        (
            [
                library_version(library),
                f"`{arch}`",
                ", ".join(families[library, arch]),
                str(tried[library, arch]),
                str(resolved[library, arch]),
            ]
            for library, arch in tried
        ),
    )


def resolves(model: LibraryModel) -> bool:
    """Whether `arch="auto"` finds the right rule set and layout, and covers the model."""
    try:
        assignment = assign_layers(model.build())
    except LrdError:
        return False
    return (assignment.arch, assignment.layout) == (model.arch, model.layout)

"""The tables of docs/numbering/: who numbers what how, one for each family."""

from __future__ import annotations

from collections.abc import Sequence

from tables import convnext, resnet, swin, vit
from tables.comparison import Comparison
from tables.markdown import table
from tables.versions import DISTRIBUTIONS, library_version


def tables() -> dict[str, str]:
    """Each table under the name of its place."""
    families = {"vit": vit, "swin": swin, "convnext": convnext, "resnet": resnet}
    return {f"numbering {name}": numbering(of.comparisons()) for name, of in families.items()}


def numbering(comparisons: Sequence[Comparison]) -> str:
    """One table of a family's models, which have the same columns."""
    rows = [row for comparison in comparisons for row in comparison.rows()]
    columns = (_with_version(column) for column in comparisons[0].answers)
    return table(["parameters", *columns], rows)


def _with_version(column: str) -> str:
    """A column is of a published function, which does not change, or of an installed library."""
    return library_version(column) if column in DISTRIBUTIONS else column

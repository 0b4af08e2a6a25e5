"""The tables of docs/numbering.md: who numbers what how, one for each family."""

from __future__ import annotations

from collections.abc import Sequence

from tables import convnext, swin, vit
from tables.comparison import Comparison
from tables.markdown import table


def tables() -> dict[str, str]:
    """Each table under the name of its place."""
    families = {"vit": vit, "swin": swin, "convnext": convnext}
    return {f"numbering {name}": numbering(of.comparisons()) for name, of in families.items()}


def numbering(comparisons: Sequence[Comparison]) -> str:
    """One table of a family's models, which have the same columns."""
    rows = [row for comparison in comparisons for row in comparison.rows()]
    return table(["parameters", *comparisons[0].answers], rows)

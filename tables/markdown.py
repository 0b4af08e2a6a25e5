"""Markdown tables, and the places in a document that hold the generated ones.

A place is what stands between `<!-- tables: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

PLACE = re.compile(r"(<!-- tables: (?P<name>.+?) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, its last line ended.

    >>> print(table(["kind", "layer"], [["stem", "0"]]), end="")
    | kind | layer |
    |---|---|
    | stem | 0 |
    """
    lines = [f"| {' | '.join(cells)} |\n" for cells in (header, *rows)]
    return lines[0] + f"|{'---|' * len(header)}\n" + "".join(lines[1:])


def tables_in(document: str) -> dict[str, str]:
    r"""The text at each place in a document.

    >>> tables_in("<!-- tables: a -->\n| 1 |\n<!-- end -->")
    {'a': '| 1 |\n'}
    """
    return {place["name"]: place["text"] for place in PLACE.finditer(document)}


def replaced(document: str, tables: Mapping[str, str]) -> str:
    r"""The document with these tables at their places; a place without a table is a `KeyError`.

    >>> replaced("<!-- tables: a -->\nold\n<!-- end -->", {"a": "new\n"})
    '<!-- tables: a -->\nnew\n<!-- end -->'
    """
    return PLACE.sub(lambda place: place[1] + tables[place["name"]] + place[4], document)

"""All mutants of a source text, in the order of the text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutants.operators import Change, changes, is_zip

SKIPPED = (ast.Import, ast.ImportFrom, ast.Assert)
"""Statements without mutants: an import has no behaviour, and an assertion is for readers.

So is `zip(..., strict=True)`.
"""

ANNOTATIONS = {"annotation", "returns", "type_comment"}


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        path: the file's, from the project's root.
        line: the line at which what is changed begins.
        operator: the kind of change.
        old: the text that is changed.
        new: what stands in its place.
        start: where it begins in the file, in bytes.
        source: the line of the file, without its indentation.
    """

    path: str
    line: int
    operator: str
    old: str
    new: str
    start: int
    source: str

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What stays the same while the file changes elsewhere."""
        return self.path, self.source, self.operator, self.old, self.new

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.operator}: {self.old!r} -> {self.new!r}"

    def applied(self, text: str) -> str:
        """The file's text with the change."""
        raw = text.encode()
        end = self.start + len(self.old.encode())
        return (raw[: self.start] + self.new.encode() + raw[end:]).decode()


def mutants_of(text: str, path: str) -> Iterator[Mutant]:
    r"""All mutants of a source text.

    >>> [str(m) for m in mutants_of("x = a < 1\n", "x.py")][0]
    "x.py:1: comparison: 'a < 1' -> '(a <= 1)'"
    """
    raw = text.encode()
    lines = raw.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node in _nodes(ast.parse(text)):
        for change in changes(node):
            at = change.at or node
            start = starts[at.lineno - 1] + at.col_offset
            end = starts[at.end_lineno - 1] + at.end_col_offset
            yield Mutant(
                path,
                at.lineno,
                change.operator,
                raw[start:end].decode(),
                _text(change),
                start,
                lines[at.lineno - 1].decode().strip(),
            )


def _text(change: Change) -> str:
    """Expressions in brackets, so that they stand where any other stood."""
    found = ast.unparse(ast.fix_missing_locations(change.node))
    is_plain = isinstance(change.node, (ast.stmt, ast.Slice, ast.Constant, ast.JoinedStr))
    return found if is_plain else f"({found})"


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may be changed, from the outer to the inner.

    Within an f-string no place is known before Python 3.12, so it is changed as a whole.
    """
    for name, value in ast.iter_fields(node):
        if name in ANNOTATIONS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_skipped(node, name, child):
                continue
            if hasattr(child, "lineno"):
                yield child
            if not isinstance(child, ast.JoinedStr):
                yield from _nodes(child)


def _is_skipped(parent: ast.AST, field: str, child: ast.AST) -> bool:
    if isinstance(child, SKIPPED):
        return True
    if isinstance(child, ast.Expr):  # a docstring, and what documents an attribute
        return isinstance(child.value, ast.Constant)
    if isinstance(child, ast.If):
        return isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
    if isinstance(parent, ast.AnnAssign) and field == "value":
        return isinstance(parent.annotation, ast.Name) and parent.annotation.id == "TypeAlias"
    if isinstance(parent, ast.ClassDef) and isinstance(child, ast.Subscript):
        return True  # what a base class holds is for the type checker
    if is_zip(parent) and isinstance(child, ast.keyword):
        return isinstance(child.value, ast.Constant) and child.value.value is True
    return isinstance(parent, ast.Call) and field == "func" and isinstance(child, ast.Name)

"""Valid rule files, and what becomes of one by some edits that bytes describe."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("rules", "tests/data/rule_files/valid")
WORDS = (
    *("arch", "layouts", "layers", "format", "summary", "sources", "signature", "prefix", "parts"),
    *("match", "index", "every", "first", "last", "previous", "outside", "optional", "waivers"),
    *("tied", "no_weight_decay", "shallowest", "deepest", "rules", "at", "before", "parameters"),
    *("[]", "{}", "- ", ": ", "**", "*", "{i}", "{", "}", "&a", "*a", "!!str", "null", "~", "yes"),
    *("1", "-1", "1e309", "0x1F", "1:30", "2020-01-01", "'", '"', "|", ">", "\t", "\0", "#", "---"),
    *("\u2028", "\ufeff", "\ud800", "a.**", "a..b", "<<: ", "? ", "%YAML 1.1\n", "\r"),
)
EDIT_BYTES = 5


def document(data: bytes) -> str:
    """A valid rule file, picked by the first byte, after one edit for each five bytes more.

    >>> document(b"") == seeds()[0]
    True
    """
    lines = seeds()[data[0] % len(seeds()) if data else 0].splitlines(keepends=True)
    edits = (data[start : start + EDIT_BYTES] for start in range(1, len(data), EDIT_BYTES))
    for kind, *where in (edit for edit in edits if len(edit) == EDIT_BYTES):
        _edit(lines, kind, *where)
    return "".join(lines)


@cache
def seeds() -> tuple[str, ...]:
    """The valid rule files, the shortest first."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.yaml"))]
    return tuple(sorted((path.read_text("utf-8") for path in files), key=len))


def _edit(lines: list[str], kind: int, high: int, low: int, column: int, what: int) -> None:
    """Change one line: a word in it or in place of its rest, or the line itself."""
    if not lines:
        return
    place = (high * 256 + low) % len(lines)
    line, word = lines[place], WORDS[what % len(WORDS)]
    column %= len(line) + 1
    lines[place : place + 1] = (
        [line[:column] + word + line[column:]],
        [line[:column] + word + "\n"],
        [line[:column] + line[column + 1 + what % 8 :]],
        [],
        [line, line],
        [lines[what * len(lines) // 256], line],
        [" " * (what % 9) + line],
        [line.rstrip("\n")],
    )[kind % 8]

"""Rule files known by their heads: name, summary and layouts, without validating the rest.

Validation needs pydantic, which takes as long to import as the command line takes to start; so
a file is validated when its rule set is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrd_registry.errors import Problem, RuleFileError
from lrd_registry.rule_files.document import parse_document, read_file
from lrd_registry.rule_files.format import SINGLE_LAYOUT

if TYPE_CHECKING:
    from lrd_registry.rule_files.schema import RuleSet


@dataclass(frozen=True)
class Registered:
    """A rule set of a registry: its head, where it is from, and how to get the whole."""

    arch: str
    summary: str
    layouts: tuple[str, ...]
    source: str
    load: Callable[[], RuleSet]


def read_heads(directory: Path) -> tuple[Registered, ...]:
    """The heads of a directory's rule files, by file name.

    Raises:
        RuleFileError: the directory, or a file without a readable head, is at fault.
    """
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix in {".yaml", ".yml"})
        return tuple(_read_head(path, path.stat().st_mtime_ns) for path in files)
    except OSError as error:
        message = f"no directory of rule files: {error.strerror}"
        raise RuleFileError([Problem(str(directory), None, None, message)]) from None


@lru_cache(maxsize=256)
def _read_head(path: Path, _changed: int) -> Registered:
    """The head of a file; `_changed`, the time of its last change, has it read again after one."""
    document = parse_document(read_file(path), str(path))
    data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
    if document.problems or not isinstance(data.get("arch"), str):
        data = _load(path).to_dict()
    layouts = data.get("layouts", {SINGLE_LAYOUT: None})
    return Registered(
        arch=data["arch"],
        summary=str(data.get("summary", "")),
        layouts=tuple(layouts) if isinstance(layouts, Mapping) else (),
        source=str(path),
        load=cache(lambda: _load(path)),
    )


def _load(path: Path) -> RuleSet:
    from lrd_registry.rule_files.loading import load_rule_set

    return load_rule_set(path)

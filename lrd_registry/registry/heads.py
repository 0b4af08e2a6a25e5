"""Rule files known by their heads: name, summary and layouts, without validating the rest.

Validation needs pydantic, which takes as long to import as the command line takes to start; so
a file is validated when its rule set is asked for. A file at fault keeps no other from being used.
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
    """A rule set of a registry: its head, where it is from, and how to get the whole.

    One at fault has its `problems`, and no head but a name: what its file says, or is called.
    """

    arch: str
    summary: str
    layouts: tuple[str, ...]
    source: str
    load: Callable[[], RuleSet]
    problems: tuple[Problem, ...] = ()


def read_heads(directory: Path) -> tuple[Registered, ...]:
    """The heads of a directory's rule files, by file name.

    Raises:
        RuleFileError: the directory is at fault.
    """
    return tuple(_read_head(path, _changed(path)) for path in _files(directory))


def read_whole(directory: Path) -> tuple[Registered, ...]:
    """The same of files that nobody has validated before, so that their `problems` are known.

    Raises:
        RuleFileError: the directory is at fault.
    """
    return tuple(_read_whole(path, _changed(path)) for path in _files(directory))


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as error:
        message = f"no directory of rule files: {error.strerror}"
        raise RuleFileError([Problem(str(directory), None, None, message)]) from None


def _changed(path: Path) -> int:
    """When a file was changed last; 0 where it cannot be said, as of a broken link."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _read_head(path: Path, _changed: int) -> Registered:
    """The head of a file; `_changed`, the time of its last change, has it read again after one."""
    try:
        document = parse_document(read_file(path), str(path))
        data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
        if document.problems or not isinstance(data.get("arch"), str):
            data = _load(path).to_dict()
    except RuleFileError as error:
        return _faulty(path, error)
    layouts = data.get("layouts", {SINGLE_LAYOUT: None})
    return Registered(
        arch=data["arch"],
        summary=str(data.get("summary", "")),
        layouts=tuple(layouts) if isinstance(layouts, Mapping) else (),
        source=str(path),
        load=cache(lambda: _load(path)),
    )


@lru_cache(maxsize=256)
def _read_whole(path: Path, changed: int) -> Registered:
    head = _read_head(path, changed)
    try:
        head.load()
    except RuleFileError as error:
        return _faulty(path, error, head.arch)
    return head


def _faulty(path: Path, error: RuleFileError, arch: str = "") -> Registered:
    name = arch or path.stem
    return Registered(name, "", (), str(path), lambda: _load(path), error.problems)


def _load(path: Path) -> RuleSet:
    from lrd_registry.rule_files.loading import load_rule_set

    return load_rule_set(path)

"""Rule files known by their heads: name, summary, layouts and signatures, not validated.

Validation needs pydantic, which takes as long to import as the command line takes to start; so
a file is validated when its rule set is asked for. A file at fault keeps no other from being used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lrd_registry.errors import Problem, RuleFileError
from lrd_registry.rule_files.format import SINGLE_LAYOUT
from lrd_registry.rule_files.yaml_positions import parse_document, read_file

if TYPE_CHECKING:
    from lrd_registry.rule_files.schema import RuleSet


ENDINGS = (".yaml", ".yml")


def one_name_of_each_layout(data: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A name for each layout, under each of its prefixes, that a model must have for it.

    None where there is none: a layout without a signature, one of wildcards alone, or something
    else than a rule file's data.

    >>> stages = {"signature": ["*.weight", "stem.weight"], "prefix": "body", "layers": []}
    >>> one_name_of_each_layout({"arch": "x", "layouts": {"a": stages}})
    ('stem.weight', 'body.stem.weight')
    >>> one_name_of_each_layout({"arch": "x", "layers": []}) is None
    True
    """
    layouts = data.get("layouts", {SINGLE_LAYOUT: data})
    if not isinstance(layouts, Mapping):
        return None
    found: list[str] = []
    for layout in layouts.values():
        name = next(filter(_is_plain, _texts(layout, "signature")), None)
        if name is None:
            return None
        found += [name, *(f"{prefix}.{name}" for prefix in _texts(layout, "prefix"))]
    return tuple(found)


def all_classes(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that the layouts of a rule file's data are for.

    >>> all_classes({"arch": "x", "layouts": {"a": {"classes": "p.A"}, "b": {"classes": ["p.B"]}}})
    ('p.A', 'p.B')
    """
    layouts = data.get("layouts", {})
    values = layouts.values() if isinstance(layouts, Mapping) else ()
    return tuple(name for layout in values for name in _texts(layout, "classes"))


def _texts(layout: object, key: str) -> list[str]:
    """The texts of a key, which may hold one or a list of them."""
    value = layout.get(key) if isinstance(layout, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _is_plain(pattern: str) -> bool:
    return not set("*{") & set(pattern)


@dataclass(frozen=True)
class Registered:
    """A rule set of a registry: its head, where it is from, and how to get the whole.

    One at fault has its `problems`, and no head but a name: what its file says, or is called.
    A model that has none of `signed_by` is none of its layouts'; None says nothing. Models of
    `classes` are its own.
    """

    arch: str
    summary: str
    layouts: tuple[str, ...]
    source: str
    load: Callable[[], RuleSet]
    problems: tuple[Problem, ...] = ()
    kind: str = ""
    signed_by: tuple[str, ...] | None = None
    classes: tuple[str, ...] = ()


class RuleFile(NamedTuple):
    """A rule file's path, and the time of its last change."""

    path: str
    changed: int


def list_files(directory: str | Path) -> tuple[RuleFile, ...]:
    """A directory's rule files, by file name.

    Raises:
        RuleFileError: the directory is at fault.
    """
    try:
        with os.scandir(directory) as found:
            files = [RuleFile(e.path, _changed(e)) for e in found if e.name.endswith(ENDINGS)]
    except OSError as error:
        message = f"no directory of rule files: {error.strerror}"
        raise RuleFileError([Problem(str(directory), None, None, message)]) from None
    return tuple(sorted(files))


def read_heads(files: Iterable[RuleFile]) -> tuple[Registered, ...]:
    """The heads of rule files."""
    return tuple(map(_read_head, files))


def read_whole(files: Iterable[RuleFile]) -> tuple[Registered, ...]:
    """The same of files that nobody has validated before, so that their `problems` are known."""
    return tuple(map(_read_whole, files))


def _changed(entry: os.DirEntry[str]) -> int:
    """When a file was changed last; 0 where it cannot be said, as of a broken link."""
    try:
        return entry.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1024)
def _read_head(file: RuleFile) -> Registered:
    """The head of a file, which is read again after a change."""
    path = Path(file.path)
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
        kind=str(data.get("kind", "")),
        signed_by=one_name_of_each_layout(data),
        classes=all_classes(data),
    )


@lru_cache(maxsize=1024)
def _read_whole(file: RuleFile) -> Registered:
    head = _read_head(file)
    try:
        head.load()
    except RuleFileError as error:
        return _faulty(Path(file.path), error, head.arch)
    return head


def _faulty(path: Path, error: RuleFileError, arch: str = "") -> Registered:
    name = arch or path.stem
    return Registered(name, "", (), str(path), lambda: _load(path), error.problems)


def _load(path: Path) -> RuleSet:
    from lrd_registry.rule_files.load import load_rule_set

    return load_rule_set(path)

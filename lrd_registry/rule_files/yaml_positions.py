"""YAML text as plain data that remembers where each value stood.

Rule files use the plain part of YAML: mappings, lists, text, numbers, `true` and `false`.
Anchors, aliases and tags are refused, and size, depth and number of values are bounded, so
a file from a stranger costs little to read, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from lrd_registry.errors import Problem, RuleFileError
from lrd_registry.rule_files.format import MAX_BYTES, MAX_DEPTH, MAX_VALUES, TABLES_OF_NUMBERS

YamlPath: TypeAlias = tuple[str | int, ...]
_EVENTS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SHORT = 64
"""Longer scalars are text: no number in a rule file is that long, and some take long to read."""


class Spot(NamedTuple):
    """A place in the text, counted from 1, and the scalar that stands there, as written."""

    line: int
    column: int
    text: str | None = None


@dataclass
class Document:
    """The values of a YAML text, where each stands, and what the reader had to refuse."""

    source: str
    text: InitVar[str]
    data: Any = None
    values: dict[YamlPath, Spot] = field(default_factory=dict)
    keys: dict[YamlPath, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self, text: str) -> None:
        self._lines = text.splitlines() or [""]

    def refuse(self, spot: Spot, message: str) -> None:
        """Note a fault and go on."""
        self.problems.append(self.problem(spot, message))

    def problem(self, spot: Spot, message: str) -> Problem:
        """A fault at a place; the last line's end where YAML sees it past the end of the text."""
        line = min(spot.line, len(self._lines))
        column = min(spot.column, len(self._lines[line - 1]) + 1)
        return Problem(self.source, line, column, message)

    def hint(self, spot: Spot, fault: str = "") -> str:
        """What may have caused a fault of YAML's own on this line."""
        line = self._lines[min(spot.line, len(self._lines)) - 1]
        if line[spot.column - 1 :].startswith("\t"):
            return "; indent with spaces, not tabs"
        if "expected ':'" in fault and (before := self._key_without_colon(spot)):
            return f"; put a `:` after {before}"
        if "expected '-'" in fault:
            return "; indent this line below the `-` that it belongs to, or begin it with `-`"
        return "; put a pattern with `*` or `{` in it in quotes" if set("*{") & set(line) else ""

    def _key_without_colon(self, spot: Spot) -> str | None:
        """The word that is the last line without a `:` up to a place, and where it is."""
        above = list(enumerate(self._lines[: spot.line], start=1))
        for number, line in reversed(above):
            word = line.strip()
            if word and ":" not in word:
                return f"`{word}` on line {number}" if word.replace("_", "").isalnum() else None
        return None


class _TooMuchError(Exception):
    """The text goes beyond a bound; it has been noted, and reading stops."""


def read_file(path: Path) -> str:
    """The text of a rule file.

    Raises:
        RuleFileError: the file cannot be read, is not UTF-8, or is over 1 MiB.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise RuleFileError([Problem(str(path), None, None, message)]) from None
    if len(raw) > MAX_BYTES:
        raise RuleFileError([Problem(str(path), 1, 1, "the file is over 1 MiB, the most allowed")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        spot = _spot_after(raw[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise RuleFileError([Problem(str(path), spot.line, spot.column, message)]) from None


def _spot_after(text: str) -> Spot:
    lines = f"{text}x".splitlines()
    return Spot(len(lines), len(lines[-1]))


def parse_document(text: str, source: str) -> Document:
    """Read YAML text; all faults of its form are in the result's `problems`."""
    document = Document(source, text)
    if unprintable := yaml.reader.Reader.NON_PRINTABLE.search(text):
        message = f"not valid YAML: the character {unprintable.group()!r} is not allowed"
        document.refuse(_spot_after(text[: unprintable.start()]), message)
        return document
    try:
        document.data = _Reader(text, document).read()
    except _TooMuchError:
        pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        assert mark is not None, "the parser knows where it stands"
        spot = Spot(mark.line + 1, mark.column + 1)
        what = f"not valid YAML: {error.problem or error.context}"
        document.refuse(spot, what + document.hint(spot, what))
    return document


class _Reader:
    """Builds the data of one document from the parser's events."""

    def __init__(self, text: str, document: Document) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_EVENTS)
        self._document = document
        self._count = 0
        self._resolver = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()

    def read(self) -> Any:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        data = self._value(next(self._events), ())
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._document.refuse(_spot(after), "a second document begins; a rule file holds one")
        return data

    def _value(self, event: Any, path: YamlPath) -> Any:
        spot = self._document.values[path] = _spot(event)
        self._check(event, spot, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None

    def _check(self, event: Any, spot: Spot, path: YamlPath) -> None:
        if isinstance(event, yaml.AliasEvent):
            message = f"alias `*{event.anchor}`: rule files have no aliases"
            self._document.refuse(spot, message + self._document.hint(spot))
        elif event.anchor:
            self._document.refuse(spot, f"anchor `&{event.anchor}`: rule files have no anchors")
        if getattr(event, "tag", None):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._document.refuse(spot, f"unknown tag `{tag}`: rule files have no tags")
        if len(path) > MAX_DEPTH:
            self._document.refuse(spot, f"nested more than {MAX_DEPTH} deep; a rule file needs 7")
            raise _TooMuchError
        self._count += 1
        if self._count > MAX_VALUES:
            self._document.refuse(spot, f"more than {MAX_VALUES} keys and values, the most allowed")
            raise _TooMuchError

    def _sequence(self, path: YamlPath) -> list[Any]:
        items: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: YamlPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, path)
            place = (*path, key)
            if key in data:
                first = self._document.keys[place].line
                self._document.refuse(_spot(event), f"repeated key `{key}`, first on line {first}")
                self._value(next(self._events), (*path, f"{key} again"))
            else:
                self._document.keys[place] = _spot(event)
                data[key] = self._value(next(self._events), place)
        return data

    def _key(self, event: Any, path: YamlPath) -> str:
        value = self._value(event, (*path, "a key"))
        if not isinstance(event, yaml.ScalarEvent):
            spot = _spot(event)
            self._document.refuse(spot, f"a key must be plain text{self._document.hint(spot)}")
            return ""
        if not isinstance(value, str) and not (path and path[-1] in TABLES_OF_NUMBERS):
            message = f"key `{event.value}` is read as {describe(value)}; quote it"
            self._document.refuse(_spot(event), message)
        return str(event.value)

    def _scalar(self, event: Any) -> Any:
        """The value as YAML reads it, but for dates and the like, which stay text."""
        tag: str = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        kind = tag.rpartition(":")[2]
        if kind not in {"null", "bool", "int", "float"} or len(event.value) > _SHORT:
            return event.value
        try:
            return self._constructor.construct_object(yaml.ScalarNode(tag, event.value))
        except ValueError:
            return event.value


def _spot(event: Any) -> Spot:
    mark = event.start_mark
    return Spot(mark.line + 1, mark.column + 1, getattr(event, "value", None))


def describe(value: Any) -> str:
    """What kind of value YAML made of a text, for messages."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    kinds = {int: "an integer", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), f"a {type(value).__name__}")

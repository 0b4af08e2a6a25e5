"""A draft as the text of a rule file, for a person to read and to edit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from lrd_registry.errors import InvalidArgumentError

Comments: TypeAlias = Mapping[str, tuple[str, ...]]

WIDTH = 96

SCHEMA = "rule-set.schema.json"
"""What the schema of rule files is called, for editors that look for it beside them."""

HEADER = (
    "A draft, made from the model's module tree and a trace of its forward pass: the entries are "
    "in the order of use."
)
CHOICES = "Look at these choices:"


def rule_file_text(rules: Mapping[str, Any], comments: Comments, unsure: Sequence[str]) -> str:
    """The text of a rule file.

    Args:
        rules: the rule set as plain data.
        comments: entry name (`part.name` in a part) -> what to know of it.
        unsure: the choices that a reader should look at.
    """
    return "\n".join(_lines(rules, comments, unsure)) + "\n"


def write_rule_file(path: Path, text: str) -> None:
    """Write a new rule file, which names the schema of rule files if that is beside it.

    Raises:
        InvalidArgumentError: the file is there already, or cannot be written.
    """
    if (path.parent / SCHEMA).exists():
        text = f"# yaml-language-server: $schema={SCHEMA}\n{text}"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        message = f"{path} is there already; give another path, or remove it"
        raise InvalidArgumentError(message) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidArgumentError(f"{path}: cannot be written: {why}") from None


def _lines(rules: Mapping[str, Any], comments: Comments, unsure: Sequence[str]) -> Iterator[str]:
    yield from _comment(f"{HEADER} {CHOICES}" if unsure else HEADER)
    for sentence in unsure:
        yield from _comment(sentence, first="- ")
    for key, value in rules.items():
        if key == "layers":
            yield from ("", "layers:", *_layers(value, comments, "", "  "))
        elif key == "parts":
            yield from ("", "parts:", *_parts(value, comments))
        elif key == "outside":
            yield from ("", "outside:   # one layer each, at the full learning rate")
            for name, entry in value.items():
                yield from _value(f"  {_plain(name)}: ", entry, "    ")
        elif key == "waivers":
            yield from ("", "waivers:   # out of the order of use, for a reason")
            for waiver in value:
                yield from (
                    f"  - parameters: {_plain(waiver['parameters'])}",
                    f"    why: {waiver['why']}",
                )
        else:
            yield f"{key}: {_plain(str(value)) if key == 'arch' else value}"


def _parts(parts: Mapping[str, Any], comments: Comments) -> Iterator[str]:
    for name, part in parts.items():
        yield f"  {_plain(name)}:"
        if "prefix" in part:
            yield f"    prefix: {_plain(part['prefix'])}"
        if "before" in part:
            yield f"    before: {_plain(part['before'])}"
        yield "    layers:"
        yield from _layers(part["layers"], comments, f"{name}.", "      ")


def _layers(
    layers: list[dict[str, Any]], comments: Comments, part: str, indent: str
) -> Iterator[str]:
    for item in layers:
        for name, entry in item.items():
            for sentence in comments.get(f"{part}{name}", ()):
                yield from _comment(sentence, indent)
            yield from _value(f"{indent}- {_plain(name)}: ", entry, indent + "    ")


def _value(start: str, value: Any, indent: str) -> Iterator[str]:
    """A key and its value: on one line if it is plain and fits, else a line for each item."""
    line = start + (_plain(value) if isinstance(value, str) else _flow(value))
    if len(line) <= WIDTH and not _is_open(value):
        yield line
    else:
        yield start.rstrip()
        items = value.items() if isinstance(value, dict) else (("-", item) for item in value)
        for key, item in items:
            yield from _value(f"{indent}{key}{' ' if key == '-' else ': '}", item, indent + "  ")


def _is_open(value: Any) -> bool:
    """Whether a value is easier to read with a line for each item."""
    if isinstance(value, dict):
        return value.keys() != {"match", "optional"}
    return isinstance(value, list) and any("{" in pattern for pattern in value)


def _flow(value: Any) -> str:
    """A value in brackets; patterns with braces are never among these, as they are opened."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _plain(value)


def _plain(text: str) -> str:
    """A name or a pattern outside brackets, in quotes where YAML would read something else.

    >>> print(_plain("blocks.{block}.**"), _plain("*.bias"), _plain("no"), _plain("0.1"))
    blocks.{block}.** "*.bias" "no" "0.1"
    """
    try:
        is_text = yaml.safe_load(text) == text and not set(text) & set(",[]")
    except yaml.YAMLError:
        is_text = False
    return text if is_text else f'"{text}"'


def _comment(text: str, indent: str = "", first: str = "") -> Iterator[str]:
    after = " " * len(first)
    width = WIDTH - len(indent) - 2
    for line in textwrap.wrap(text, width, initial_indent=first, subsequent_indent=after):
        yield f"{indent}# {line}"

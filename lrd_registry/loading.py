"""Rule files → `RuleSet`, with every fault of a file at its line and column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lrd_registry.document import Document, Spot, describe, parse_document, read_file
from lrd_registry.errors import Problem, RuleFileError
from lrd_registry.schema import Entry, Layout, RuleSet, Source
from lrd_registry.wording import did_you_mean

_PARTS: dict[int, type[BaseModel]] = {1: RuleSet, 3: Layout, 6: Entry}
"""The part of a rule file to which a key belongs, by the length of its path."""
_EXPECTED = {
    "string_type": "text",
    "string_pattern_mismatch": "a name of letters, digits, `-` and `_`",
    "int_type": "an integer",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def load_rule_set(path: str | Path) -> RuleSet:
    """Read and validate a rule file.

    Raises:
        RuleFileError: anything is wrong with the file; all of it, at its lines and columns.

    >>> load_rule_set("rules/vit.yaml").arch
    'vit'
    """
    return parse_rule_set(read_file(Path(path)), str(path))


def parse_rule_set(text: str, source: str = "<text>") -> RuleSet:
    r"""Read and validate the text of a rule file; `source` names it in messages.

    Raises:
        RuleFileError: as for `load_rule_set`.

    >>> parse_rule_set("arch: two\nlayers: [stem: a.**, head: b.**]").arch
    'two'
    >>> parse_rule_set("arch: two\nlayrs: []")
    Traceback (most recent call last):
    lrd_registry.errors.RuleFileError: <text>:1:1: missing key `layouts` (or `layers`)
    <text>:2:1: unknown key `layrs`; did you mean `layers`?
    """
    document = parse_document(text, source)
    if document.problems and document.data is None:
        raise RuleFileError(document.problems)
    rule_set, problems = _validate(document)
    if rule_set is None or document.problems:
        raise RuleFileError([*document.problems, *problems])
    return rule_set


def rule_set_from_mapping(data: Mapping[str, Any]) -> RuleSet:
    """Validate a rule set given as plain data.

    Raises:
        RuleFileError: what is wrong; each message tells the place in the data.
    """
    try:
        return RuleSet.model_validate(dict(data))
    except ValidationError as error:
        problems = [
            Problem(f"<mapping> at {'.'.join(map(str, e['loc'])) or 'top'}", None, None, _say(e))
            for e in _own(error)
        ]
        raise RuleFileError(problems) from None


def _validate(document: Document) -> tuple[RuleSet | None, list[Problem]]:
    if document.data is None:
        message = "the file is empty; a rule file has the keys `arch` and `layouts`"
        return None, [Problem(document.source, 1, 1, message)]
    try:
        return RuleSet.model_validate(document.data), []
    except ValidationError as error:
        return None, [_locate(document, e) for e in _own(error)]


def _own(error: ValidationError) -> list[ErrorDetails]:
    """The errors, less those that only say that something with an error in it is gone."""
    errors = error.errors(include_url=False)
    return [e for e in errors if not (e["type"] == "too_short" and e["input"])]


def _locate(document: Document, error: ErrorDetails) -> Problem:
    spot = _find(document, error)
    return Problem(document.source, spot.line, spot.column, _say(error, spot.text))


def _find(document: Document, error: ErrorDetails) -> Spot:
    """The nearest place in the text to the place in the model.

    The model is a little deeper than the text, where a single pattern stands for a list or
    an entry; what the text does not have is passed over.
    """
    path: tuple[str | int, ...] = ()
    for step in error["loc"]:
        if (*path, step) in document.values:
            path = (*path, step)
    if error["type"] in {"extra_forbidden", "rule"} and error["loc"][-1:] == path[-1:]:
        return document.keys.get(path, document.values[path])
    if error["loc"][-1:] == ("[key]",):
        return document.keys.get(path, document.values[path])
    return document.values[path]


def _say(error: ErrorDetails, text: str | None = None) -> str:
    kind, loc, value = error["type"], error["loc"], error["input"]
    if kind == "missing":
        other = " (or `layers`)" if loc[-1] == "layouts" else ""
        return f"missing key `{loc[-1]}`{other}"
    if kind == "extra_forbidden":
        return _say_unknown(loc)
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_say_found(value, text)}"
    if kind == "too_long":
        return "one entry per list item: put a `-` before each name"
    if kind == "too_short":
        return "must not be empty"
    return error["msg"]


def _say_unknown(loc: tuple[str | int, ...]) -> str:
    if loc == ("layers",):
        return "`layers` at the top is for a file without `layouts`; this one has both"
    part = Source if loc[0] == "sources" else _PARTS[len(loc)]
    known = [*part.model_fields, *(["layers"] if part is RuleSet else [])]
    hint = did_you_mean(str(loc[-1]), known)
    return f"unknown key `{loc[-1]}`{hint or '; the keys here are ' + ', '.join(known)}"


def _say_found(value: Any, text: str | None) -> str:
    if text is None or isinstance(value, str):
        return describe(value) if text is None else f"`{text}`"
    return f"`{text}`, which YAML reads as {describe(value)}"

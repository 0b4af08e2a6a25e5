"""Rule files → `RuleSet`, with every fault of a file at its line and column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lrd_registry.errors import Problem, RuleFileError
from lrd_registry.rule_files.format import SINGLE_LAYOUT
from lrd_registry.rule_files.messages import explain, own_errors
from lrd_registry.rule_files.schema import RuleSet
from lrd_registry.rule_files.yaml_positions import Document, Spot, parse_document, read_file


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
    if document.data is None:
        message = "the file is empty; a rule file has the keys `arch` and `layouts`"
        raise RuleFileError(document.problems or [Problem(source, 1, 1, message)])
    try:
        rule_set = RuleSet.model_validate(document.data)
    except ValidationError as error:
        problems = [_locate(document, e) for e in own_errors(error)]
        raise RuleFileError([*document.problems, *problems]) from None
    if document.problems:
        raise RuleFileError(document.problems)
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
            Problem(f"<mapping> at {_path(e, data)}", None, None, explain(e))
            for e in own_errors(error)
        ]
        raise RuleFileError(problems) from None


def _path(error: ErrorDetails, data: Mapping[str, Any]) -> str:
    return ".".join(map(str, _place(error, data))) or "its top"


def _place(error: ErrorDetails, data: object) -> tuple[str | int, ...]:
    """Where the error is in the data, which may write its single layout without a name."""
    loc = error["loc"]
    is_single = isinstance(data, Mapping) and "layouts" not in data
    return loc[2:] if is_single and loc[:2] == ("layouts", SINGLE_LAYOUT) else loc


def _locate(document: Document, error: ErrorDetails) -> Problem:
    spot = _find(document, error)
    return document.problem(spot, explain(error, spot.text))


def _find(document: Document, error: ErrorDetails) -> Spot:
    """The nearest place in the text to the place in the model.

    The model is a little deeper than the text, where a single pattern stands for a list or
    an entry; what the text does not have is passed over.
    """
    loc = _place(error, document.data)
    path: tuple[str | int, ...] = ()
    for step in loc:
        if (*path, step) in document.values:
            path = (*path, step)
    is_of_the_key = error["type"] in {"extra_forbidden", "name"} or loc[-1:] == ("[key]",)
    spot = document.values[path]
    return document.keys.get(path, spot) if is_of_the_key else spot

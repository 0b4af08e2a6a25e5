"""What the keys of a rule file hold: patterns, names, and how a fault in one is worded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from lrd_registry.patterns.pattern import Pattern
from lrd_registry.patterns.syntax import PatternError, parse_pattern


def fault(message: str, *, kind: str = "rule") -> PydanticCustomError:
    """A validation error in our own words, in which braces stand for themselves.

    `kind` is `name` where the fault is of a key, and not of the value under it.
    """
    return PydanticCustomError(kind, "{message}", {"message": message})


def refuse(faults: Iterable[tuple[tuple[str | int, ...], PydanticCustomError]]) -> None:
    """Raise all of these faults, each with its place below the value under validation; if any."""
    details = [InitErrorDetails(type=error, loc=loc, input=None) for loc, error in faults]
    if details:
        raise ValidationError.from_exception_data("rule file", details)


def _parse(value: Any) -> Pattern:
    if isinstance(value, Pattern):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    try:
        return parse_pattern(value)
    except PatternError as error:
        raise fault(str(error)) from None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


RulePattern = Annotated[
    Pattern,
    PlainValidator(_parse),
    PlainSerializer(str, return_type=str),
]
Patterns = Annotated[
    tuple[RulePattern, ...],
    BeforeValidator(_as_list, json_schema_input_type=str | list[str]),
]
SomePatterns = Annotated[
    tuple[RulePattern, ...],
    Field(min_length=1),
    BeforeValidator(
        _as_list, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]
    ),
]
Text = Annotated[str, Field(strict=True)]
Names = Annotated[
    tuple[Text, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])
]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]+$")]
Prefix = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
Prefixes = Annotated[
    tuple[Prefix, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])
]
ClassName = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]
ClassNames = Annotated[
    tuple[ClassName, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])
]


class Strict(BaseModel):
    """What all parts of a rule file share: they are values, and refuse unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""How many neighbouring blocks share a layer: a number, or a table by how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lrd_registry.rule_files.fields import fault, refuse

Table: TypeAlias = dict[int, int]
"""Length of a run of blocks -> how many of them share a layer; of other lengths, one."""

_NUMBER = {"type": "integer", "minimum": 1}
_TABLE = {"type": "object", "minProperties": 1, "additionalProperties": _NUMBER}


def _number_or_table(value: Any) -> int | Table:
    if not isinstance(value, Mapping):
        return _number(value)
    if not value:
        raise fault("a table from a run's length to a number, such as {4: 2}, must not be empty")
    refuse(
        ((str(length),), fault(f"expected integers, such as `4: 2`, found `{length}: {number}`"))
        for length, number in value.items()
        if not (_is_count(length) and _is_count(number) and isinstance(number, int))
    )
    return {int(length): number for length, number in value.items()}


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    if value < 1:
        raise PydanticCustomError("greater_than_equal", "Input should be at least 1")
    return value


def _is_count(value: Any) -> bool:
    """Whether this is a number from 1; keys are text in YAML that was read, and in JSON."""
    return not isinstance(value, bool) and str(value).isdecimal() and int(value) >= 1


Every = Annotated[
    int | Table,
    PlainValidator(_number_or_table),
    PlainSerializer(lambda value: value, return_type=Any),
    WithJsonSchema({"anyOf": [_NUMBER, _TABLE]}),
]


def shared_by(every: int | Table, length: int) -> int:
    """How many neighbours share a layer in a run of this length.

    >>> shared_by(3, 9), shared_by({4: 2, 6: 3}, 6), shared_by({4: 2, 6: 3}, 5)
    (3, 3, 1)
    """
    return every if isinstance(every, int) else every.get(length, 1)

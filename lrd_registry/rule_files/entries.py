"""A list of entries, each under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.fields import Name, fault, refuse


def _as_body(value: Any) -> Any:
    return {"match": value} if isinstance(value, (str, list, tuple)) else value


Body = Annotated[Entry, BeforeValidator(_as_body, json_schema_input_type=str | list[str] | Entry)]


def _with_unique_names(items: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Report repeated entry names along with whatever else is wrong in the list."""
    faults: list[InitErrorDetails] = list(_repeated_names(items))
    try:
        layers = validate(items)
    except ValidationError as error:
        faults += [
            InitErrorDetails(
                type=PydanticCustomError(e["type"], "{message}", {"message": e["msg"]}),
                loc=e["loc"],
                input=e["input"],
            )
            for e in error.errors(include_url=False)
        ]
    if faults:
        raise ValidationError.from_exception_data("layers", faults)
    return layers


def _repeated_names(items: Any) -> Iterable[InitErrorDetails]:
    seen = set()
    for position, item in enumerate(items if isinstance(items, (list, tuple)) else ()):
        for name in item if isinstance(item, dict) else ():
            if name in seen:
                message = f"two entries are called `{name}`; each needs a name of its own"
                error = fault(message, kind="name")
                yield InitErrorDetails(type=error, loc=(position, name), input=item)
            seen.add(name)


def _first_has_nothing_before(
    layers: tuple[dict[str, Entry], ...],
) -> tuple[dict[str, Entry], ...]:
    refuse(
        ((0, name, "previous", position), fault(f"{pattern}: no layer comes before the first"))
        for name, entry in layers[0].items()
        for position, pattern in enumerate(entry.previous)
        if not pattern.indices
    )
    return layers


Entries = Annotated[
    tuple[Annotated[dict[Name, Body], Field(min_length=1, max_length=1)], ...],
    Field(min_length=1),
    AfterValidator(_first_has_nothing_before),
    WrapValidator(_with_unique_names),
]

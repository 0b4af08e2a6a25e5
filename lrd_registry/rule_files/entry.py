"""An entry of a layout, and the list of them: their patterns, and how they make layers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from lrd_registry.patterns.pattern import Pattern
from lrd_registry.rule_files.every import Every, Table
from lrd_registry.rule_files.fields import (
    Name,
    Names,
    Patterns,
    SomePatterns,
    Strict,
    fault,
    refuse,
)
from lrd_registry.rule_files.other_shapes import no_entry, no_list
from lrd_registry.wording import did_you_mean


class Entry(Strict):
    """One line of a layout: the parameters of one layer, or of a run of layers."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["match"]}, {"required": ["outside"]}]}
    )

    match: SomePatterns = Field(
        (),
        description=(
            "The entry's parameters. With an `{index}`, each index is a layer of its own. Only an "
            "entry that has parameters `outside` may leave it out."
        ),
    )
    index: Annotated[Names | None, Field(validate_default=True)] = Field(
        None,
        description=(
            "The indices that tell layers apart, outermost first; all, if left out; of `[]`, none: "
            "one layer, unless one by block is asked for."
        ),
    )
    every: Every = Field(
        1,
        description=(
            "How many neighbours along the last index share one layer; also a table, from how many "
            "there are in a run to how many share (of other lengths: 1)."
        ),
    )
    first: Patterns = Field(
        (),
        description="Parameters that share the entry's first layer (of those with equal indices).",
    )
    last: Patterns = Field(
        (),
        description="Parameters that share the entry's last layer (of those with equal indices).",
    )
    previous: Patterns = Field(
        (),
        description="Parameters that share the layer before these (of those with equal indices).",
    )
    outside: Annotated[Patterns, Field(validate_default=True)] = Field(
        (),
        description="More of the entry's parameters, those beside the layout's prefix.",
    )
    optional: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Whether a model may have no parameters here; its layer counts all the same.",
    )

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """The names of the indices that tell this entry's layers apart."""
        return _indices(self.match) if self.index is None else self.index

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """The names of the indices that all of its patterns have."""
        return _common_indices(self.match)

    @field_validator("index")
    @classmethod
    def _is_captured(
        cls, index: tuple[str, ...] | None, info: ValidationInfo
    ) -> tuple[str, ...] | None:
        match: tuple[Pattern, ...] = info.data.get("match", ())
        if index is None:
            refuse(
                ((), _disagree(pattern, match[0]))
                for pattern in match[1:]
                if set(pattern.indices) != set(match[0].indices)
            )
        else:
            refuse(
                ((position,), _not_captured(name, pattern))
                for position, name in enumerate(index)
                for pattern in match
                if name not in pattern.indices
            )
        return index

    @field_validator("every")
    @classmethod
    def _has_an_index_to_divide(cls, every: int | Table, info: ValidationInfo) -> int | Table:
        indices = _indices_so_far(info)
        if every != 1 and indices == ():
            raise fault("`every` groups neighbours along an {index}, and `match` captures none")
        return every

    @field_validator("outside")
    @classmethod
    def _is_one_layer(
        cls, outside: tuple[Pattern, ...], info: ValidationInfo
    ) -> tuple[Pattern, ...]:
        if not outside and info.data.get("match") == ():
            raise fault("missing key `match`")
        if outside and _indices_so_far(info):
            raise fault("`outside` is for an entry of one layer, and `match` has an {index}")
        refuse(
            ((position,), fault(f"{pattern}: a pattern outside the prefix captures no {{index}}"))
            for position, pattern in enumerate(outside)
            if pattern.indices
        )
        return outside

    @field_validator("first", "last", "previous")
    @classmethod
    def _joins_known_layers(
        cls, patterns: tuple[Pattern, ...], info: ValidationInfo
    ) -> tuple[Pattern, ...]:
        indices = _indices_so_far(info)
        if indices is None:
            return patterns
        indices = indices or _common_indices(info.data["match"])
        if patterns and not indices and info.field_name != "previous":
            raise fault(f"`{info.field_name}` needs several layers, and `match` has no {{index}}")
        refuse(
            ((position,), _no_index_of_match(name, pattern, indices))
            for position, pattern in enumerate(patterns)
            for name in pattern.indices
            if name not in indices
        )
        return patterns


def _indices(patterns: tuple[Pattern, ...]) -> tuple[str, ...]:
    """The indices of patterns that all have the same."""
    return patterns[0].indices if patterns else ()


def _common_indices(patterns: tuple[Pattern, ...]) -> tuple[str, ...]:
    """The indices that all patterns have, in the order of the first."""
    return tuple(i for i in _indices(patterns) if all(i in p.indices for p in patterns))


def _disagree(one: Pattern, other: Pattern) -> PydanticCustomError:
    return fault(
        f"{one} and {other} capture different indices, so they cannot share an entry; use equal "
        "{index} names, or name the common ones in `index`"
    )


def _not_captured(name: str, pattern: Pattern) -> PydanticCustomError:
    hint = did_you_mean(name, pattern.indices)
    return fault(f"index `{name}` is not captured by pattern {pattern}{hint}")


def _no_index_of_match(
    name: str, pattern: Pattern, indices: tuple[str, ...]
) -> PydanticCustomError:
    hint = did_you_mean(name, indices, quote="{{{}}}")
    return fault(f"{pattern}: {{{name}}} is no index of `match`{hint}")


def _indices_so_far(info: ValidationInfo) -> tuple[str, ...] | None:
    """The indices of the entry under validation; None where its patterns are at fault."""
    if "match" not in info.data or "index" not in info.data:
        return None
    index: tuple[str, ...] | None = info.data["index"]
    match: tuple[Pattern, ...] = info.data["match"]
    return _indices(match) if index is None else index


def _as_body(value: Any) -> Any:
    return {"match": value} if isinstance(value, (str, list, tuple)) else value


Body = Annotated[Entry, BeforeValidator(_as_body, json_schema_input_type=str | list[str] | Entry)]


def _check_entry(item: Any) -> Any:
    if message := no_entry(item, Entry.model_fields):
        raise fault(message)
    return item


def _check_list(items: Any) -> Any:
    if message := no_list(items):
        raise fault(message)
    return items


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
        for name in item if isinstance(item, dict) and len(item) == 1 else ():
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
    tuple[
        Annotated[
            dict[Name, Body],
            Field(min_length=1, max_length=1),
            BeforeValidator(_check_entry),
        ],
        ...,
    ],
    Field(min_length=1),
    AfterValidator(_first_has_nothing_before),
    WrapValidator(_with_unique_names),
    BeforeValidator(_check_list),
]

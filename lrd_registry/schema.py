"""What a rule file may say: frozen Pydantic models that mirror the file key by key.

Read and validated here, in memory, with no I/O; `loading` adds the file and its positions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from lrd_registry.patterns import Pattern, PatternError, parse_pattern
from lrd_registry.rule_format import FORMAT, SINGLE_LAYOUT
from lrd_registry.wording import did_you_mean


def fault(message: str) -> PydanticCustomError:
    """A validation error with our own wording; braces in `message` stand for themselves."""
    return PydanticCustomError("rule", "{message}", {"message": message})


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
    return [value] if isinstance(value, (str, Pattern)) else value


def _as_body(value: Any) -> Any:
    return {"match": value} if isinstance(value, (str, list, tuple)) else value


def _check_format(value: int) -> int:
    if value != FORMAT:
        raise fault(f"format {value} is not known; this release reads format {FORMAT}")
    return value


def _check_arch(value: str) -> str:
    if value == "auto":
        raise fault('`auto` cannot name a rule set: arch="auto" means "find the one that fits"')
    return value


RulePattern = Annotated[
    Pattern,
    PlainValidator(_parse, json_schema_input_type=str),
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
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


class Strict(BaseModel):
    """What all parts of a rule file share: they are values, and refuse unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Entry(Strict):
    """One line of a layout: the parameters of one layer, or of a run of layers."""

    match: SomePatterns
    """The entry's parameters. With an `{index}`, each index is a layer of its own."""
    index: tuple[str, ...] | None = None
    """The captured indices that tell layers apart, outermost first. Default: all of them."""
    every: Annotated[int, Field(strict=True, ge=1)] = 1
    """How many neighbours along the last index share one layer."""
    first: Patterns = ()
    """Parameters that share the entry's first layer (of those with equal indices)."""
    last: Patterns = ()
    """Parameters that share the entry's last layer (of those with equal indices)."""
    previous: Patterns = ()
    """Parameters that share the layer before the entry's first (of those with equal indices)."""
    optional: Annotated[bool, Field(strict=True)] = False
    """Whether a model may have no parameters here. The layer is counted all the same."""

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the indices that tell this entry's layers apart."""
        return self.match[0].indices if self.index is None else self.index

    @field_validator("index")
    @classmethod
    def _is_captured(
        cls, index: tuple[str, ...] | None, info: ValidationInfo
    ) -> tuple[str, ...] | None:
        for name in index or ():
            for pattern in info.data.get("match", ()):
                if name not in pattern.indices:
                    hint = did_you_mean(name, pattern.indices)
                    raise fault(f"index `{name}` is not captured by pattern {pattern}{hint}")
        return index

    @field_validator("every")
    @classmethod
    def _has_an_index_to_divide(cls, every: int, info: ValidationInfo) -> int:
        indices = _indices_so_far(info)
        if every > 1 and indices == ():
            raise fault("`every` groups neighbours along an {index}, and `match` captures none")
        return every

    @field_validator("first", "last", "previous")
    @classmethod
    def _joins_known_layers(
        cls, patterns: tuple[Pattern, ...], info: ValidationInfo
    ) -> tuple[Pattern, ...]:
        indices = _indices_so_far(info)
        if indices is None:
            return patterns
        if patterns and not indices and info.field_name != "previous":
            raise fault(f"`{info.field_name}` needs several layers, and `match` has no {{index}}")
        for pattern in patterns:
            for name in pattern.indices:
                if name not in indices:
                    hint = did_you_mean(name, indices, quote="{{{}}}")
                    raise fault(f"{pattern}: {{{name}}} is no index of `match`{hint}")
        return patterns

    @model_validator(mode="after")
    def _agrees_on_indices(self) -> Entry:
        if self.index is None:
            for pattern in self.match[1:]:
                if set(pattern.indices) != set(self.indices):
                    raise fault(
                        f"{pattern} and {self.match[0]} capture different indices, so they "
                        "cannot share an entry; use equal {index} names, or name the common "
                        "ones in `index`"
                    )
        return self


def _indices_so_far(info: ValidationInfo) -> tuple[str, ...] | None:
    """The indices of the entry under validation; None where its patterns are at fault."""
    if "match" not in info.data or "index" not in info.data:
        return None
    index: tuple[str, ...] | None = info.data["index"]
    match: tuple[Pattern, ...] = info.data["match"]
    return match[0].indices if index is None else index


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
    rows = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    counts = Counter(name for item in rows for name in item)
    seen = set()
    for position, item in enumerate(items if rows else ()):
        for name in item if isinstance(item, dict) else ():
            if counts[name] > 1 and name in seen:
                error = fault(f"two entries are called `{name}`; each needs a name of its own")
                yield InitErrorDetails(type=error, loc=(position, name), input=item)
            seen.add(name)


class Layout(Strict):
    """One naming scheme of an architecture: its layers, from the input to the head."""

    signature: Patterns = ()
    """Patterns that must each match a parameter of a model for this layout to apply."""
    layers: Annotated[
        tuple[Annotated[dict[Name, Body], Field(min_length=1, max_length=1)], ...],
        Field(min_length=1),
        WrapValidator(_with_unique_names),
    ]
    """The entries in forward order, one `name: patterns` each."""

    @property
    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """The entries with their names, in forward order."""
        return tuple(pair for item in self.layers for pair in item.items())

    @field_validator("layers")
    @classmethod
    def _first_has_nothing_before(
        cls, layers: tuple[dict[str, Entry], ...]
    ) -> tuple[dict[str, Entry], ...]:
        for name, entry in layers[0].items():
            for pattern in entry.previous:
                if not pattern.indices:
                    raise fault(f"{pattern}: no layer comes before the first entry, `{name}`")
        return layers


class Source(Strict):
    """Where a fact of the rule set comes from."""

    what: str
    """The fact: `numbering`, `names`, `weight decay` …"""
    where: str
    """The paper, or the repository and file, that states it."""


class RuleSet(Strict):
    """One rule file: everything known about one architecture."""

    format: Annotated[
        int,
        Field(strict=True, json_schema_extra={"const": FORMAT}),
        AfterValidator(_check_format),
    ] = FORMAT
    """The version of the file format."""
    arch: Annotated[Name, AfterValidator(_check_arch)]
    """The architecture's name."""
    summary: str = ""
    """The architecture in a few words."""
    sources: tuple[Source, ...] = ()
    """What the file rests on."""
    no_weight_decay: Patterns = ()
    """Parameters that get no weight decay, besides biases and all of at most one dimension."""
    layouts: Annotated[dict[Name, Layout], Field(min_length=1)]
    """The naming schemes; exactly one must fit a model."""

    @model_validator(mode="before")
    @classmethod
    def _name_the_single_layout(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "layers" not in data or "layouts" in data:
            return data
        rest = {key: value for key, value in data.items() if key != "layers"}
        return {**rest, "layouts": {SINGLE_LAYOUT: {"layers": data["layers"]}}}

    def to_dict(self) -> dict[str, Any]:
        """The rule set as plain data; loading it again gives an equal rule set."""
        return self.model_dump(mode="json", exclude_defaults=True)


def rule_file_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a rule file, for editors and validators."""
    schema = RuleSet.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["layers"] = schema["$defs"]["Layout"]["properties"]["layers"]
    schema["required"].remove("layouts")
    schema["oneOf"] = [{"required": ["layouts"]}, {"required": ["layers"]}]
    return schema

"""What a rule file may say: frozen Pydantic models that mirror the file key by key.

Read and validated here, in memory, with no I/O; `loading` adds the file and its positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from lrd_registry.rule_files.clauses import Clause
from lrd_registry.rule_files.entry import Entry
from lrd_registry.rule_files.fields import Name, Patterns, Prefixes, Strict, Text, fault, refuse
from lrd_registry.rule_files.format import FORMAT, SINGLE_LAYOUT
from lrd_registry.rule_files.signature import Signature


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


class Layout(Strict):
    """One naming scheme of an architecture: its layers, from the input to the head."""

    signature: Patterns = Field(
        (),
        description="Patterns that must each match a parameter for this layout to apply.",
    )
    prefix: Prefixes = Field(
        (),
        description=(
            "Where larger models of the library hold this one. The patterns stand for names at "
            "a model's top, or all for names under one of these."
        ),
    )
    layers: Annotated[
        tuple[Annotated[dict[Name, Body], Field(min_length=1, max_length=1)], ...],
        Field(min_length=1),
        WrapValidator(_with_unique_names),
    ] = Field(description="The entries in forward order, one `name: patterns` each.")

    @cached_property
    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """The entries with their names, in forward order."""
        return tuple(pair for item in self.layers for pair in item.items())

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """All patterns of all entries, each with what it does there."""
        return tuple(
            clause
            for position, (_, entry) in enumerate(self.entries)
            for clause in entry.clauses(position)
        )

    @cached_property
    def signatures(self) -> dict[str, Signature]:
        """The layout's signature at a model's top (`""`), and under each prefix."""
        places: dict[str, Signature] = {"": Signature(self.signature)}
        for prefix in self.prefix:
            places[prefix] = Signature(pattern.under(prefix) for pattern in self.signature)
        return places

    @cached_property
    def under(self) -> Callable[[str], Layout]:
        """The layout as it stands under a prefix (`""`: at the top), with no choice left."""
        return cache(self._under)

    def _under(self, prefix: str) -> Layout:
        if not prefix:
            return self
        layers = tuple({name: entry.under(prefix)} for name, entry in self.entries)
        return Layout.model_construct(layers=layers)

    @model_validator(mode="after")
    def _has_an_outside(self) -> Layout:
        if self.prefix:
            return self
        refuse(
            (("layers", position, name, "outside"), fault(_NO_OUTSIDE, kind="name"))
            for position, (name, entry) in enumerate(self.entries)
            if entry.outside
        )
        return self

    @field_validator("layers")
    @classmethod
    def _first_has_nothing_before(
        cls, layers: tuple[dict[str, Entry], ...]
    ) -> tuple[dict[str, Entry], ...]:
        refuse(
            ((0, name, "previous", position), fault(f"{pattern}: no layer comes before the first"))
            for name, entry in layers[0].items()
            for position, pattern in enumerate(entry.previous)
            if not pattern.indices
        )
        return layers


_NO_OUTSIDE = "the layout has no `prefix`, so nothing is outside it; put the patterns into `match`"


class Source(Strict):
    """Where a fact of the rule set comes from."""

    what: Text = Field(description="The fact: `numbering`, `names`, `weight decay` …")
    where: Text = Field(description="The paper, or the repository and file, that states it.")


class RuleSet(Strict):
    """One rule file: everything known about one architecture."""

    format: Annotated[
        int,
        Field(strict=True, json_schema_extra={"const": FORMAT}),
        AfterValidator(_check_format),
    ] = Field(FORMAT, description="The version of the file format.")
    arch: Annotated[Name, AfterValidator(_check_arch)] = Field(
        description="The architecture's name."
    )
    summary: Text = Field("", description="The architecture in a few words.")
    sources: tuple[Source, ...] = Field((), description="What the file rests on.")
    no_weight_decay: Patterns = Field(
        (),
        description="Parameters without weight decay, besides biases and those of one dimension.",
    )
    layouts: Annotated[dict[Name, Layout], Field(min_length=1)] = Field(
        description="The naming schemes; exactly one must fit a model."
    )

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

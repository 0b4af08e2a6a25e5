"""What a rule file may say: frozen Pydantic models that mirror the file key by key.

Read and validated here, in memory, with no I/O; `loading` adds the file and its positions.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from lrd_registry.rule_files.fields import Name, Patterns, Strict, Text, fault
from lrd_registry.rule_files.format import FORMAT, LAYOUT_KEYS, SINGLE_LAYOUT
from lrd_registry.rule_files.layout import Layout

Tied: TypeAlias = Literal["shallowest", "deepest"]
"""Which of its layers a tensor is in whose names are in several."""


MEANT = {"auto": "find the one that fits", "infer": "draft one from the model"}
"""What `arch` means where it names no rule set."""


def _check_format(value: int) -> int:
    if value != FORMAT:
        raise fault(f"format {value} is not known; this release reads format {FORMAT}")
    return value


def _check_arch(value: str) -> str:
    if value in MEANT:
        raise fault(f'`{value}` cannot name a rule set: arch="{value}" means "{MEANT[value]}"')
    return value


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
    kind: Name | None = Field(
        None, description="What it is an architecture of, such as `convolution` or `transformer`."
    )
    summary: Text = Field("", description="The architecture in a few words.")
    sources: tuple[Source, ...] = Field((), description="What the file rests on.")
    no_weight_decay: Patterns = Field(
        (),
        description="Parameters without weight decay, besides biases and those of one dimension.",
    )
    tied: Tied | None = Field(
        None,
        description="Where a tensor's names are in several layers: which of them it is in.",
    )
    layouts: Annotated[dict[Name, Layout], Field(min_length=1)] = Field(
        description="The naming schemes; exactly one must fit a model."
    )

    @model_validator(mode="before")
    @classmethod
    def _name_the_single_layout(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "layouts" in data or data.keys().isdisjoint(LAYOUT_KEYS):
            return data
        rest = {key: value for key, value in data.items() if key not in LAYOUT_KEYS}
        layout = {key: value for key, value in data.items() if key in LAYOUT_KEYS}
        return {**rest, "layouts": {SINGLE_LAYOUT: layout}}

    def __hash__(self) -> int:
        """By the name alone: a cache finds a rule set by it, and compares the rest."""
        return hash(self.arch)

    def to_dict(self) -> dict[str, Any]:
        """The rule set as plain data; loading it again gives an equal rule set."""
        return self.model_dump(mode="json", exclude_defaults=True)


def rule_file_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a rule file, for editors and validators."""
    schema = RuleSet.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for key in LAYOUT_KEYS:
        schema["properties"][key] = schema["$defs"]["Layout"]["properties"][key]
    schema["required"].remove("layouts")
    schema["oneOf"] = [{"required": [key]} for key in ("layouts", "layers", "parts")]
    return schema

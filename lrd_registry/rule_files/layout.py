"""One naming scheme of an architecture: a list of layers, or several parts with one each."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from lrd_registry.rule_files.entry import Body, Entries, Entry
from lrd_registry.rule_files.fields import (
    ClassNames,
    Name,
    Names,
    Patterns,
    Prefixes,
    SomePatterns,
    Strict,
    Text,
    fault,
    refuse,
)
from lrd_registry.rule_files.joined_parts import faults_of_before


class Part(Strict):
    """One part of a larger model, with a depth of its own: a tower, a backbone, an encoder."""

    prefix: Prefixes = Field(
        (),
        description="Where the part is: under this name, or one of these; at the top, if left out.",
    )
    rules: Names = Field(
        (),
        description="The rule set that it uses, by name; of several, exactly one must fit.",
    )
    layers: Entries = Field(
        (), description="In place of `rules`: the part's own entries in forward order."
    )
    before: Name | None = Field(
        None,
        description="The part that this one feeds: its scales go on below that one's first layer.",
    )

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Where the part may be; `""` is the model's top."""
        return self.prefix or ("",)

    @property
    def where(self) -> str:
        """Where the part may be, in words."""
        return " or ".join(f"under {place}" if place else "at the top" for place in self.prefixes)

    @cached_property
    def own(self) -> Layout | None:
        """The part's own layers as a layout."""
        return Layout.model_construct(layers=self.layers) if self.layers else None

    @model_validator(mode="after")
    def _has_one_source_of_layers(self) -> Part:
        if not self.rules and not self.layers:
            raise fault("missing key `rules` (or `layers`)")
        if self.rules and self.layers:
            raise fault("a part has `rules` or its own `layers`, and this one has both")
        return self


class Waiver(Strict):
    """Parameters whose layer is not where the network uses them, for a reason."""

    parameters: SomePatterns = Field(description="The parameters.")
    why: Annotated[Text, Field(min_length=1)] = Field(description="The reason.")


class Layout(Strict):
    """One naming scheme of an architecture: its layers, from the input to the head, or its parts.

    Two parts never share one depth: each has its own layers, and its head the full rate, unless it
    is `before` another part: then its last layer is one step of decay below that one's first.
    """

    classes: ClassNames = Field(
        (),
        description=(
            "The classes that this layout is for, as `package.module.Class`: their models, and "
            "those of classes made from them, are tried here first and nowhere else."
        ),
    )
    signature: Patterns = Field(
        (),
        description="Patterns that must each match a parameter for this layout to apply.",
    )
    prefix: Prefixes = Field(
        (),
        description=(
            "Where larger models of the library hold this one. The patterns, and the prefixes of "
            "parts, stand for names at a model's top, or all for names under one of these."
        ),
    )
    layers: Entries = Field(
        (), description="The entries in forward order, one `name: patterns` each."
    )
    parts: Annotated[dict[Name, Part], Field(min_length=1)] = Field(
        {}, description="In place of `layers`: the parts of the model, by name."
    )
    outside: Annotated[dict[Name, Body], Field(validate_default=True)] = Field(
        {},
        description="Beside the parts: entries of one layer each, at the full learning rate.",
    )
    waivers: tuple[Waiver, ...] = Field(
        (),
        description="Parameters whose layers may contradict the order in which they are used.",
    )

    @cached_property
    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """The entries with their names, in forward order; none where there are parts."""
        return tuple(pair for item in self.layers for pair in item.items())

    @property
    def before(self) -> dict[str, str]:
        """Part -> the part that it goes on below, for those that have one."""
        return {name: part.before for name, part in self.parts.items() if part.before}

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Where the layout may stand; `""` is the model's top."""
        return ("", *self.prefix)

    def __hash__(self) -> int:
        """By the signature, which few layouts share; equal ones have the same."""
        return hash(self.signature)

    @model_validator(mode="after")
    def _is_of_layers_or_parts(self) -> Layout:
        if not self.layers and not self.parts:
            raise fault("missing key `layers` (or `parts`)")
        if self.layers and self.parts:
            raise fault("a layout has `layers` or `parts`, and this one has both")
        if self.outside and not self.parts:
            raise fault("`outside` is for a layout of `parts`; put the entries into `layers`")
        refuse(
            (("outside", name), fault(_TAKEN, kind="name"))
            for name in self.outside
            if name in self.parts
        )
        return self

    @model_validator(mode="after")
    def _is_of_parts_in_order(self) -> Layout:
        refuse(
            (("parts", name, "before"), fault(message))
            for name, message in faults_of_before(self.before, self.parts, self.outside)
        )
        return self

    @model_validator(mode="after")
    def _has_an_outside(self) -> Layout:
        if self.prefix:
            return self
        inside = ((("layers", n, name), entry) for n, (name, entry) in enumerate(self.entries))
        beside = ((("outside", name), entry) for name, entry in self.outside.items())
        refuse(
            ((*place, "outside"), fault(_NO_OUTSIDE, kind="name"))
            for place, entry in (*inside, *beside)
            if entry.outside
        )
        return self

    @field_validator("outside")
    @classmethod
    def _is_of_single_layers(cls, outside: dict[str, Entry]) -> dict[str, Entry]:
        refuse(
            ((name,), fault("an entry outside the parts is one layer; it has patterns only"))
            for name, entry in outside.items()
            if entry.indices or entry.previous
        )
        return outside


_NO_OUTSIDE = "the layout has no `prefix`, so nothing is outside it; put the patterns into `match`"
_TAKEN = "a part has this name; the entry needs one of its own"

"""One naming scheme of an architecture: a list of layers, or several parts with one each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from lrd_registry.rule_files.clauses import Clause
from lrd_registry.rule_files.entry import Body, Entries, Entry
from lrd_registry.rule_files.fields import (
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
from lrd_registry.rule_files.signature import Signature


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

    def under(self, prefix: str) -> Waiver:
        """The waiver for the same parameters under a prefix."""
        if not prefix:
            return self
        moved = tuple(pattern.under(prefix) for pattern in self.parameters)
        return Waiver.model_construct(parameters=moved, why=self.why)


class Layout(Strict):
    """One naming scheme of an architecture: its layers, from the input to the head, or its parts.

    Two parts never share one depth: each has its own layers, and its head the full rate.
    """

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
    def first_segments(self) -> dict[str, frozenset[str] | None]:
        """With what the names begin that its patterns match, under each prefix; None: anything."""
        return {prefix: self._first_segments(prefix) for prefix in self.signatures}

    def _first_segments(self, prefix: str) -> frozenset[str] | None:
        found = {clause.pattern.first for clause in self.under(prefix).clauses}
        return frozenset(first for first in found if first) if found and None not in found else None

    @cached_property
    def under(self) -> Callable[[str], Layout]:
        """The layout as it stands under one of its prefixes (`""`: at the top)."""
        return cache(self._under)

    def _under(self, prefix: str) -> Layout:
        if not prefix:
            return self
        return Layout.model_construct(
            layers=tuple(
                {name: entry.under(prefix).also(entry.outside)} for name, entry in self.entries
            ),
            waivers=tuple(waiver.under(prefix) for waiver in self.waivers),
        )

    @cached_property
    def inside(self) -> Callable[[str], Layout]:
        """The layout as it stands in a larger model that holds all of it under a prefix."""
        return cache(self._inside)

    def _inside(self, prefix: str) -> Layout:
        if not prefix:
            return self
        return Layout.model_construct(
            layers=tuple({name: entry.under(prefix)} for name, entry in self.entries),
            waivers=tuple(waiver.under(prefix) for waiver in self.waivers),
        )

    @model_validator(mode="after")
    def _is_of_layers_or_parts(self) -> Layout:
        if not self.layers and not self.parts:
            raise fault("missing key `layers` (or `parts`)")
        if self.layers and self.parts:
            raise fault("a layout has `layers` or `parts`, and this one has both")
        if self.outside and not self.parts:
            raise fault("`outside` is for a layout of `parts`; put the entries into `layers`")
        if self.parts and self.prefix:
            raise fault("`prefix` is for a layout of `layers`; each part has a `prefix` of its own")
        refuse(
            (("outside", name), fault(_TAKEN, kind="name"))
            for name in self.outside
            if name in self.parts
        )
        return self

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

    @field_validator("outside")
    @classmethod
    def _is_of_single_layers(cls, outside: dict[str, Entry]) -> dict[str, Entry]:
        refuse(
            ((name,), fault("an entry outside the parts is one layer; it has patterns only"))
            for name, entry in outside.items()
            if entry.indices or entry.previous or entry.outside
        )
        return outside


_NO_OUTSIDE = "the layout has no `prefix`, so nothing is outside it; put the patterns into `match`"
_TAKEN = "a part has this name; the entry needs one of its own"

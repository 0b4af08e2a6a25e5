"""The result for one model: each parameter's layer, with the entry and pattern behind it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

from lrd_registry.decay import LayerDecay, check_layer_decay, layer_scale
from lrd_registry.model_names.reading import INPUT
from lrd_registry.patterns.pattern import Pattern
from lrd_registry.wording import in_layers

SHOWN_DECAY = 0.75
"""The layer decay of printed scales: that of `build_param_groups`, where none is given."""

KnownBy: TypeAlias = Literal["class", "names"]

Level: TypeAlias = tuple[str, int]
"""A layer of a model: the part that it is in, and its number there."""


class Placement(NamedTuple):
    """A layer, the entry that it belongs to, and the pattern that put a parameter there."""

    layer: int
    entry: str
    pattern: str
    part: str = ""

    @property
    def level(self) -> Level:
        """The part, and the layer in it."""
        return self.part, self.layer


class Row(NamedTuple):
    """One parameter of an assignment; `part` is empty where the model is all of one part."""

    name: str
    layer: int
    entry: str
    pattern: str
    part: str = ""

    @property
    def level(self) -> Level:
        """The part, and the layer in it."""
        return self.part, self.layer


class Waived(NamedTuple):
    """Parameters whose layer is not where the network uses them, and why that is right."""

    parameters: tuple[Pattern, ...]
    why: str

    def under(self, prefix: str) -> Waived:
        """The same for the parameters under a prefix."""
        return Waived(tuple(pattern.under(prefix) for pattern in self.parameters), self.why)


@dataclass(frozen=True, repr=False)
class Assignment(Mapping[str, Row]):
    """Every parameter of one model in its layer: a mapping from parameter name to `Row`.

    `print` shows a table of the layers, with their scales at a layer decay of 0.75.

    Attributes:
        arch: the rule set's name.
        layout: the layout that fits the model.
        entries: the names of the layout's entries, in forward order.
        parts: part -> the entry of each of its layers, from its input to its head; one part, `""`,
            unless the rule file is composed of several.
        placements: parameter name -> placement, in the model's order.
        written: parameter name -> the same as its author wrote it.
        before: part -> the part that it feeds, whose scales it goes on below.
        adapters: the names of adapters, written as the parameters that they adapt, of which they
            may have several.
        aliases: parameter name -> its other names, for tied parameters.
        roots: where in the model the rule sets apply, as written; `""` is its top.
        no_weight_decay: the rule sets' patterns of parameters without weight decay.
        waivers: the rule sets' parameters whose layer may contradict the order of their use.
        whole: the fingerprint of the whole model's assignment, if this is a part of it.
        known_by: whether the model's class told which layouts to try, or its names alone.
    """

    arch: str
    layout: str
    entries: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]]
    placements: Mapping[str, Placement]
    written: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    adapters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roots: tuple[str, ...] = ("",)
    no_weight_decay: tuple[Pattern, ...] = ()
    waivers: tuple[Waived, ...] = ()
    whole: str | None = None
    known_by: KnownBy = "names"

    def __getitem__(self, name: str) -> Row:
        return Row(name, *self.placements[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.placements)

    def __len__(self) -> int:
        return len(self.placements)

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def __repr__(self) -> str:
        return (
            f"<Assignment of {len(self):,} parameters to {self.num_layers} layers by "
            f"{self.arch}/{self.layout}>"
        )

    def __str__(self) -> str:
        levels = (place.level for place in self.placements.values())
        depth = in_layers(self.depths, self.before)
        head = f"{self.arch} (layout {self.layout}), {depth}, layer decay {SHOWN_DECAY:g}"
        return f"{head}\n{layer_table(self.parts, self.before, levels, SHOWN_DECAY)}"

    @property
    def num_layers(self) -> int:
        """How many layers there are, from the input to the head; of several parts, the most."""
        return max(self.depths.values())

    @property
    def depths(self) -> dict[str, int]:
        """How many layers each part has."""
        return {part: len(layers) for part, layers in self.parts.items()}

    @property
    def layers(self) -> tuple[str, ...]:
        """The entry of each layer, from the input to the head, one part after another."""
        return tuple(entry for layers in self.parts.values() for entry in layers)

    @property
    def levels(self) -> dict[Level, str]:
        """The entry of each layer of each part."""
        return {
            (part, layer): entry
            for part, entries in self.parts.items()
            for layer, entry in enumerate(entries)
        }

    def scale(self, name: str, layer_decay: LayerDecay) -> float:
        """The learning-rate scale of a parameter: `layer_decay ** (num_layers - 1 - layer)`.

        In a model of several parts, the number of layers is that of the parameter's part, and
        `layer_decay` may be a mapping from part to decay. In a part that is before another, it
        is the scale of that one's first layer, times `layer_decay ** (num_layers - layer)`.

        Raises:
            InvalidArgumentError: `layer_decay` is no decay.
            KeyError: the model has no parameter of this name.
        """
        check_layer_decay(layer_decay)
        return layer_scale(self.placements[name].level, self.depths, self.before, layer_decay)

    def to_dict(self) -> dict[str, Any]:
        """The assignment as plain data, ready for JSON; parts are left out where there is one."""
        plain = "" in self.parts
        hidden = {"part"} if plain else set()
        return {
            "arch": self.arch,
            "layout": self.layout,
            "num_layers": self.num_layers,
            **({} if plain else {"parts": self.depths}),
            **({"before": dict(self.before)} if self.before else {}),
            "parameters": [
                {key: value for key, value in row._asdict().items() if key not in hidden}
                for row in self.values()
            ],
        }

    def fingerprint(self) -> str:
        """A digest of what determines the scales: the number of layers and each one's layer.

        SHA-256, in hexadecimal, of UTF-8 text: a line with the number of layers, then a line
        `name TAB layer` for each parameter as its author wrote it, each once, sorted, and no
        newline at the end. In a model of several parts, a line `part TAB layers` for each in
        place of the first, and one `part TAB before TAB other` for each that is before another;
        then `name TAB part TAB layer`. Equal on every machine and in every
        Python version; parameter order, freezing, wrappers, adapters and the names of entries do
        not change it. `build_param_groups` stores it in every group as `assignment`, which an
        optimizer keeps in its `state_dict()`. What is made of a part has the whole's.
        """
        return self._digest if self.whole is None else self.whole

    @cached_property
    def _digest(self) -> str:
        written, placed = self.written, self.placements.items()
        if "" in self.parts:
            head = str(self.num_layers)
            rows = [f"{written[name]}\t{place.layer}" for name, place in placed]
        else:
            depths = [f"{part}\t{depth}" for part, depth in self.depths.items()]
            joined = [f"{part}\tbefore\t{other}" for part, other in self.before.items()]
            head = "\n".join(depths + joined)
            rows = [f"{written[name]}\t{place.part}\t{place.layer}" for name, place in placed]
        if INPUT in written.values():
            rows = [row for row in rows if not row.startswith(f"{INPUT}\t")]
        once = dict.fromkeys(rows)  # in the model's order, which is sorted more quickly than a set
        return hashlib.sha256("\n".join([head, *sorted(once)]).encode()).hexdigest()


Line: TypeAlias = tuple[str, str, str, str]
HEAD: Line = ("layer", "entry", "parameters", "scale")


def layer_table(
    parts: Mapping[str, Sequence[str]],
    before: Mapping[str, str],
    levels: Iterable[Level],
    layer_decay: float,
) -> str:
    """A line for each layer: its number, its entry, its number of parameters and its scale.

    Args:
        parts: part -> the entry of each of its layers.
        before: part -> the part that it goes on below.
        levels: the part and the layer of each parameter.
        layer_decay: the factor from one layer to the one before it.

    >>> print(layer_table({"": ("stem", "head")}, {}, [("", 0), ("", 0), ("", 1)], 0.5))
    layer  entry  parameters  scale
        0  stem            2    0.5
        1  head            1      1
    """
    counts, depths = Counter(levels), {part: len(entries) for part, entries in parts.items()}
    lines: list[Line] = [
        (
            str(layer),
            entry,
            f"{counts[part, layer]:,}",
            f"{layer_scale((part, layer), depths, before, layer_decay):.6g}",
        )
        for part, entries in parts.items()
        for layer, entry in enumerate(entries)
    ]
    return "\n".join(_aligned([HEAD, *lines]))


def _aligned(lines: Sequence[Line]) -> Iterable[str]:
    """The lines with their columns below each other, numbers to the right."""
    wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for layer, entry, count, scale in lines:
        numbers = f"{count:>{wide[2]}}  {scale:>{wide[3]}}"
        yield f"{layer:>{wide[0]}}  {entry:<{wide[1]}}  {numbers}"

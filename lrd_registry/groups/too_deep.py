"""Networks of so many layers that a layer decay freezes the first, in effect."""

from __future__ import annotations

from collections.abc import Mapping

from lrd_registry.assignment import Assignment
from lrd_registry.decay import LayerDecay, layer_scale

LEAST = 1e-5
"""The scale below which a layer hardly learns, whatever the learning rate."""

USUAL = 0.024
"""The scale of a ViT-Base's stem, of 14 layers, at a layer decay of 0.75."""

STAGED = 4
"""How many layers by stage, with stem and head, make it worth to be named; a ViT has three."""


def say_too_deep(
    assignment: Assignment, layer_decay: LayerDecay, layers_by_stage: int | None = None
) -> str | None:
    """What a layer decay does to a deep network, and what would be usual; None where it is usual.

    Args:
        assignment: the layers.
        layer_decay: the factor from one layer to the one before it.
        layers_by_stage: how many layers there would be by stage, where that is known and fewer.

    >>> from lrd_registry import assign_layers
    >>> pairs = [(f"blocks.{n}.weight", __import__("torch").nn.Parameter()) for n in range(60)]
    >>> layers = assign_layers(pairs, {"arch": "deep", "layers": [{"block": "blocks.{block}.**"}]})
    >>> print(say_too_deep(layers, 0.75, 6))
    'deep' has 60 layers here, so layer_decay=0.75 trains the first at 4.3e-08 of the head's \
learning rate: frozen, in effect. layer_decay=0.94 would train it at 0.026; layers_by="stage" \
makes 6 layers
    >>> say_too_deep(layers, 0.95)
    """
    depths = assignment.depths
    part, lowest = _first_layer(assignment, layer_decay)
    if lowest >= LEAST:
        return None
    name = f"{assignment.arch!r}{f' ({part})' if part else ''}"
    said = (
        f"{name} has {depths[part]} layers here, so layer_decay={_shown(layer_decay)} trains the "
        f"first at {lowest:.2g} of the head's learning rate: frozen, in effect"
    )
    ways = [*_a_usual_decay(depths[part], layer_decay)]
    if layers_by_stage is not None and STAGED <= layers_by_stage < depths[part]:
        ways.append(f'layers_by="stage" makes {layers_by_stage} layers')
    return f"{said}. {'; '.join(ways)}" if ways else said


def is_too_deep(assignment: Assignment, layer_decay: LayerDecay) -> bool:
    """Whether a layer decay freezes the first layer, in effect."""
    return _first_layer(assignment, layer_decay)[1] < LEAST


def _first_layer(assignment: Assignment, layer_decay: LayerDecay) -> tuple[str, float]:
    """The part whose first layer has the lowest scale, and that scale."""
    depths, before = assignment.depths, assignment.before
    scales = {
        part: layer_scale((part, 0), depths, before, layer_decay)
        for part, depth in depths.items()
        if depth
    }
    return min(scales.items(), key=lambda item: item[1])


def _shown(layer_decay: LayerDecay) -> str:
    return str(dict(layer_decay)) if isinstance(layer_decay, Mapping) else f"{layer_decay:g}"


def _a_usual_decay(depth: int, layer_decay: LayerDecay) -> list[str]:
    """A decay that gives a network of one part the range that is usual."""
    if isinstance(layer_decay, Mapping):
        return []
    decay = round(USUAL ** (1 / (depth - 1)), 2)
    return [f"layer_decay={decay:g} would train it at {decay ** (depth - 1):.2g}"]

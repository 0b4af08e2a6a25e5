"""Layer → learning-rate scale: arithmetic only."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TypeAlias

from lrd_registry.arguments import DECAY, check_number
from lrd_registry.errors import InvalidArgumentError

LayerDecay: TypeAlias = float | Mapping[str, float]
"""The factor from one layer to the one before it; one for all parts, or part -> its own."""


def layer_scale(
    level: tuple[str, int],
    depths: Mapping[str, int],
    before: Mapping[str, str],
    layer_decay: LayerDecay,
) -> float:
    """The learning-rate scale of a layer: `layer_decay ** (num_layers - 1 - layer)`.

    In a part that is before another, it is the scale of that one's first layer, times
    `layer_decay ** (num_layers - layer)`.

    Args:
        level: the part that the layer is in, and its depth there, 0 at the input.
        depths: part -> how many layers it has.
        before: part -> the part that it goes on below.
        layer_decay: the factor from one layer to the one before it.

    Source: BEiT (Bao et al., arXiv 2106.08254), `beit/optim_factory.py` in microsoft/unilm,
    where the number of layers is that of the blocks and two.

    >>> [layer_scale(("", layer), {"": 4}, {}, 0.5) for layer in range(4)]
    [0.125, 0.25, 0.5, 1.0]
    >>> depths, before = {"image": 2, "fusion": 2}, {"image": "fusion"}
    >>> [layer_scale((part, layer), depths, before, 0.5) for part in depths for layer in (0, 1)]
    [0.125, 0.25, 0.5, 1.0]
    """
    steps = steps_to_full_rate(level, depths, before)
    return math.prod((decay_of(layer_decay, part) ** n for part, n in steps.items()), start=1.0)


def layer_scales(
    depths: Mapping[str, int], before: Mapping[str, str], layer_decay: LayerDecay
) -> dict[tuple[str, int], float]:
    """The `layer_scale` of each layer of each part, from its input to its head.

    >>> layer_scales({"": 3}, {}, 0.5)
    {('', 0): 0.25, ('', 1): 0.5, ('', 2): 1.0}
    """
    scales: dict[tuple[str, int], float] = {}
    for part, depth in depths.items():
        if depth:
            own, *beyond = steps_to_full_rate((part, 0), depths, before).items()
            factors = [decay_of(layer_decay, other) ** steps for other, steps in beyond]
            decay, steps = decay_of(layer_decay, part), own[1]
            for layer in range(depth):
                scales[part, layer] = math.prod(factors, start=float(decay ** (steps - layer)))
    return scales


def steps_to_full_rate(
    level: tuple[str, int], depths: Mapping[str, int], before: Mapping[str, str]
) -> dict[str, int]:
    """How many layers are between a layer and the full rate, by the part whose decay they have.

    A part of no layers, which is before another, is passed over.

    >>> steps_to_full_rate(("image", 0), {"image": 3, "fusion": 2}, {"image": "fusion"})
    {'image': 3, 'fusion': 1}
    """
    part, layer = level
    steps = {each: depths[each] for each in parts_from(part, before) if depths[each]}
    steps[part] -= layer
    steps[[*steps][-1]] -= 1
    return steps


def parts_from(part: str, before: Mapping[str, str]) -> list[str]:
    """A part, the one that it is before, the one that that is before, and so on.

    >>> parts_from("image", {"fusion": "decoder", "image": "fusion"})
    ['image', 'fusion', 'decoder']
    """
    found = [part]
    while found[-1] in before:
        found.append(before[found[-1]])
    return found


def decay_of(layer_decay: LayerDecay, part: str) -> float:
    """The layer decay of a part; 1, without effect, for one that has none.

    >>> decay_of(0.75, "visual"), decay_of({"visual": 0.7}, "visual"), decay_of({}, "logit_scale")
    (0.75, 0.7, 1.0)
    """
    return layer_decay.get(part, 1.0) if isinstance(layer_decay, Mapping) else layer_decay


def check_parts(
    layer_decay: LayerDecay, depths: Mapping[str, int], before: Mapping[str, str], arch: str
) -> None:
    """Refuse a layer decay by parts that are not the model's, or that leaves one out.

    A part of one layer has a decay of its own only where it is before another.

    Args:
        layer_decay: a number fits any model.
        depths: part -> how many layers it has.
        before: part -> the part that it goes on below.
        arch: the rule set's name, for messages.

    Raises:
        InvalidArgumentError: the parts differ.
    """
    if not isinstance(layer_decay, Mapping):
        return
    needed = [part for part, depth in depths.items() if depth > 1 or (depth and part in before)]
    if "" in depths:
        raise InvalidArgumentError(
            f"layer_decay: {arch!r} is one part with one depth; pass a number, found "
            f"{dict(layer_decay)!r}"
        )
    if sorted(layer_decay) != sorted(needed):
        raise InvalidArgumentError(
            f"layer_decay: {arch!r} needs one for each of {', '.join(needed)}; found "
            f"{', '.join(layer_decay) or 'none'}"
        )


def check_layer_decay(layer_decay: LayerDecay) -> None:
    """Refuse what is no number, not finite, or not above 0.

    Raises:
        InvalidArgumentError: a layer decay that is no decay.
    """
    decays = layer_decay.values() if isinstance(layer_decay, Mapping) else [layer_decay]
    for decay in decays:
        check_number("layer_decay", decay, DECAY)


def warn_above_1(layer_decay: LayerDecay) -> None:
    """Warn of a layer decay above 1, where early layers train faster than the head."""
    decays = layer_decay.values() if isinstance(layer_decay, Mapping) else [layer_decay]
    for decay in decays:
        if decay > 1:
            warnings.warn(
                f"layer_decay={decay} is above 1: early layers get a higher learning rate "
                "than the head",
                stacklevel=5,  # past Scales and its caller here: the line that asked for it
            )

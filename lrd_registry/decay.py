"""Layer → learning-rate scale: arithmetic only."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TypeAlias

from lrd_registry.arguments import DECAY, check_number
from lrd_registry.errors import InvalidArgumentError

LayerDecay: TypeAlias = float | Mapping[str, float]
"""The factor from one layer to the one before it; one for all parts, or part -> its own."""


def layer_scale(layer: int, num_layers: int, layer_decay: float) -> float:
    """The learning-rate scale of a layer: `layer_decay ** (num_layers - 1 - layer)`.

    Args:
        layer: its depth, 0 at the input and `num_layers - 1` at the head.
        num_layers: how many layers there are.
        layer_decay: the factor from one layer to the one before it.

    Source: BEiT (Bao et al., arXiv 2106.08254), `beit/optim_factory.py` in microsoft/unilm,
    where the number of layers is that of the blocks and two.

    >>> [layer_scale(layer, 4, 0.5) for layer in range(4)]
    [0.125, 0.25, 0.5, 1.0]
    """
    return float(layer_decay ** (num_layers - 1 - layer))


def decay_of(layer_decay: LayerDecay, part: str) -> float:
    """The layer decay of a part; 1, without effect, for one of a single layer that has none.

    >>> decay_of(0.75, "visual"), decay_of({"visual": 0.7}, "visual"), decay_of({}, "logit_scale")
    (0.75, 0.7, 1.0)
    """
    return layer_decay.get(part, 1.0) if isinstance(layer_decay, Mapping) else layer_decay


def check_parts(layer_decay: LayerDecay, depths: Mapping[str, int], arch: str) -> None:
    """Refuse a layer decay by parts that are not the model's, or that leaves one out.

    Args:
        layer_decay: a number fits any model.
        depths: part -> how many layers it has.
        arch: the rule set's name, for messages.

    Raises:
        InvalidArgumentError: the parts differ.
    """
    if not isinstance(layer_decay, Mapping):
        return
    needed = [part for part, depth in depths.items() if depth > 1]
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

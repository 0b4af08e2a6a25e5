"""Layer → learning-rate scale: arithmetic only."""

from __future__ import annotations

import math
import warnings

from lrd_registry.errors import InvalidArgumentError


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


def check_layer_decay(layer_decay: float) -> None:
    """Refuse what is not finite and positive; warn above 1, where early layers train faster.

    Raises:
        InvalidArgumentError: a layer decay that is no decay.
    """
    if not (math.isfinite(layer_decay) and layer_decay > 0):
        raise InvalidArgumentError(
            f"layer_decay must be finite and above 0, usually 0.5 to 1; found {layer_decay!r}"
        )
    if layer_decay > 1:
        warnings.warn(
            f"layer_decay={layer_decay} is above 1: early layers get a higher learning rate "
            "than the head",
            stacklevel=5,  # past Scales and its caller here: the line that asked for it
        )

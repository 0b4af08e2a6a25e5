"""Tensors with several names: in one layer all the same, or in that which the rule set says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrd_registry.layers.assignment import Placement
from lrd_registry.rule_files.schema import Tied


def settle(
    placed: Mapping[str, Placement], names: Sequence[str], tied: Tied | None
) -> Placement | None:
    """Where a tensor is that goes by these names; None where they are torn between layers.

    Layers of different parts have no order, so names in different parts are torn whatever
    `tied` says.

    >>> placed = {"a": Placement(0, "stem", "a"), "b": Placement(3, "head", "b")}
    >>> settle(placed, ["a", "b"], "deepest")
    Placement(layer=3, entry='head', pattern='b', part='')
    >>> settle(placed, ["a", "b"], None)
    """
    found = [placed[name] for name in names]
    if len({(place.part, place.layer) for place in found}) == 1:
        return found[0]
    if tied is None or len({place.part for place in found}) > 1:
        return None
    return (min if tied == "shallowest" else max)(found, key=lambda place: place.layer)

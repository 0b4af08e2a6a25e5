"""What each parameter is trained with: by hand, and as the groups of an optimizer say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.support.trainers.tiny import LAYER_DECAY, LR, by_prefix, timm_vit

WEIGHT_DECAY = 0.05
LAYERS = {  # by prefix
    **dict.fromkeys(("cls_token", "pos_embed", "patch_embed"), 0),
    **{f"blocks.{index}": index + 1 for index in range(6)},
    **dict.fromkeys(("norm", "head"), 7),
}
TOKENS = ("cls_token", "pos_embed")


class Row(NamedTuple):
    """What one parameter is trained with."""

    layer: int
    lr: float
    weight_decay: float


def rows_meant(factor: float = 1.0) -> dict[str, Row]:
    """The rows of the bare model, where a schedule has come to this factor."""
    model = timm_vit()
    layers = by_prefix(model, LAYERS)
    rows = {}
    for name, parameter in model.named_parameters():
        decays = parameter.ndim > 1 and name not in TOKENS
        rate = LR * LAYER_DECAY ** (7 - layers[name]) * factor
        rows[name] = Row(layers[name], rate, WEIGHT_DECAY if decays else 0.0)
    return rows


def rows_of(groups: Iterable[Mapping[str, Any]]) -> dict[str, Row]:
    """The rows that some groups stand for."""
    return {
        name: Row(group["layer"], group["lr"], group["weight_decay"])
        for group in groups
        for name in group["param_names"]
    }


def without_wrappers(rows: Mapping[str, Row]) -> dict[str, Row]:
    """The same under the names of the bare model."""
    bare = (name.replace("_fsdp_wrapped_module.", "").removeprefix("module.") for name in rows)
    return dict(zip(bare, rows.values(), strict=True))

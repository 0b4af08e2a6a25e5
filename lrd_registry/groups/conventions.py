"""Under which keys a group carries its learning rate, for the loop that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.wording import did_you_mean

Keys: TypeAlias = dict[str, float | bool]
ConventionName: TypeAlias = Literal["timm", "torch", "dinov2", "megatron", "megatron_max_lr"]


class Convention(NamedTuple):
    """What one kind of loop reads from a group.

    Attributes:
        scale: the key of the scale; None where the rates themselves are scaled.
        decays: the key that says whether the group's weight decay counts, 1 or 0.
        peak: the keys of the base learning rate, where one is given.
        floor: the key of the least learning rate of the schedule, where one is given.
        last_layer: the key that marks the last layer of a self-distillation head, which has a
            schedule of its own.
    """

    scale: str | None = None
    decays: str | None = None
    peak: tuple[str, ...] = ("lr",)
    floor: str | None = None
    last_layer: str | None = None

    def split(self, names: list[str]) -> list[tuple[bool, list[str]]]:
        """The names of one kind of group, apart where the loop treats a last layer apart.

        >>> CONVENTIONS["dinov2"].split(["mlp.weight", "last_layer.weight"])
        [(False, ['mlp.weight']), (True, ['last_layer.weight'])]
        """
        if self.last_layer is None:
            return [(False, names)] if names else []
        last = [name for name in names if LAST_LAYER in name.split(".")]
        others = [name for name in names if LAST_LAYER not in name.split(".")]
        return [(is_last, part) for is_last, part in ((False, others), (True, last)) if part]


CONVENTIONS: Mapping[str, Convention] = {
    # timm's schedulers and MAE's adjust_learning_rate; `lr`, if given, is the base.
    "timm": Convention(scale="lr_scale"),
    # torch's schedulers, Lightning, Accelerate, Hugging Face's Trainer.
    "torch": Convention(),
    # DINOv2's apply_optim_scheduler (dinov2/train/train.py).
    "dinov2": Convention("lr_multiplier", "wd_multiplier", last_layer="is_last_layer"),
    # Megatron-LM's OptimizerParamScheduler (megatron/core/optimizer_param_scheduler.py), while it
    # read `lr_mult`;
    "megatron": Convention("lr_mult", "wd_mult", peak=("lr", "max_lr"), floor="min_lr"),
    # and since it does not: a group overrides the ends of the schedule.
    "megatron_max_lr": Convention(None, "wd_mult", peak=("lr", "max_lr"), floor="min_lr"),
}

LAST_LAYER = "last_layer"
"""The name of the last layer in DINO's and DINOv2's heads (dinov2/layers/dino_head.py)."""


def choose_convention(
    convention: str | None, lr: float | None, min_lr: float | None = None
) -> Convention:
    """The convention asked for; left out, `"torch"` where `lr` is given, else `"timm"`.

    Raises:
        InvalidArgumentError: an unknown convention; one whose rates are scaled, without `lr`; or
            `min_lr` with one whose loop does not read it from a group.

    >>> choose_convention(None, 1e-3).scale, choose_convention(None, None).scale
    (None, 'lr_scale')
    """
    name = ("timm" if lr is None else "torch") if convention is None else convention
    if name not in CONVENTIONS:
        hint = did_you_mean(name, CONVENTIONS, quote="{!r}")
        raise InvalidArgumentError(
            f"convention must be one of {', '.join(map(repr, CONVENTIONS))}; found {name!r}{hint}"
        )
    chosen = CONVENTIONS[name]
    if chosen.scale is None and lr is None:
        raise InvalidArgumentError(
            f"convention={name!r} sets each group's {' and '.join(chosen.peak)} to the base "
            "learning rate times its scale, so it needs the base: pass lr=…"
        )
    if min_lr is not None and chosen.floor is None:
        readers = ", ".join(repr(key) for key, row in CONVENTIONS.items() if row.floor)
        raise InvalidArgumentError(
            f"the loops of convention={name!r} read no least learning rate from a group, so min_lr "
            f"would have no effect; give it to the scheduler (those of {readers} read it)"
        )
    return chosen


def rate_keys(
    convention: Convention,
    scale: float,
    lr: float | None,
    min_lr: float | None,
    *,
    decays: bool,
    is_last: bool,
) -> Keys:
    """The keys that carry a group's learning rate.

    >>> rate_keys(CONVENTIONS["torch"], 0.5, 1e-3, None, decays=True, is_last=False)
    {'lr': 0.0005}
    >>> rate_keys(CONVENTIONS["timm"], 0.5, 1e-3, None, decays=True, is_last=False)
    {'lr': 0.001, 'lr_scale': 0.5}
    """
    factor = 1.0 if convention.scale else scale
    keys: Keys = {}
    if lr is not None:
        keys.update(dict.fromkeys(convention.peak, lr * factor))
    if min_lr is not None and convention.floor:
        keys[convention.floor] = min_lr * factor
    if convention.scale:
        keys[convention.scale] = scale
    if convention.decays:
        keys[convention.decays] = float(decays)
    if convention.last_layer:
        keys[convention.last_layer] = is_last
    return keys

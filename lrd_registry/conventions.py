"""Under which keys a group carries its learning rate, for the loop that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.wording import did_you_mean

Keys: TypeAlias = dict[str, float]


class Convention(NamedTuple):
    """The keys of a group that carry its scale, and whether it decays (1) or not (0)."""

    scale: str | None
    decays: str | None


CONVENTIONS: Mapping[str, Convention] = {
    # timm's schedulers and MAE's adjust_learning_rate; `lr`, if given, is the base.
    "timm": Convention("lr_scale", None),
    # torch's schedulers, Lightning, Hugging Face's Trainer: `lr` is the base times the scale.
    "torch": Convention(None, None),
    # DINOv2's apply_optim_scheduler (dinov2/train/train.py).
    "dinov2": Convention("lr_multiplier", "wd_multiplier"),
    # Megatron-LM's OptimizerParamScheduler (megatron/core/optimizer_param_scheduler.py).
    "megatron": Convention("lr_mult", "wd_mult"),
}


def choose_convention(convention: str | None, lr: float | None) -> str:
    """The convention asked for; left out, `"torch"` where `lr` is given, else `"timm"`.

    Raises:
        InvalidArgumentError: an unknown convention, or `"torch"` without `lr`.

    >>> choose_convention(None, 1e-3), choose_convention(None, None)
    ('torch', 'timm')
    """
    if convention is None:
        return "timm" if lr is None else "torch"
    if convention not in CONVENTIONS:
        hint = did_you_mean(convention, CONVENTIONS, quote="{!r}")
        raise InvalidArgumentError(
            f"convention must be one of {', '.join(map(repr, CONVENTIONS))}; "
            f"found {convention!r}{hint}"
        )
    if convention == "torch" and lr is None:
        raise InvalidArgumentError(
            'convention="torch" sets each group\'s lr to the base lr times its scale, so it needs '
            "the base: pass lr=…"
        )
    return convention


def rate_keys(convention: str, lr: float | None, scale: float, decays: bool) -> Keys:
    """The keys that carry a group's learning rate.

    >>> rate_keys("torch", 1e-3, 0.5, True)
    {'lr': 0.0005}
    >>> rate_keys("timm", 1e-3, 0.5, True)
    {'lr': 0.001, 'lr_scale': 0.5}
    """
    scale_key, decay_key = CONVENTIONS[convention]
    keys: Keys = {}
    if lr is not None:
        keys["lr"] = lr if scale_key else lr * scale
    if scale_key:
        keys[scale_key] = scale
    if decay_key:
        keys[decay_key] = float(decays)
    return keys

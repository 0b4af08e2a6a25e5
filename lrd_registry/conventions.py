"""Under which keys a group carries its learning rate, for the loop that reads it.

| convention | keys | read by |
|---|---|---|
| `timm` | `lr_scale`; `lr`, if given, is the base | timm's schedulers, MAE's `adjust_learning_rate` |
| `torch` | `lr`, the base times the scale | torch's schedulers, Lightning, Hugging Face Trainer |
| `dinov2` | `lr_multiplier`, `wd_multiplier` | `apply_optim_scheduler` of DINOv2's `train.py` |
| `megatron` | `lr_mult`, `wd_mult` | Megatron-LM's `OptimizerParamScheduler` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.wording import did_you_mean

Keys: TypeAlias = dict[str, float]

CONVENTIONS: Mapping[str, Callable[[float, bool], Keys]] = {
    "timm": lambda scale, decays: {"lr_scale": scale},
    "torch": lambda scale, decays: {},
    "dinov2": lambda scale, decays: {"lr_multiplier": scale, "wd_multiplier": float(decays)},
    "megatron": lambda scale, decays: {"lr_mult": scale, "wd_mult": float(decays)},
}
"""Convention -> the keys of a group, from its scale and from whether it decays."""


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
    base: Keys = {} if lr is None else {"lr": lr * scale if convention == "torch" else lr}
    return base | CONVENTIONS[convention](scale, decays)

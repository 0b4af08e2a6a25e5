"""Real steps of a ViT, verified, and what one process makes of the bare model with the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.optim.lr_scheduler import LambdaLR

from lrd_registry import Assignment, assign_layers, build_param_groups, verify_learning_rates
from tests.support.building import on_meta
from tests.support.trainers.tiny import IMAGES, LAYER_DECAY, LR, take_step, timm_vit

STEPS = 2
FACTOR = 1 / (1 + STEPS)
"""Where the schedule is after training."""


def vit() -> nn.Module:
    """The model, in double precision: whatever differs after training then shows."""
    return timm_vit().double()


@cache
def whole() -> Assignment:
    """The layers of the whole, bare model, on the meta device."""
    return assign_layers(on_meta(timm_vit))


def groups_of(model, arch="auto", **options) -> list[dict[str, Any]]:
    return build_param_groups(model, arch, **{"layer_decay": LAYER_DECAY, "lr": LR, **options})


def sgd(groups) -> torch.optim.SGD:
    return torch.optim.SGD(groups, lr=LR, momentum=0.9)


def scheduled(optimizer) -> LambdaLR:
    """Half the rates after one step, a third after two."""
    return LambdaLR(optimizer, lambda step: 1 / (1 + step))


def train(model: nn.Module, optimizer, scheduler: LambdaLR) -> None:
    """Take real steps, and verify the rates before each and at the end."""
    for _ in range(STEPS):
        verify(optimizer, scheduler)
        take_step(model, optimizer, IMAGES.double())
        scheduler.step()
    verify(optimizer, scheduler)


def verify(optimizer, scheduler=None, lr: float = LR, model: nn.Module | None = None) -> None:
    """Raise unless every parameter has the rate that was asked for."""
    verify_learning_rates(optimizer, whole(), lr, scheduler, layer_decay=LAYER_DECAY, model=model)


def trained_otherwise(model: nn.Module, times: int = 1) -> list[str]:
    """The parameters of a trained, wrapped model that differ from the trained bare model's."""
    full = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    return differing(full, trained_bare(times))


@cache
def trained_bare(times: int = 1) -> dict[str, torch.Tensor]:
    """The bare model's parameters after the same training, or several, on one process."""
    model = vit()
    optimizer = sgd(groups_of(model))
    scheduler = scheduled(optimizer)
    for _ in range(times):
        train(model, optimizer, scheduler)
    return dict(model.named_parameters())


def differing(found: Mapping[str, torch.Tensor], meant: Mapping[str, torch.Tensor]) -> list[str]:
    """The names of which one side has no tensor, or another one."""
    equal = {
        name
        for name in found.keys() & meant.keys()
        if torch.allclose(found[name], meant[name], rtol=0, atol=1e-12)
    }
    return sorted((found.keys() | meant.keys()) - equal)

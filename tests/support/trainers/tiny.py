"""Tiny networks, the scales of their parameters by hand, and the learning rates of real steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import cos, pi
from typing import TypeAlias

import pytest
import timm
import torch
from torch import nn

from lrd_registry import (
    LearningRateError,
    assign_layers,
    build_param_groups,
    verify_learning_rates,
)
from lrd_registry.rule_files.load import rule_set_from_mapping

LR, LAYER_DECAY = 0.01, 0.5
WARMUP, STEPS = 3, 10

Rates: TypeAlias = dict[str, float]  # parameter name -> learning rate
Scales: TypeAlias = Mapping[str, float]  # parameter name -> scale
Base: TypeAlias = Callable[[int], float]  # step -> what the head trains at

RULES = rule_set_from_mapping(
    {
        "arch": "mlp",
        "layers": [{"stem": "embed.**"}, {"block": "blocks.{i}.**"}, {"head": "head.**"}],
    }
)


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 4)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x).tanh()
        return self.head(x)


MLP: Scales = {
    "embed.weight": 0.125,
    "embed.bias": 0.125,
    "blocks.0.weight": 0.25,
    "blocks.0.bias": 0.25,
    "blocks.1.weight": 0.5,
    "blocks.1.bias": 0.5,
    "head.weight": 1.0,
    "head.bias": 1.0,
}


def mlp() -> Mlp:
    torch.manual_seed(0)
    return Mlp()


def mlp_groups(model: nn.Module, **options):
    """The groups of an `Mlp`."""
    return build_param_groups(model, RULES, **{"layer_decay": LAYER_DECAY, **options})


def by_prefix(model: nn.Module, scales: Scales) -> Scales:
    """The scale of each parameter, by the one prefix of its name that is in the table."""
    return {
        name: next(scale for key, scale in scales.items() if f"{name}.".startswith(f"{key}."))
        for name, _ in model.named_parameters()
    }


TIMM_VIT: Scales = {  # by prefix
    **dict.fromkeys(("cls_token", "pos_embed", "patch_embed"), 0.5**7),
    **{f"blocks.{index}": 0.5 ** (6 - index) for index in range(6)},
    **dict.fromkeys(("norm", "head"), 1.0),
}
IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)


def timm_vit() -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model("test_vit", num_classes=3, img_size=32)


def factor(step: int, *, start: float = 0.0, floor: float = 0.0) -> float:
    """Of the peak: a line from `start` over `WARMUP` steps, then a half cosine to `floor`."""
    if step < WARMUP:
        return start + (1 - start) * step / WARMUP
    return floor + (1 - floor) * (1 + cos(pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


def base(step: int) -> float:
    return LR * factor(step)


def take_step(model: nn.Module, optimizer, inputs: torch.Tensor | None = None) -> None:
    """One real step of training."""
    optimizer.zero_grad()
    model(torch.ones(2, 4) if inputs is None else inputs).square().mean().backward()
    optimizer.step()


def rates(optimizer, model: nn.Module) -> Rates:
    """The learning rate of each parameter, as the optimizer holds it now."""
    name_of = {id(p): name for name, p in model.named_parameters()}
    return {name_of[id(p)]: g["lr"] for g in optimizer.param_groups for p in g["params"]}


@dataclass
class Record:
    """What each real step was taken at, and which ones `verify_learning_rates` refused."""

    steps: list[Rates] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    def see(self, optimizer, model: nn.Module, scheduler=None, lr: float = LR) -> None:
        """Take down a step that is about to be taken; `lr` is for `verify_learning_rates`."""
        layers = assign_layers(model, RULES if isinstance(model, Mlp) else "auto")
        if lr > 0:
            try:
                verify_learning_rates(optimizer, layers, lr, scheduler, layer_decay=LAYER_DECAY)
            except LearningRateError:
                self.refused.append(len(self.steps))
        self.steps.append(rates(optimizer, model))


def record(optimizer, model: nn.Module, scheduler=None, lr: Base = lambda _: LR) -> Record:
    """A record of each real step from now on; without a scheduler, `lr` is its base."""
    seen = Record()
    optimizer.register_step_pre_hook(
        lambda *_: seen.see(optimizer, model, scheduler, lr(len(seen.steps)))
    )
    return seen


def check(seen: Record, scales: Scales, base: Base = base, first: int = 0) -> None:
    """At each of the steps `first` to `STEPS`, each parameter has the base times its scale."""
    assert len(seen.steps) == STEPS - first
    assert not seen.refused
    check_rates(seen.steps, scales, base, first)


def check_fault(seen: Record, scales: Scales, power: int, base: Base = base) -> None:
    """The scales are applied `power` times, and both checks see that this is not once."""
    check_rates(seen.steps, {name: scale**power for name, scale in scales.items()}, base)
    with pytest.raises(AssertionError, match="step"):
        check_rates(seen.steps, scales, base)
    assert seen.refused[-1] == STEPS - 1


def check_rates(steps: list[Rates], scales: Scales, base: Base, first: int = 0) -> None:
    for step, found in enumerate(steps, first):
        meant = {name: base(step) * scale for name, scale in scales.items()}
        assert found == pytest.approx(meant), f"step {step}"

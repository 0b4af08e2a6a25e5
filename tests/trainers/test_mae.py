"""MAE's loop, which sets the rates before each step, with groups of convention "timm"."""

from functools import partial
from math import cos, pi

import pytest
import torch

from lrd_registry import build_param_groups, param_groups_lrd
from tests.support.trainers.tiny import (
    IMAGES,
    LAYER_DECAY,
    LR,
    STEPS,
    TIMM_VIT,
    WARMUP,
    by_prefix,
    check,
    check_fault,
    factor,
    record,
    take_step,
    timm_vit,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

MIN_LR = 0.1 * LR


def adjust_learning_rate(optimizer, step):
    """MAE's `util/lr_sched.py`, restated: what its loop does at each iteration."""
    if step < WARMUP:
        lr = LR * step / WARMUP
    else:
        done = (step - WARMUP) / (STEPS - WARMUP)
        lr = MIN_LR + (LR - MIN_LR) * (1 + cos(pi * done)) / 2
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_scale", 1.0)


def train(model, groups):
    optimizer = torch.optim.AdamW(groups, lr=LR)
    seen = record(optimizer, model, lr=base)
    for step in range(STEPS):
        adjust_learning_rate(optimizer, step)
        take_step(model, optimizer, IMAGES)
    return seen


def base(step):
    return LR * factor(step, floor=MIN_LR / LR)


@pytest.fixture
def vit():
    return timm_vit()


@pytest.mark.parametrize(
    "make_groups",
    [
        param_groups_lrd,
        build_param_groups,
        partial(build_param_groups, lr=LR, convention="timm"),
    ],
)
def test_every_step_is_taken_at_the_base_times_the_scale(vit, make_groups):
    groups = make_groups(vit, layer_decay=LAYER_DECAY)
    check(train(vit, groups), by_prefix(vit, TIMM_VIT), base)


def test_scaled_rates_are_overwritten_by_the_full_rate(vit):
    seen = train(vit, build_param_groups(vit, layer_decay=LAYER_DECAY, lr=LR))
    check_fault(seen, by_prefix(vit, TIMM_VIT), power=0, base=base)


def test_a_scale_applied_twice_is_seen(vit):
    groups = param_groups_lrd(vit, layer_decay=LAYER_DECAY)
    squared = [group | {"lr_scale": group["lr_scale"] ** 2} for group in groups]
    check_fault(train(vit, squared), by_prefix(vit, TIMM_VIT), power=2, base=base)

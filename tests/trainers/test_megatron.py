"""Megatron-LM's OptimizerParamScheduler, with and without `lr_mult`, and its conventions."""

from math import cos, pi

import pytest
import torch

from tests.support.trainers.tiny import (
    LR,
    MLP,
    STEPS,
    WARMUP,
    check,
    check_fault,
    factor,
    mlp,
    mlp_groups,
    record,
    take_step,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

MIN_LR, WEIGHT_DECAY = 0.1 * LR, 0.1


class Scheduler:
    """`megatron/core/optimizer_param_scheduler.py`, restated: linear warm-up, then a cosine.

    Args:
        reads_lr_mult: the version that multiplied a group's rate by its `lr_mult`.
        init_lr: where warm-up starts; one for all groups.
    """

    def __init__(self, optimizer, reads_lr_mult, init_lr=0.0):
        self.optimizer, self.reads_lr_mult, self.init_lr = optimizer, reads_lr_mult, init_lr

    def rate(self, group, step):
        peak, floor = group.get("max_lr", LR), group.get("min_lr", MIN_LR)
        if step <= WARMUP:
            return self.init_lr + (peak - self.init_lr) * step / WARMUP
        done = (step - WARMUP) / (STEPS - WARMUP)
        return floor + (peak - floor) * (1 + cos(pi * done)) / 2

    def step(self, number):
        for group in self.optimizer.param_groups:
            factor = group.get("lr_mult", 1.0) if self.reads_lr_mult else 1.0
            group["lr"] = self.rate(group, number) * factor
            group["weight_decay"] = WEIGHT_DECAY * group.get("wd_mult", 1.0)


def train(model, groups, *, reads_lr_mult, **options):
    optimizer = torch.optim.AdamW(groups, lr=LR)
    scheduler = Scheduler(optimizer, reads_lr_mult, **options)
    seen = record(optimizer, model, lr=base)
    for step in range(STEPS):
        scheduler.step(step)
        take_step(model, optimizer)
    return seen


def base(step):
    return LR * factor(step, floor=MIN_LR / LR)


BOTH_ENDS = {"lr": LR, "min_lr": MIN_LR}


@pytest.mark.parametrize(
    ("convention", "ends", "reads_lr_mult"),
    [
        ("megatron", {}, True),
        ("megatron", BOTH_ENDS, True),
        ("megatron_max_lr", BOTH_ENDS, False),
        ("megatron_max_lr", BOTH_ENDS, True),
    ],
)
def test_every_step_is_taken_at_the_base_times_the_scale(convention, ends, reads_lr_mult):
    model = mlp()
    groups = mlp_groups(model, convention=convention, **ends)
    check(train(model, groups, reads_lr_mult=reads_lr_mult), MLP, base)


@pytest.mark.parametrize("ends", [{}, BOTH_ENDS])
def test_the_newer_scheduler_does_not_read_lr_mult(ends):
    model = mlp()
    groups = mlp_groups(model, convention="megatron", **ends)
    check_fault(train(model, groups, reads_lr_mult=False), MLP, power=0, base=base)


def test_scaled_ends_beside_lr_mult_are_scaled_twice():
    model = mlp()
    ends = mlp_groups(model, convention="megatron_max_lr", **BOTH_ENDS)
    mults = mlp_groups(model, convention="megatron")
    both = [group | {"lr_mult": mult["lr_mult"]} for group, mult in zip(ends, mults, strict=True)]
    check_fault(train(model, both, reads_lr_mult=True), MLP, power=2, base=base)


def test_without_min_lr_in_the_groups_every_layer_ends_at_the_same_rate():
    model = mlp()
    groups = mlp_groups(model, convention="megatron_max_lr", lr=LR)
    scheduler = Scheduler(torch.optim.AdamW(groups), reads_lr_mult=False)
    scheduler.step(STEPS)
    assert {group["lr"] for group in scheduler.optimizer.param_groups} == {MIN_LR}


def test_a_start_of_warm_up_above_zero_is_the_same_rate_in_every_layer():
    model = mlp()
    groups = mlp_groups(model, convention="megatron_max_lr", **BOTH_ENDS)
    seen = train(model, groups, reads_lr_mult=False, init_lr=1e-4)
    assert seen.refused
    assert set(seen.steps[0].values()) == {1e-4}


def test_weight_decay_is_the_schedulers_where_it_is_wanted():
    model = mlp()
    groups = mlp_groups(model, convention="megatron", weight_decay=0.5)
    optimizer = torch.optim.AdamW(groups, lr=LR)
    Scheduler(optimizer, reads_lr_mult=True).step(0)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [WEIGHT_DECAY, 0.0] * 4

"""timm's factories and schedulers, with groups of convention "timm": the scale is in lr_scale."""

from functools import partial

import pytest
import torch
from timm.optim import create_optimizer_v2, list_optimizers
from timm.scheduler import create_scheduler_v2

from lrd_registry import build_param_groups
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
    rates,
    record,
    take_step,
    timm_vit,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

GROUPS = partial(build_param_groups, arch="vit", layer_decay=LAYER_DECAY)
OPTIMIZERS = [
    pytest.param(
        name, marks=pytest.mark.skipif(name not in list_optimizers(), reason="not in this timm")
    )
    for name in ["adamw", "sgd", "lamb", "lion", "muon", "nmuon", "adamuon", "nadamuon"]
]


@pytest.fixture
def vit():
    return timm_vit()


def make_optimizer(model, groups=GROUPS, opt="adamw", **options):
    return create_optimizer_v2(model, opt, lr=LR, param_group_fn=groups, **options)


def make_scheduler(optimizer, **options):
    """timm's cosine after a warm-up, for `step_update`; by itself, warm-up cuts its start off."""
    return create_scheduler_v2(
        optimizer,
        num_epochs=STEPS - WARMUP,
        warmup_epochs=WARMUP,
        warmup_prefix=True,
        step_on_epochs=False,
        updates_per_epoch=1,
        **{"warmup_lr": 0.0, **options},
    )[0]


def train(model, optimizer, **options):
    scheduler = make_scheduler(optimizer, **options)
    seen = record(optimizer, model, scheduler)
    for step in range(STEPS):
        take_step(model, optimizer, IMAGES)
        scheduler.step_update(step + 1)
    return seen


@pytest.mark.parametrize("opt", OPTIMIZERS)
def test_every_step_is_taken_at_the_base_times_the_scale(vit, opt):
    check(train(vit, make_optimizer(vit, opt=opt)), by_prefix(vit, TIMM_VIT))


def test_the_ends_of_the_schedule_are_scaled_too(vit):
    seen = train(vit, make_optimizer(vit), warmup_lr=0.1 * LR, min_lr=0.2 * LR)
    check(seen, by_prefix(vit, TIMM_VIT), lambda step: LR * factor(step, start=0.1, floor=0.2))


def test_scaled_rates_without_lr_scale_start_and_end_at_the_same_rate_in_every_layer(vit):
    groups = partial(GROUPS, lr=LR, convention="torch")
    seen = train(vit, make_optimizer(vit, groups), warmup_lr=1e-4, min_lr=1e-5)
    first, *_, last = seen.steps
    assert seen.refused
    assert set(first.values()) == {1e-4}
    assert last["head.weight"] < LR * factor(STEPS - 1) + 1e-5
    assert last["cls_token"] > LR * factor(STEPS - 1) * 0.5**7 + 0.9e-5


def test_groups_without_a_scale_train_at_the_full_rate(vit):
    seen = train(vit, make_optimizer(vit, partial(GROUPS, layer_decay=1.0)))
    check_fault(seen, by_prefix(vit, TIMM_VIT), power=0)


def test_scaled_rates_beside_lr_scale_are_scaled_twice(vit):
    def both(model):
        groups = GROUPS(model, lr=LR, convention="timm")
        return [group | {"lr": group["lr"] * group["lr_scale"]} for group in groups]

    check_fault(train(vit, make_optimizer(vit, both)), by_prefix(vit, TIMM_VIT), power=2)


def test_without_a_scheduler_nothing_reads_lr_scale(vit):
    optimizer = make_optimizer(vit)
    assert create_scheduler_v2(optimizer, sched="none")[0] is None
    assert set(rates(optimizer, vit).values()) == {LR}

    create_scheduler_v2(optimizer, sched="step", decay_epochs=9)
    meant = {name: LR * scale for name, scale in by_prefix(vit, TIMM_VIT).items()}
    assert rates(optimizer, vit) == pytest.approx(meant)


@pytest.mark.parametrize("opt", OPTIMIZERS)
def test_the_factory_keeps_the_groups(vit, opt):
    kept = ("params", "param_names", "name", "layer", "lr_scale", "weight_decay", "assignment")
    optimizer = make_optimizer(vit, opt=opt, weight_decay=0.05)
    for found, built in zip(optimizer.param_groups, GROUPS(vit), strict=True):
        assert all(found[key] is built[key] or found[key] == built[key] for key in kept)
    assert set(rates(optimizer, vit).values()) == {LR}


@pytest.mark.parametrize("opt", OPTIMIZERS)
def test_the_first_step_moves_each_parameter_by_its_scale(vit, opt):
    before = {name: p.detach().clone() for name, p in vit.named_parameters()}

    def moved(layer_decay):
        vit.load_state_dict(before)
        groups = GROUPS(vit, layer_decay=layer_decay, lr=LR, weight_decay=0.0)
        take_step(vit, create_optimizer_v2(groups, opt), IMAGES)
        return {name: p.detach() - before[name] for name, p in vit.named_parameters()}

    full, decayed = moved(1.0), moved(LAYER_DECAY)
    for name, scale in by_prefix(vit, TIMM_VIT).items():
        assert full[name].any(), name
        torch.testing.assert_close(decayed[name], scale * full[name], rtol=1e-2, atol=1e-7)


def test_the_rates_survive_saving_and_loading(vit):
    def start():
        optimizer = make_optimizer(vit)
        return optimizer, make_scheduler(optimizer)

    first, second = start(), start()
    first[1].step_update(4)
    for old, new in zip(first, second, strict=True):
        new.load_state_dict(old.state_dict())
    optimizer, scheduler = second
    seen = record(optimizer, vit, scheduler)
    for step in range(4, STEPS):
        scheduler.step_update(step)
        take_step(vit, optimizer, IMAGES)
    check(seen, by_prefix(vit, TIMM_VIT), first=4)

"""torch.optim.lr_scheduler, with groups of convention "torch": the scale is in each group's lr."""

from functools import partial
from math import cos, pi

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
)

from tests.support.trainers.tiny import (
    LR,
    MLP,
    STEPS,
    WARMUP,
    base,
    check,
    check_fault,
    factor,
    mlp,
    mlp_groups,
    record,
    take_step,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

FLOOR = 0.2  # between the scales of layers 0 and 1


def train(make_scheduler, lr=LR, **options):
    model = mlp()
    optimizer = torch.optim.AdamW(mlp_groups(model, lr=lr, **options))
    scheduler = make_scheduler(optimizer)
    seen = record(optimizer, model, scheduler, lambda _: lr)
    loss = [1.0] if isinstance(scheduler, ReduceLROnPlateau) else []
    for _ in range(STEPS):
        take_step(model, optimizer)
        scheduler.step(*loss)
    return seen


def half_cosine(step):
    return (1 + cos(pi * step / STEPS)) / 2


def linear_then_cosine(optimizer):
    up = LinearLR(optimizer, start_factor=0.1, total_iters=WARMUP)
    return SequentialLR(optimizer, [up, CosineAnnealingLR(optimizer, STEPS - WARMUP)], [WARMUP])


def one_cycle(optimizer):
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, max_lr=peaks, total_steps=STEPS)


def one_cycle_factor(step):
    """torch's defaults: from 1/25 up to the peak at step 2, down to 1/250000 at the last step."""
    start, end, part = (1 / 25, 1, step / 2) if step < 2 else (1, 1 / 250_000, (step - 2) / 7)
    return end + (start - end) * (1 + cos(pi * part)) / 2


def plateau(optimizer):
    floors = [FLOOR * group["lr"] for group in optimizer.param_groups]
    return ReduceLROnPlateau(optimizer, factor=0.5, patience=0, min_lr=floors)


def plateau_factor(step):
    """Halved after each step but the first, which sets the best loss."""
    return max(FLOOR, 0.5 ** max(0, step - 1))


@pytest.mark.parametrize(
    ("make_scheduler", "of_peak"),
    [
        (partial(LambdaLR, lr_lambda=factor), factor),
        (partial(CosineAnnealingLR, T_max=STEPS), half_cosine),
        (linear_then_cosine, partial(factor, start=0.1)),
        (one_cycle, one_cycle_factor),
        (plateau, plateau_factor),
    ],
    ids=["LambdaLR", "CosineAnnealingLR", "SequentialLR", "OneCycleLR", "ReduceLROnPlateau"],
)
def test_every_step_is_taken_at_the_base_times_the_scale(make_scheduler, of_peak):
    check(train(make_scheduler), MLP, lambda step: LR * of_peak(step))


def test_groups_with_lr_scale_train_at_the_full_rate():
    seen = train(partial(LambdaLR, lr_lambda=factor), convention="timm")
    check_fault(seen, MLP, power=0)


def test_factors_that_have_the_scale_again_square_it():
    def twice(optimizer):
        scales = [group["lr"] / LR for group in optimizer.param_groups]
        return LambdaLR(optimizer, [lambda step, s=s: s * factor(step) for s in scales])

    check_fault(train(twice), MLP, power=2)


def test_one_max_lr_for_all_sets_every_group_to_the_full_rate():
    seen = train(partial(OneCycleLR, max_lr=LR, total_steps=STEPS))
    check_fault(seen, MLP, power=0, base=lambda step: LR * one_cycle_factor(step))


def test_an_eta_min_for_all_lifts_the_lowest_layer_above_its_peak():
    seen = train(partial(CosineAnnealingLR, T_max=STEPS - 1, eta_min=FLOOR * LR))
    last = seen.steps[-1]
    assert seen.refused[-1] == STEPS - 1
    assert last == pytest.approx(dict.fromkeys(MLP, FLOOR * LR))
    assert last["embed.weight"] > LR * MLP["embed.weight"]


def test_a_floor_in_the_factor_scales_with_each_group():
    floored = partial(factor, floor=FLOOR)
    check(train(partial(LambdaLR, lr_lambda=floored)), MLP, lambda step: LR * floored(step))


def test_a_min_lr_for_all_stops_the_lower_layers_of_a_plateau_first():
    seen = train(partial(ReduceLROnPlateau, factor=0.5, patience=0, min_lr=FLOOR * LR))
    assert seen.refused[-1] == STEPS - 1
    assert seen.steps[-1] == pytest.approx(
        {name: min(LR * s, FLOOR * LR) for name, s in MLP.items()}
    )


def test_a_plateau_leaves_rates_alone_that_would_fall_by_less_than_its_eps():
    small = 1e-7  # the stem's: 1.25e-8, which would fall by 6.25e-9
    seen = train(partial(ReduceLROnPlateau, factor=0.5, patience=0), lr=small)
    assert seen.steps[-1]["embed.weight"] == small * MLP["embed.weight"]

    seen = train(partial(ReduceLROnPlateau, factor=0.5, patience=0, eps=0), lr=small)
    check(seen, MLP, lambda step: small * 0.5 ** max(0, step - 1))


def test_the_rates_survive_saving_and_loading():
    def start():
        model = mlp()
        optimizer = torch.optim.AdamW(mlp_groups(model, lr=LR))
        return model, optimizer, LambdaLR(optimizer, factor)

    def run(model, optimizer, scheduler, count):
        seen = record(optimizer, model, scheduler)
        for _ in range(count):
            take_step(model, optimizer)
            scheduler.step()
        return seen

    first, second = start(), start()
    run(*first, count=4)
    for old, new in zip(first, second, strict=True):
        new.load_state_dict(old.state_dict())
    check(run(*second, count=STEPS - 4), MLP, base, first=4)

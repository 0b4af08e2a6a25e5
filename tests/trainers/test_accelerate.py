"""Accelerate: model, optimizer and scheduler prepared, gradients of two batches to a step."""

import pytest
import torch
from accelerate import Accelerator
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from tests.support.trainers.tiny import (
    LR,
    MLP,
    STEPS,
    check,
    check_fault,
    factor,
    mlp,
    mlp_groups,
    record,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

BATCHES_PER_STEP = 2


def train(**options):
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=BATCHES_PER_STEP)
    raw = mlp()
    bare = torch.optim.AdamW(mlp_groups(raw, **options), lr=LR)
    batches = DataLoader(torch.ones(2 * BATCHES_PER_STEP * STEPS, 4), batch_size=2)
    model, optimizer, scheduler, loader = accelerator.prepare(
        raw, bare, LambdaLR(bare, factor), batches
    )
    seen = record(bare, raw, scheduler)
    for batch in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(batch).square().mean())
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    return seen


def test_every_step_is_taken_at_the_base_times_the_scale():
    check(train(lr=LR), MLP)


@pytest.mark.parametrize(("options", "power"), [({}, 0), ({"lr": LR, "layer_decay": 0.25}, 2)])
def test_a_scale_that_is_dropped_or_applied_twice_is_seen(options, power):
    check_fault(train(**options), MLP, power)

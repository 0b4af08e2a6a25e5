"""Pipeline stages by hand: each has the rates of the whole model, and trains at them."""

from collections import OrderedDict

import pytest
import torch
from torch import distributed, nn
from torch.distributed.pipelining import PipelineStage, ScheduleGPipe

from tests.support.distributed.processes import on_ranks
from tests.support.distributed.rows import rows_meant, rows_of
from tests.support.distributed.training import (
    IMAGES,
    STEPS,
    differing,
    groups_of,
    scheduled,
    sgd,
    trained_bare,
    verify,
    vit,
    whole,
)

pytestmark = pytest.mark.slow

BLOCKS = range(3), range(3, 6)  # of each stage


def stage_of(model, number):
    """What one stage keeps, under the names of the whole model."""
    kept = OrderedDict((str(index), model.blocks[index]) for index in BLOCKS[number])
    model.blocks = nn.Sequential(kept)
    if number == 0:
        model.norm = model.head = nn.Identity()
        model.forward = model.forward_features
    else:
        model.patch_embed, model.cls_token, model.pos_embed = nn.Identity(), None, None
    return model


def train_in_stages():
    number = distributed.get_rank()
    part = stage_of(vit(), number)
    optimizer = sgd(groups_of(part, whole()))
    rows = rows_of(optimizer.param_groups)
    scheduler = scheduled(optimizer)
    schedule = ScheduleGPipe(
        PipelineStage(part, number, 2, torch.device("cpu")),
        n_microbatches=2,
        loss_fn=lambda output, _: output.square().mean(),
    )
    for _ in range(STEPS):
        verify(optimizer, scheduler, model=part)
        optimizer.zero_grad()
        schedule.step(*([IMAGES.double()] if number == 0 else []), target=torch.zeros(2, 3))
        optimizer.step()
        scheduler.step()
    meant = {name: tensor for name, tensor in trained_bare().items() if name in rows}
    return rows, differing(dict(part.named_parameters()), meant)


def test_each_stage_trains_its_parameters_at_the_rates_of_the_whole_model():
    (first, first_differing), (second, second_differing) = on_ranks(train_in_stages)
    assert not first.keys() & second.keys()
    assert {**first, **second} == rows_meant()
    assert {row.layer for row in first.values()} == {0, 1, 2, 3}
    assert first_differing == second_differing == []

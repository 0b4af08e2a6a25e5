"""torch.optim.swa_utils.AveragedModel beside the training: groups and names stay as they are."""

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lrd_registry import assign_layers
from tests.support.trainers.tiny import (
    LR,
    MLP,
    RULES,
    STEPS,
    check,
    check_fault,
    factor,
    mlp,
    mlp_groups,
    record,
    take_step,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]


def train(**options):
    model = mlp()
    optimizer = torch.optim.AdamW(mlp_groups(model, **options), lr=LR)
    scheduler = LambdaLR(optimizer, factor)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    seen = record(optimizer, model, scheduler)
    for _ in range(STEPS):
        take_step(model, optimizer)
        averaged.update_parameters(model)
        scheduler.step()
    return seen, optimizer, averaged


def test_every_step_is_taken_at_the_base_times_the_scale():
    check(train(lr=LR)[0], MLP)


@pytest.mark.parametrize(("options", "power"), [({}, 0), ({"lr": LR, "layer_decay": 0.25}, 2)])
def test_a_scale_that_is_dropped_or_applied_twice_is_seen(options, power):
    check_fault(train(**options)[0], MLP, power)


def test_the_names_in_the_groups_are_the_models():
    groups = train(lr=LR)[1].param_groups
    assert sorted(name for group in groups for name in group["param_names"]) == sorted(MLP)


def test_the_averaged_copy_has_the_layers_of_the_model():
    averaged = train(lr=LR)[2]
    assert assign_layers(averaged.module, RULES) == assign_layers(mlp(), RULES)
    assert {name.partition(".")[0] for name, _ in averaged.named_parameters()} == {"module"}

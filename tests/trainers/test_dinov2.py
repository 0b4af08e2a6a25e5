"""DINOv2's loop, with groups of convention "dinov2": factors, and a mark on the last layer."""

import pytest
import torch
from torch import nn

from lrd_registry import build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.trainers.tiny import (
    LAYER_DECAY,
    LR,
    MLP,
    STEPS,
    base,
    check,
    check_fault,
    check_rates,
    mlp,
    mlp_groups,
    rates,
    record,
    take_step,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

FROZEN_STEPS = 4  # of the head's last layer, at the start
RULES = rule_set_from_mapping(
    {"arch": "student", "layers": [{"stem": "0.**"}, {"head": ["mlp.**", "last_layer.**"]}]}
)


def apply_optim_scheduler(optimizer, lr, wd, last_layer_lr):
    """DINOv2's function of that name (`dinov2/train/train.py`), restated."""
    for group in optimizer.param_groups:
        rate = last_layer_lr if group["is_last_layer"] else lr
        group["lr"] = rate * group["lr_multiplier"]
        group["weight_decay"] = wd * group["wd_multiplier"]


def weight_decay(step):
    return 0.04 + 0.01 * step


def last_layer_base(step):
    return 0.0 if step < FROZEN_STEPS else base(step)


def train(model, groups):
    optimizer = torch.optim.AdamW(groups, lr=LR)
    seen = record(optimizer, model, lr=base)
    for step in range(STEPS):
        apply_optim_scheduler(optimizer, base(step), weight_decay(step), base(step))
        take_step(model, optimizer)
    return seen


def test_every_step_is_taken_at_the_base_times_the_scale():
    model = mlp()
    check(train(model, mlp_groups(model, convention="dinov2")), MLP)


def test_weight_decay_follows_its_own_schedule_where_it_is_wanted():
    optimizer = torch.optim.AdamW(mlp_groups(mlp(), convention="dinov2"))
    for step in (0, STEPS):
        apply_optim_scheduler(optimizer, LR, weight_decay(step), LR)
        found = [group["weight_decay"] for group in optimizer.param_groups]
        assert found == [weight_decay(step), 0.0] * 4


def test_the_last_layer_follows_its_own_schedule_at_the_scale_of_its_layer():
    model = nn.Sequential()
    for name, size in (("0", 4), ("mlp", 4), ("last_layer", 2)):
        model.add_module(name, nn.Linear(4, size))
    groups = build_param_groups(model, RULES, layer_decay=LAYER_DECAY, convention="dinov2")
    optimizer, steps = torch.optim.AdamW(groups), []
    for step in range(STEPS):
        apply_optim_scheduler(optimizer, base(step), 0.04, last_layer_base(step))
        steps.append(rates(optimizer, model))

    last = {"last_layer.weight": 1.0, "last_layer.bias": 1.0}
    others = {"0.weight": 0.5, "0.bias": 0.5, "mlp.weight": 1.0, "mlp.bias": 1.0}
    check_rates([{name: step[name] for name in last} for step in steps], last, last_layer_base)
    check_rates([{name: step[name] for name in others} for step in steps], others, base)


@pytest.mark.parametrize("power", [0, 2])
def test_a_scale_that_is_dropped_or_applied_twice_is_seen(power):
    model = mlp()
    groups = mlp_groups(model, convention="dinov2")
    for group in groups:
        group["lr_multiplier"] **= power
    check_fault(train(model, groups), MLP, power)


@pytest.mark.parametrize("options", [{"convention": "timm"}, {"lr": LR}])
def test_groups_of_another_convention_stop_the_loop(options):
    model = mlp()
    with pytest.raises(KeyError, match="is_last_layer"):
        train(model, mlp_groups(model, **options))

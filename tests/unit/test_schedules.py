"""A schedule is read off what a scheduler keeps, and off nothing that it does not keep."""

from types import SimpleNamespace

import pytest
import torch
from timm.scheduler import MultiStepLRScheduler
from torch import nn
from torch.optim import SGD, lr_scheduler

from lrd_registry import assign_layers
from lrd_registry.verify.membership import membership_faults
from lrd_registry.verify.optimizer_groups import LiveGroup, read_groups
from lrd_registry.verify.schedulers import Least, Schedule, read_schedule
from lrd_registry.verify.shares import is_at_least, shares_of
from tests.support.building import model_with

pytestmark = pytest.mark.engine


def make_optimizer(**group):
    return SGD([{"params": [nn.Parameter(torch.ones(2))], "lr": 0.1, **group}])


def live(names, lr=0.1, index=0):
    return LiveGroup(index, None, tuple(names), lr, (), None, False)


def test_the_base_rates_of_a_scheduler_are_no_least_rates():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
    assert read_schedule(scheduler, optimizer.param_groups).leasts == ()


def test_a_timm_scheduler_without_a_least_rate_has_none():
    optimizer = make_optimizer()
    scheduler = MultiStepLRScheduler(optimizer, [10])
    assert read_schedule(scheduler, optimizer.param_groups).leasts == ()


def test_a_timm_scheduler_inside_another_multiplies_by_lr_scale():
    optimizer = make_optimizer(lr_scale=0.5)
    warm_up = SimpleNamespace(lr_scheduler=MultiStepLRScheduler(optimizer, [10]))
    assert read_schedule(warm_up, optimizer.param_groups).reads_lr_scale


@pytest.mark.parametrize(("lr", "expected"), [(0.0, False), (0.1, False), (0.2, True)])
def test_a_group_that_stands_still_has_not_come_down_to_a_least_rate(lr, expected):
    schedule = Schedule("mine", None, (Least("eta_min", (0.0,)), Least("min_lr", (0.2,))))
    assert is_at_least(live(["a"], lr), schedule) is expected


def test_a_schedule_has_started_and_reads_nothing_more_unless_it_says_otherwise():
    schedule = Schedule("mine", None)
    assert schedule.has_started
    assert not schedule.reads_lr_scale
    assert not schedule.takes_max_lr


def test_where_groups_were_before_is_known_of_all_or_of_none():
    optimizer = make_optimizer(initial_lr=0.2)
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))], "lr": 0.3})
    assert read_schedule(SimpleNamespace(), optimizer.param_groups).bases is None


def test_a_group_that_was_added_to_a_timm_scheduler_later_has_its_own_rate():
    optimizer = make_optimizer(lr_scale=0.5)
    scheduler = MultiStepLRScheduler(optimizer, [10])
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))], "lr": 0.3})
    assert read_schedule(scheduler, optimizer.param_groups).bases == (0.05, 0.3)


def test_a_sharded_parameter_goes_by_no_name_but_its_own():
    class DTensor(nn.Parameter):
        pass

    optimizer = make_optimizer(param_names=["a"])
    [group] = read_groups(optimizer, {"a": DTensor(torch.ones(2))})
    assert group.names == (None,)


def two_towers():
    entries = {"layers": [{"block": "{i}.**"}]}
    parts = {
        "short": {"prefix": "short", **entries},
        "long": {"prefix": "long", **entries},
    }
    names = ["short.0.w", "short.1.w", "long.0.w", "long.1.w", "long.2.w"]
    model = model_with({name: nn.Parameter(torch.ones(2, 2)) for name in names})
    return assign_layers(model, arch={"arch": "two", "layouts": {"a": {"parts": parts}}})


def test_the_distance_of_a_group_is_that_of_its_last_layer():
    towers = two_towers()
    scales = {("short", 0): 0.5, ("short", 1): 1.0, ("long", 0): 0.5}
    [share] = shares_of([live(["short.0.w", "long.0.w"])], towers, scales, [0.1])
    assert (share.distance, share.scale) == (1, 0.5)


def test_a_group_of_two_scales_is_a_fault():
    towers = two_towers()
    scales = {level: 0.5 ** level[1] for level in {row.level for row in towers.values()}}
    groups = [live(["short.0.w", "short.1.w"]), live(["long.0.w"], index=1)]
    kinds = {f.kind: f.groups for f in membership_faults(groups, towers, scales, None)}
    assert kinds["together"] == (0,)

"""A live optimizer is held to what was asked for, whatever a scheduler or a library made of it."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from timm.scheduler import CosineLRScheduler, PlateauLRScheduler
from torch import nn
from torch.optim import SGD, lr_scheduler

from lrd_registry import (
    InvalidArgumentError,
    LearningRateError,
    assign_layers,
    audit_learning_rates,
    build_param_groups,
    verify_learning_rates,
)
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.verify.optimizer_groups import read_groups
from lrd_registry.verify.shares import common_factor
from lrd_registry.verify.spelling import spelled_as
from lrd_registry.verify.verify_learning_rates import _readings
from tests.support.building import model_with
from tests.support.model_strategies import cases

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping(
    {
        "arch": "mine",
        "layers": [{"stem": "embed.**"}, {"block": "blocks.{i}.**"}, {"head": "head.**"}],
    }
)
NAMES = ("embed.w", "blocks.0.w", "blocks.0.bias", "head.w", "head.bias")
SCALES = {"layer_decay": 0.5}


def make_model(names=NAMES):
    return model_with({name: nn.Parameter(torch.ones(2, 2)) for name in names})


def make_optimizer(model=None, **options):
    options = {"layer_decay": 0.5, "lr": 0.1} | options
    groups = build_param_groups(model or make_model(), RULES, **options)
    return SGD(groups, lr=0.1)


def timm_optimizer():
    return make_optimizer(convention="timm")


LAYERS = assign_layers(make_model(), RULES)


def audit(optimizer, scheduler=None, **options):
    options = {"lr": 0.1, "layer_decay": 0.5} | options
    return audit_learning_rates(optimizer, LAYERS, scheduler=scheduler, **options)


def faults(*arguments, **options):
    return {fault.kind: fault for fault in audit(*arguments, **options).faults}


def message(kind, *arguments, **options):
    """The only fault, in words."""
    found = faults(*arguments, **options)
    assert list(found) == [kind]
    return found[kind].message


def run(optimizer, scheduler, steps):
    """Some steps of training, as each kind of scheduler counts them."""
    for step in range(1, steps + 1):
        optimizer.step()
        if isinstance(scheduler, CosineLRScheduler):
            scheduler.step(step)
        elif isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(1.0)
        else:
            scheduler.step()


def warm_up_then_cosine(optimizer):
    parts = [
        lr_scheduler.LinearLR(optimizer, 0.1, total_iters=3),
        lr_scheduler.CosineAnnealingLR(optimizer, 6),
    ]
    return lr_scheduler.SequentialLR(optimizer, parts, [3])


def one_cycle(optimizer):
    rates = [group["lr"] for group in optimizer.param_groups]
    return lr_scheduler.OneCycleLR(optimizer, max_lr=rates, total_steps=10)


def cyclic(optimizer):
    rates = [group["lr"] for group in optimizer.param_groups]
    least = [0.1 * rate for rate in rates]
    return lr_scheduler.CyclicLR(optimizer, least, rates, step_size_up=3, cycle_momentum=False)


def chained(optimizer):
    parts = [lr_scheduler.ConstantLR(optimizer, 0.1, 3), lr_scheduler.ExponentialLR(optimizer, 0.9)]
    return lr_scheduler.ChainedScheduler(parts, optimizer)


def plateau(optimizer):
    return lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)


TORCH = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda step: min(step / 3, 1)),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda _: 0.9),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o, 5),
    "SequentialLR": warm_up_then_cosine,
    "ChainedScheduler": chained,
    "OneCycleLR": one_cycle,
    "CyclicLR": cyclic,
    "ReduceLROnPlateau": plateau,
}


# what is right


@pytest.mark.parametrize("steps", [0, 1, 4, 7])
@pytest.mark.parametrize("name", TORCH)
def test_scaled_rates_are_right_under_every_scheduler_of_torchs(name, steps):
    optimizer = make_optimizer()
    scheduler = TORCH[name](optimizer)
    run(optimizer, scheduler, steps)
    assert audit(optimizer, scheduler).is_right


@pytest.mark.parametrize("steps", [0, 1, 4, 7, 12])
def test_lr_scale_is_right_under_timms_scheduler_with_warm_up_and_a_least_rate(steps):
    optimizer = timm_optimizer()
    scheduler = CosineLRScheduler(
        optimizer, t_initial=10, warmup_t=3, warmup_lr_init=1e-3, lr_min=1e-3
    )
    run(optimizer, scheduler, steps)
    assert audit(optimizer, scheduler).is_right


def test_scaled_rates_are_right_under_timms_scheduler_without_lr_scale():
    optimizer = make_optimizer()
    assert audit(optimizer, CosineLRScheduler(optimizer, t_initial=10)).is_right


def test_without_a_scheduler_the_rates_are_those_of_now():
    optimizer = make_optimizer()
    assert audit(optimizer).is_right
    for group in optimizer.param_groups:
        group["lr"] *= 0.3
    assert not audit(optimizer).is_right
    assert audit(optimizer, lr=0.03).is_right


def test_a_loop_that_multiplies_is_right_after_its_step_and_not_before():
    optimizer = make_optimizer(convention="dinov2")
    assert list(faults(optimizer)) == ["ignored"]
    for group in optimizer.param_groups:
        group["lr"] = 0.1 * group["lr_multiplier"]
    assert audit(optimizer).is_right


def test_the_rates_are_rows():
    optimizer = make_optimizer(lr_mult={"head": 10})
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 0.25)
    found = audit(optimizer, scheduler, lr_mult={"head": 10})
    assert found.is_right
    assert found.factor == 0.25
    assert [tuple(rate)[:7] for rate in found.rates] == [
        ("embed.w", 0, 0, 0.25, 0.025, 0.025, 0.00625),
        ("blocks.0.w", 1, 1, 0.5, 0.05, 0.05, 0.0125),
        ("blocks.0.bias", 1, 2, 0.5, 0.05, 0.05, 0.0125),
        ("head.w", 2, 3, 10, 1, 1, 0.25),
        ("head.bias", 2, 4, 10, 1, 1, 0.25),
    ]


def test_a_min_scale_that_was_asked_for_is_right():
    assert audit(make_optimizer(min_scale=0.4), min_scale=0.4).is_right


def test_wrapped_optimizers_and_schedulers_are_looked_into():
    optimizer = make_optimizer()
    scheduler = SimpleNamespace(scheduler=warm_up_then_cosine(optimizer))
    wrapped = SimpleNamespace(param_groups=optimizer.param_groups)
    run(optimizer, scheduler.scheduler, 2)
    assert audit(wrapped, scheduler).is_right
    optimizer = timm_optimizer()
    scheduler = SimpleNamespace(scheduler=warm_up_then_cosine(optimizer))
    assert "SequentialLR reads only lr" in message("ignored", optimizer, scheduler)


def test_rates_in_float32_tensors_are_right_after_many_steps():
    groups = build_param_groups(make_model(), RULES, layer_decay=0.75, lr=0.1)
    for group in groups:
        group["lr"] = torch.tensor(group["lr"])
    optimizer = SGD(groups, lr=torch.tensor(0.1))
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 10_000)
    optimizer.step()
    for _ in range(9_000):
        scheduler.step()
    assert audit(optimizer, scheduler, layer_decay=0.75).is_right


# the scale is ignored


def test_lr_scale_under_torchs_scheduler_is_ignored():
    optimizer = timm_optimizer()
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    assert message("ignored", optimizer, scheduler) == (
        "the scale is ignored in 3 of 5 groups: they train at the full learning rate, 0.1, "
        "whatever their depth\n"
        "  group 0 'layer_00_decay' starts from 0.1 instead of 0.025 (scale 0.25): embed.w\n"
        "  group 1 'layer_01_decay' starts from 0.1 instead of 0.05 (scale 0.5): blocks.0.w\n"
        "  group 2 'layer_01_no_decay' starts from 0.1 instead of 0.05 (scale 0.5): blocks.0.bias\n"
        '  fix: the groups carry lr_scale (convention="timm"), and LambdaLR reads only lr: '
        'build the groups with lr=0.1 (convention="torch")'
    )


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("name", sorted(TORCH.keys() - {"PolynomialLR"}))
def test_lr_scale_is_ignored_by_every_scheduler_of_torchs_at_every_step(name, steps):
    optimizer = timm_optimizer()
    scheduler = TORCH[name](optimizer)
    run(optimizer, scheduler, steps)
    found = faults(optimizer, scheduler)
    assert list(found) == ["ignored"]
    assert found["ignored"].groups == (0, 1, 2)
    assert found["ignored"].names == ("embed.w", "blocks.0.w", "blocks.0.bias")


def test_lr_scale_without_a_scheduler_is_ignored_so_far():
    assert message("ignored", timm_optimizer()).endswith(
        '\n  fix: the groups carry lr_scale (convention="timm"), and nothing has multiplied lr by '
        'it: build the groups with lr=0.1 (convention="torch"), or, if a scheduler of timm\'s is '
        "to do it, pass that as scheduler="
    )


def test_a_multiplier_without_a_scheduler_is_ignored_so_far():
    assert message("ignored", make_optimizer(convention="dinov2")).endswith(
        '\n  fix: the groups carry lr_multiplier (convention="dinov2"), and nothing has multiplied '
        'lr by it: build the groups with lr=0.1 (convention="torch"), or, if the training loop is '
        "to do it, look again after its first step"
    )


def test_one_rate_for_all_given_to_one_cycle_is_the_full_one():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
    assert message("ignored", optimizer, scheduler).endswith(
        "\n  fix: OneCycleLR has the learning rates from its max_lr, and not from the groups: "
        'build the groups with lr=0.1 (convention="torch"), and give it one for each: '
        'max_lr=[group["lr"] for group in optimizer.param_groups]'
    )


def test_groups_that_no_scale_reaches():
    optimizer = make_optimizer()
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    assert message("ignored", optimizer).endswith(
        "\n  fix: no scale reaches these groups: build them with build_param_groups, and let "
        "nothing else set their lr"
    )


def test_rates_set_alike_after_the_scheduler_are_ignored_scales():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    for group in optimizer.param_groups:
        group["lr"] = 0.03
    assert "group 0 'layer_00_decay' is now at 0.03 instead of 0.0075 (scale 0.25): embed.w" in (
        message("ignored", optimizer, scheduler)
    )


# the scale is applied twice


@pytest.mark.parametrize("steps", [0, 3])
def test_a_scaled_lr_and_lr_scale_under_timms_scheduler_are_multiplied(steps):
    optimizer = make_optimizer()
    for group in optimizer.param_groups:
        group["lr_scale"] = group["lr"] / 0.1
    scheduler = CosineLRScheduler(optimizer, t_initial=10)
    run(optimizer, scheduler, steps)
    assert message("twice", optimizer, scheduler) == (
        "the scale is applied twice in 3 of 5 groups: they train at the learning rate times the "
        "square of their scale\n"
        "  group 0 'layer_00_decay' starts from 0.00625 instead of 0.025 (scale 0.25): embed.w\n"
        "  group 1 'layer_01_decay' starts from 0.025 instead of 0.05 (scale 0.5): blocks.0.w\n"
        "  group 2 'layer_01_no_decay' starts from 0.025 instead of 0.05 (scale 0.5): "
        "blocks.0.bias\n"
        "  fix: the groups carry a scaled lr and lr_scale, and CosineLRScheduler multiplies one by "
        'the other: build them with convention="timm", or without lr_scale'
    )


def test_a_loop_that_scales_what_is_scaled():
    optimizer = make_optimizer()
    for group, scale in zip(optimizer.param_groups, [0.25, 0.5, 0.5, 1, 1], strict=True):
        group["lr"] *= scale
    assert message("twice", optimizer).endswith(
        "\n  fix: a scaled lr was multiplied by the scale again: leave it to the groups or to the "
        "loop"
    )


# traps


def test_scales_of_one_are_neither_ignored_nor_applied_twice():
    optimizer = timm_optimizer()
    for group in optimizer.param_groups:
        group["lr_scale"] = 1.0
    for scheduler in (CosineLRScheduler(optimizer, 10, lr_min=0.01), plateau(optimizer)):
        assert audit(optimizer, scheduler, layer_decay=1).is_right


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("build", [make_optimizer, timm_optimizer])
def test_groups_of_one_layer_are_told_by_the_rate_itself(name, build, steps):
    optimizer = build()
    del optimizer.param_groups[3:], optimizer.param_groups[0]
    scheduler = TORCH[name](optimizer)
    run(optimizer, scheduler, steps)
    found = faults(optimizer, scheduler)
    ignored = [] if build is make_optimizer else ["ignored"]
    assert list(found) == [*ignored, "layer missing"]


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("build", [make_optimizer, timm_optimizer])
def test_a_missing_head_changes_no_other_verdict(name, build, steps):
    optimizer = build()
    del optimizer.param_groups[3:]
    scheduler = TORCH[name](optimizer)
    run(optimizer, scheduler, steps)
    found = faults(optimizer, scheduler)
    if build is make_optimizer:
        assert list(found) == ["layer missing"]
    else:
        assert found["ignored"].names == ("embed.w", "blocks.0.w", "blocks.0.bias")


# another rate


def test_another_rate_names_the_group_and_its_parameters():
    optimizer = make_optimizer()
    optimizer.param_groups[2]["lr"] = 0.07
    assert message("other", optimizer) == (
        "another learning rate than the one asked for in 1 of 5 groups\n"
        "  group 2 'layer_01_no_decay' is at 0.07 instead of 0.05 (scale 0.5): blocks.0.bias\n"
        "  fix: build the groups with this lr, layer_decay, lr_mult and min_scale, and let nothing "
        "else set their lr"
    )


def test_a_multiple_of_every_rate_is_another_lr():
    """At half of it, layer 1 is at the square of its scale: still no scale applied twice."""
    assert message("other", make_optimizer(lr=0.05)).endswith(
        "  … and 2 more\n"
        "  fix: every group is at 0.5 times what was asked for, as with lr=0.05: pass the one that "
        "was meant"
    )


def test_a_plateau_has_raised_nothing():
    optimizer = make_optimizer(lr=0.15)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
    assert "as with lr=0.15" in message("other", optimizer, scheduler)


def test_a_rate_of_nothing_is_not_what_a_plateau_goes_down_to():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
    optimizer.param_groups[0]["lr"] = 0.0
    assert faults(optimizer, scheduler)["other"].groups == (0,)


def test_the_repr_has_no_line_for_each_parameter():
    assert repr(audit(make_optimizer())) == "LearningRates(lr=0.1, factor=1.0, faults=())"


def test_as_text_the_faults_follow_the_table():
    found = audit(make_optimizer(lr=0.15))
    lines = str(found).splitlines()
    assert lines[4].startswith("another learning rate than the one asked for in 5 of 5 groups")
    assert "every parameter has the learning rate that was asked for" not in lines


def test_a_plateau_has_lowered_nothing_before_its_first_step():
    optimizer = make_optimizer(lr=0.05)
    scheduler = plateau(optimizer)
    assert list(faults(optimizer, scheduler)) == ["other"]
    run(optimizer, scheduler, 2)
    assert audit(optimizer, scheduler).is_right


def test_a_scheduler_of_ones_own_works_from_the_initial_lr():
    optimizer = make_optimizer(lr=0.05)
    for group in optimizer.param_groups:
        group |= {"initial_lr": group["lr"], "lr": 0.3 * group["lr"]}
    assert "every group is at 0.5 times" in message("other", optimizer, SimpleNamespace())
    assert audit(optimizer, SimpleNamespace(), lr=0.05).is_right


def test_rates_of_another_layer_decay_say_which():
    assert message("other", make_optimizer(layer_decay=0.65)).endswith(
        "\n  fix: every group is as with layer_decay=0.65: pass the one that was meant"
    )


def test_two_layers_do_not_tell_a_layer_decay():
    model = make_model(["embed.w", "head.w"])
    rules = rule_set_from_mapping({"arch": "two", "layers": [{"a": "embed.w"}, {"b": "head.w"}]})
    groups = build_param_groups(model, rules, layer_decay=0.3, lr=0.1)
    found = audit_learning_rates(SGD(groups), assign_layers(model, rules), lr=0.1, layer_decay=0.5)
    assert [fault.kind for fault in found.faults] == ["other"]
    assert "layer_decay=" not in found.faults[0].message


def test_a_scheduler_that_was_not_passed_is_asked_for():
    optimizer = make_optimizer()
    lr_scheduler.LambdaLR(optimizer, lambda _: 0.3)
    assert message("other", optimizer).endswith(
        "\n  fix: a scheduler was built on this optimizer: pass it as scheduler=, and as lr the "
        "top of its schedule"
    )


def test_a_group_added_after_the_scheduler_does_not_follow_it():
    optimizer = make_optimizer()
    (late,) = optimizer.param_groups[:1]
    del optimizer.param_groups[0]
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 0.3)
    optimizer.param_groups.append(late)
    assert "group 4 'layer_00_decay' is now at 0.025 instead of 0.0075" in (
        message("other", optimizer, scheduler)
    )


def test_a_group_removed_after_the_scheduler_is_missing_and_no_other():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 0.5)
    del optimizer.param_groups[4]
    assert list(faults(optimizer, scheduler)) == ["missing"]


def test_one_factor_for_each_group_is_found_at_once():
    optimizer = make_optimizer()
    factors = [lambda _: 0.5] * 4 + [lambda _: 0.1]
    scheduler = lr_scheduler.LambdaLR(optimizer, factors)
    assert faults(optimizer, scheduler)["other"].names == ("head.bias",)


# the schedule's least rate


@pytest.mark.parametrize("steps", [0, 3, 5])
def test_a_least_rate_lifts_the_lower_layers(steps):
    optimizer = make_optimizer()
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 5, eta_min=0.01)
    run(optimizer, scheduler, steps)
    assert message("floor", optimizer, scheduler) == (
        "the schedule lifts 3 of 5 groups: its eta_min is the same for all of them, whatever their "
        "depth\n"
        "  group 0 'layer_00_decay' goes down to 0.01 instead of 0.0025 (scale 0.25): embed.w\n"
        "  group 1 'layer_01_decay' goes down to 0.01 instead of 0.005 (scale 0.5): blocks.0.w\n"
        "  group 2 'layer_01_no_decay' goes down to 0.01 instead of 0.005 (scale 0.5): "
        "blocks.0.bias\n"
        "  fix: leave eta_min at 0, or use LambdaLR, whose factor multiplies each group's lr"
    )


def test_a_least_rate_in_a_sequence_is_found_and_the_top_layer_tells_the_factor():
    """Of the three layers it is the only one with a single group, and the only one not lifted."""
    optimizer = make_optimizer()
    del optimizer.param_groups[4]
    parts = [
        lr_scheduler.LinearLR(optimizer, 0.1, total_iters=3),
        lr_scheduler.CosineAnnealingLR(optimizer, 6, eta_min=0.01),
    ]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [3])
    run(optimizer, scheduler, 6)
    found = audit(optimizer, scheduler)
    assert [fault.kind for fault in found.faults] == ["floor", "missing"]
    assert found.factor == pytest.approx(0.55)


def test_a_wrong_start_does_not_hide_what_a_least_rate_lifts():
    optimizer = make_optimizer()
    optimizer.param_groups[1]["lr"] = 0.3
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 4, eta_min=0.01)
    run(optimizer, scheduler, 2)
    found = faults(optimizer, scheduler)
    assert {kind: fault.groups for kind, fault in found.items()} == {"other": (1,), "floor": (0, 2)}


@pytest.mark.parametrize("steps", [0, 2, 4, 9])
def test_a_plateaus_least_rate_is_found_and_a_list_of_scaled_ones_is_right(steps):
    optimizer = make_optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, min_lr=0.01)
    run(optimizer, scheduler, steps)
    assert message("floor", optimizer, scheduler).endswith(
        "\n  fix: give it a list, min_lr=[least * scale, …], one for each group, or leave it at 0"
    )
    optimizer = make_optimizer()
    least = [0.1 * group["lr"] for group in optimizer.param_groups]
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, min_lr=least)
    run(optimizer, scheduler, steps)
    assert audit(optimizer, scheduler).is_right


@pytest.mark.parametrize("steps", [0, 1, 3, 5])
def test_the_least_rate_of_a_cycle_is_found(steps):
    optimizer = make_optimizer()
    rates = [group["lr"] for group in optimizer.param_groups]
    scheduler = lr_scheduler.CyclicLR(optimizer, 0.01, rates, 3, cycle_momentum=False)
    run(optimizer, scheduler, steps)
    assert message("floor", optimizer, scheduler).endswith(
        "fix: give it a list, base_lr=[least * scale, …], one for each group"
    )


@pytest.mark.filterwarnings("ignore:PlateauLRScheduler is deprecated:FutureWarning")
def test_timms_plateau_does_not_scale_the_least_rate_of_the_one_inside():
    optimizer = timm_optimizer()
    scheduler = PlateauLRScheduler(optimizer, lr_min=0.01)
    assert "its min_lr is the same" in message("floor", optimizer, scheduler)


def test_timms_least_rates_lift_groups_without_lr_scale():
    optimizer = make_optimizer()
    scheduler = CosineLRScheduler(optimizer, 10, warmup_t=3, warmup_lr_init=0.01, lr_min=0.01)
    found = audit(optimizer, scheduler).faults
    assert [fault.message.rpartition("fix: ")[2] for fault in found] == [
        f'build the groups with convention="timm": then {argument} is scaled too'
        for argument in ("lr_min", "warmup_lr_init")
    ]


@pytest.mark.parametrize(
    ("steps", "arguments"), [(0, ["lr_min"]), (1, ["lr_min", "warmup_lr_init"])]
)
def test_where_timms_scheduler_warms_nothing_up_its_first_rate_lifts_nobody(steps, arguments):
    optimizer = make_optimizer()
    options = {"warmup_t": steps, "warmup_lr_init": 0.01, "lr_min": 0.01}
    found = audit(optimizer, CosineLRScheduler(optimizer, 10, **options)).faults
    assert [fault.kind for fault in found] == ["floor"] * len(arguments)
    assert all(a in fault.message for a, fault in zip(arguments, found, strict=True))


def test_a_least_rate_below_the_scaled_one_lifts_nobody():
    """Squared scales: nearer to zero in the lower layers than the scales ask for."""
    optimizer = make_optimizer()
    least = [group["lr"] ** 2 for group in optimizer.param_groups]
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=least)
    assert audit(optimizer, scheduler).is_right


def test_a_least_rate_that_is_scaled_but_for_rounding_lifts_nobody():
    optimizer = make_optimizer()
    least = [0.1 * group["lr"] * (1 + 1e-12 * n) for n, group in enumerate(optimizer.param_groups)]
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=least)
    assert audit(optimizer, scheduler).is_right


def test_a_multiple_of_two_rates_is_another_lr():
    model = make_model(["embed.w", "head.w"])
    rules = rule_set_from_mapping({"arch": "two", "layers": [{"a": "embed.w"}, {"b": "head.w"}]})
    groups = build_param_groups(model, rules, layer_decay=0.5, lr=0.3)
    found = audit_learning_rates(SGD(groups), assign_layers(model, rules), lr=0.1, layer_decay=0.5)
    assert [fault.message.splitlines()[-1] for fault in found.faults] == [
        "  fix: every group is at 3 times what was asked for, as with lr=0.3: pass the one that "
        "was meant"
    ]


def test_the_factor_is_the_one_on_which_most_rates_agree():
    assert common_factor([0.05, 0.0125], [1.0, 0.5], 2.0) == pytest.approx(0.1)  # scaled twice
    assert common_factor([0.2, 0.2], [1.0, 0.5], 2.0) == pytest.approx(0.1)  # not at all
    assert common_factor([0.1, 0.05], [1.0, 0.5], 2.0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("now", "bases", "factor"),
    [([], [], 1.0), ([0.0], [0.0], 0.0), ([0.2], [0.0], 2.0), ([0.05, 0.0], [0.5, 0.0], 0.1)],
)
def test_the_factor_of_rates_that_start_from_nothing(now, bases, factor):
    assert common_factor(now, bases, 0.1) == pytest.approx(factor)


def test_parameters_that_a_model_does_not_have_are_not_expected_of_it():
    part = make_model(NAMES[:3])
    groups = build_param_groups(part, LAYERS, layer_decay=0.5, lr=0.1)
    assert audit(SGD(groups), model=part).is_right
    assert list(faults(SGD(groups))) == ["layer missing"]


# what is in which group


def test_a_missing_layer_and_missing_parameters_are_named():
    optimizer = make_optimizer()
    del optimizer.param_groups[2], optimizer.param_groups[0]
    found = faults(optimizer)
    assert [fault.message for fault in found.values()] == [
        "1 of 3 layers are missing from the optimizer\n"
        "  layer 0: embed.w\n"
        "  fix: if they are frozen, pass model=; else build the groups from the whole model, as it "
        "is",
        "1 of 5 parameters are missing from the optimizer\n"
        "  layer 1: blocks.0.bias\n"
        "  fix: if they are frozen, pass model=; else build the groups from the whole model, as it "
        "is",
    ]


def test_frozen_parameters_are_not_expected_where_the_model_is_given():
    model = make_model()
    model.embed.requires_grad_(False)
    optimizer = make_optimizer(model)
    assert list(faults(optimizer)) == ["layer missing"]
    assert audit(optimizer, model=model).is_right
    model.embed.requires_grad_(True)
    assert message("layer missing", optimizer, model=model).endswith(
        "fix: build the groups from the whole model, as it is"
    )


def test_a_parameter_in_two_groups_is_named():
    optimizer = make_optimizer()
    optimizer.param_groups[4]["param_names"] = ["head.bias", "head.w"]
    assert message("duplicate", optimizer) == (
        "1 parameters are in the optimizer more than once\n"
        "  head.w: group 3 'layer_02_decay', group 4 'layer_02_no_decay'\n"
        "  fix: an optimizer steps them once for each time; keep one"
    )
    fault = faults(optimizer)["duplicate"]
    assert (fault.groups, fault.names) == ((3, 4), ("head.w",))


def test_the_groups_of_several_duplicates_are_in_order():
    rules = {"arch": "deep", "layers": [{"block": "{i}.**"}]}
    model = nn.Sequential(*(nn.Linear(1, 1, bias=False) for _ in range(10)))
    optimizer = SGD(build_param_groups(model, rules, lr=0.1), lr=0.1)
    for first, second in ((8, 9), (1, 2)):  # a set of 8, 9, 1 and 2 is in this order
        optimizer.param_groups[second]["param_names"] = [f"{first}.weight"]
    report = audit_learning_rates(optimizer, assign_layers(model, rules), lr=0.1)
    (fault,) = (fault for fault in report.faults if fault.kind == "duplicate")
    assert fault.groups == (1, 2, 8, 9)


def test_a_parameter_that_the_assignment_does_not_have():
    optimizer = make_optimizer()
    optimizer.add_param_group({"params": [("adapter.w", nn.Parameter(torch.ones(2)))]})
    assert message("unassigned", optimizer) == (
        "1 parameters of the optimizer are not in the assignment ('mine'), so no learning rate was "
        "asked for them\n"
        "  adapter.w: group 5\n"
        "  fix: assign the layers of the model that is trained; if a wrapper changed the names, "
        "pass the model inside as model="
    )
    fault = faults(optimizer)["unassigned"]
    assert (fault.groups, fault.names) == ((5,), ("adapter.w",))


def test_groups_of_another_assignment():
    model = make_model([*NAMES, "blocks.1.w"])
    optimizer = SGD(build_param_groups(model, RULES, layer_decay=0.5, lr=0.1))
    fault = faults(optimizer)["assignment"]
    there = assign_layers(model, RULES).fingerprint()[:8]
    here = LAYERS.fingerprint()[:8]
    assert fault.groups == tuple(range(6))
    assert fault.message == (
        "6 of 6 groups were built from another assignment than this one "
        f"(fingerprint {here}…)\n"
        f"  group 0 'layer_00_decay': fingerprint {there}…\n"
        f"  group 1 'layer_01_decay': fingerprint {there}…\n"
        f"  group 2 'layer_01_no_decay': fingerprint {there}…\n"
        "  … and 3 more\n"
        "  fix: pass the assignment of the model that the groups were built from, or build them "
        "anew"
    )


# what libraries do to groups


def test_copied_and_reordered_groups_are_right():
    model = make_model()
    optimizer = make_optimizer(model)
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 0.5)
    assert audit(deepcopy(optimizer), scheduler).is_right
    optimizer = make_optimizer(model)
    optimizer.param_groups.reverse()
    assert audit(optimizer, model=model).is_right


def test_groups_without_names_are_read_by_the_model():
    model = make_model()
    optimizer = make_optimizer(model)
    for group in optimizer.param_groups:
        del group["param_names"]
    assert message("unnamed", optimizer) == (
        "unknown parameters in 5 of 5 groups\n"
        "  group 0 'layer_00_decay': 1 of 1 parameters\n"
        "  group 1 'layer_01_decay': 1 of 1 parameters\n"
        "  group 2 'layer_01_no_decay': 1 of 1 parameters\n"
        "  … and 2 more\n"
        "  fix: the groups carry no param_names, as a wrapper made them anew: pass model="
    )
    assert audit(optimizer, model=model).is_right
    assert audit(optimizer, model=model.named_parameters()).is_right


def test_flat_tensors_of_a_group_go_by_its_names():
    """ZeRO puts one flat tensor in place of a group's parameters, and keeps the other keys."""
    model = make_model()
    optimizer = make_optimizer(model)
    for group in optimizer.param_groups:
        group["params"] = [torch.cat([p.flatten() for p in group["params"]])]
    assert audit(optimizer, model=model).is_right


def test_a_part_that_was_replaced_after_the_optimizer_was_built():
    model = make_model()
    optimizer = make_optimizer(model)
    model.head.w = nn.Parameter(torch.ones(3, 2))
    assert audit(optimizer).is_right
    found = faults(optimizer, model=model)
    assert list(found) == ["unnamed", "missing"]
    assert found["unnamed"].groups == (3,)
    assert found["missing"].names == ("head.w",)
    assert found["unnamed"].message == (
        "unknown parameters in 1 of 5 groups\n"
        "  group 3 'layer_02_decay': 1 of 1 parameters\n"
        "  fix: these tensors are none of the model's: part of it was replaced after the optimizer "
        "was built, or a wrapper flattened them; build the groups from the model as it is"
    )


def test_layers_in_one_group_are_named():
    model = make_model()
    optimizer = SGD(model.named_parameters(), lr=0.1)
    assert message("together", optimizer) == (
        "layers that were asked for different learning rates share one in 1 of 1 groups\n"
        "  group 0 has 3 layers at 0.1: embed.w, blocks.0.w, blocks.0.bias and 2 more\n"
        "  fix: these are not the groups of build_param_groups: give the optimizer those, and give "
        "the library the optimizer"
    )
    fault = faults(optimizer)["together"]
    assert (fault.groups, fault.names) == ((0,), NAMES)
    assert audit(optimizer, layer_decay=1).is_right


def test_what_is_missing_is_listed_by_layer_whatever_the_model_s_order():
    model = make_model(("head.w", "blocks.0.w", "embed.w"))
    layers = assign_layers(model, RULES)
    optimizer = SGD([g for g in build_param_groups(model, layers, lr=0.1) if g["layer"] == 1], 0.1)
    (fault,) = audit_learning_rates(optimizer, layers, lr=0.1).faults
    assert fault.names == ("head.w", "embed.w")
    lines = fault.message.splitlines()
    assert [line for line in lines if line.startswith("  layer")] == [
        "  layer 0: embed.w",
        "  layer 2: head.w",
    ]


def test_a_group_at_0_is_at_a_least_rate_only_where_the_schedule_is_there():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 10)
    run(optimizer, scheduler, 4)
    optimizer.param_groups[1]["lr"] = 0.0
    assert faults(optimizer, scheduler).keys() == {"other"}
    assert faults(optimizer, scheduler)["other"].groups == (1,)


def test_the_groups_of_a_wrapped_model_are_held_to_the_layers_of_the_bare_one():
    wrapped = nn.DataParallel(make_model())
    optimizer = make_optimizer(wrapped)
    assert optimizer.param_groups[0]["param_names"] == ["module.embed.w"]
    assert audit(optimizer, model=wrapped).is_right
    optimizer.param_groups[0]["lr"] = 0.3
    (fault,) = audit(optimizer, model=wrapped).faults
    assert fault.groups == (0,)


# in words


def test_verifying_returns_what_is_right_and_raises_what_is_not():
    optimizer = make_optimizer()
    assert verify_learning_rates(optimizer, LAYERS, 0.1, layer_decay=0.5) == audit(optimizer)
    optimizer.param_groups[0]["lr"] = 0.1
    del optimizer.param_groups[4]
    found = audit(optimizer).faults
    with pytest.raises(LearningRateError) as caught:
        verify_learning_rates(optimizer, LAYERS, 0.1, layer_decay=0.5)
    assert caught.value.faults == found
    assert [fault.kind for fault in found] == ["ignored", "missing"]
    assert str(caught.value) == (
        f"the learning rates are not those asked for:\n{found[0].message}\n{found[1].message}"
    )


def test_as_text_the_rates_are_a_table_of_layers():
    optimizer = make_optimizer()
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: 0.5)
    assert str(audit(optimizer, scheduler)) == (
        "layer     scale      asked       base        now  parameters\n"
        "    0      0.25      0.025      0.025     0.0125           1\n"
        "    1       0.5       0.05       0.05      0.025           2\n"
        "    2         1        0.1        0.1       0.05           2\n"
        "every parameter has the learning rate that was asked for"
    )


@pytest.mark.parametrize("lr", [0, -1, float("nan"), float("inf")])
def test_a_base_rate_is_above_zero(lr):
    with pytest.raises(InvalidArgumentError, match=r"^lr must be finite and above 0; found"):
        audit(make_optimizer(), lr=lr)


def test_what_is_no_optimizer_is_an_error():
    with pytest.raises(InvalidArgumentError) as caught:
        audit(3)
    assert str(caught.value) == (
        "expected an optimizer, or what wraps one and has its param_groups; found int"
    )


def test_a_group_without_a_rate_is_an_error():
    optimizer = make_optimizer()
    del optimizer.param_groups[1]["lr"]
    with pytest.raises(InvalidArgumentError) as caught:
        audit(optimizer)
    assert str(caught.value) == (
        "group 1 of the optimizer has no lr, as after loading a state that was saved for other "
        "groups; see check_resume"
    )


def test_a_model_under_other_names_is_an_error():
    with pytest.raises(InvalidArgumentError) as caught:
        audit(make_optimizer(), model=nn.ModuleDict({"module": make_model()}))
    assert str(caught.value) == (
        "none of the model's parameters (module.embed.w, …) is in the assignment (embed.w, …); "
        "pass the model that the layers were assigned for"
    )


# what holds for every model


def trained(case, **options):
    assume(any(p.requires_grad for p in case.parameters.values()))
    model, assignment = case.model, assign_layers(case.model, case.rules)
    optimizer = SGD(build_param_groups(model, case.rules, **options), lr=options["lr"])
    return model, assignment, optimizer


@given(cases(), st.floats(0.3, 1), st.floats(1e-5, 1), st.just(0.0) | st.floats(1e-9, 1))
def test_right_groups_are_right_under_any_factor(case, decay, lr, factor):
    model, assignment, optimizer = trained(case, lr=lr, layer_decay=decay)
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda _: factor)
    verify_learning_rates(optimizer, assignment, lr, scheduler, layer_decay=decay, model=model)


@given(cases(), st.floats(0.3, 1), st.floats(0.1, 10), st.data())
def test_of_a_spoilt_group_exactly_its_parameters_are_named(case, decay, spoilt, data):
    assume(abs(spoilt - 1) > 1e-3)
    model, assignment, optimizer = trained(case, lr=0.1, layer_decay=decay)
    group = data.draw(st.sampled_from(optimizer.param_groups))
    group["lr"] *= spoilt
    found = audit_learning_rates(optimizer, assignment, lr=0.1, layer_decay=decay, model=model)
    (fault,) = found.faults
    assert list(fault.names) == group["param_names"]
    assert fault.kind in ("ignored", "twice", "other")


def test_where_timms_scheduler_reads_a_scale_that_is_not_there_it_is_not_blamed():
    groups = build_param_groups(make_model(), RULES, layer_decay=1.0)
    optimizer = SGD(groups, lr=1.0)
    scheduler = CosineLRScheduler(optimizer, 10)
    model = assign_layers(make_model(), RULES)
    [fault] = audit_learning_rates(optimizer, model, lr=1.0, scheduler=scheduler, **SCALES).faults
    assert "no scale reaches these groups: build them with build_param_groups" in fault.message


def test_groups_that_join_after_the_schedule_are_not_held_to_its_floor():
    model = make_model()
    *first, last = build_param_groups(model, RULES, lr=1.0, **SCALES)
    optimizer = SGD(first, lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=[0.0] * len(first))
    optimizer.add_param_group(last)
    found = audit_learning_rates(
        optimizer, assign_layers(model, RULES), lr=1.0, scheduler=scheduler, **SCALES
    )
    assert found.faults == ()


def test_the_rates_are_left_out_of_the_repr():
    model = make_model()
    optimizer = SGD(build_param_groups(model, RULES, lr=1.0, **SCALES), lr=1.0)
    found = audit_learning_rates(optimizer, assign_layers(model, RULES), lr=1.0, **SCALES)
    assert repr(found) == "LearningRates(lr=1.0, factor=1.0, faults=())"


@pytest.mark.parametrize(
    "make",
    [
        lambda o: lr_scheduler.CyclicLR(o, 0.0, 0.1, 3, cycle_momentum=False),
        lambda o: lr_scheduler.ChainedScheduler(
            [lr_scheduler.ConstantLR(o, 1.0), lr_scheduler.OneCycleLR(o, 0.1, 10)], o
        ),
    ],
    ids=["CyclicLR", "OneCycleLR among others"],
)
def test_whatever_takes_its_own_highest_rates_is_told_to_take_one_for_each_group(make):
    optimizer = make_optimizer()
    assert message("ignored", optimizer, make(optimizer)).endswith(
        'and give it one for each: max_lr=[group["lr"] for group in optimizer.param_groups]'
    )


def test_a_scale_that_a_schedule_of_torchs_did_not_put_on_twice_is_somebodys_else():
    optimizer = make_optimizer()
    for group, scale in zip(optimizer.param_groups, (0.25, 0.5, 0.5, 1.0, 1.0), strict=True):
        group["lr"] *= scale
    scheduler = lr_scheduler.StepLR(optimizer, 10)
    assert message("twice", optimizer, scheduler).endswith(
        "a scaled lr was multiplied by the scale again: leave it to the groups or to the loop"
    )


def test_a_group_that_joins_late_is_held_to_where_it_began():
    model = make_model()
    *first, last = build_param_groups(model, RULES, lr=0.1, **SCALES)
    optimizer = SGD(first, lr=0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    run(optimizer, scheduler, 1)
    optimizer.add_param_group({**last, "initial_lr": last["lr"], "lr": 0.5 * last["lr"]})
    assert audit(optimizer, scheduler).is_right


def test_groups_that_all_stand_still_are_not_divided_by():
    optimizer = make_optimizer()
    scheduler = plateau(optimizer)
    run(optimizer, scheduler, 1)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    assert audit(optimizer, scheduler).faults


def test_a_group_that_joins_late_has_no_least_rate_in_a_list():
    model = make_model()
    *first, last = build_param_groups(model, RULES, lr=0.1, **SCALES)
    optimizer = SGD(first, lr=0.1)
    least = [group["lr"] for group in optimizer.param_groups]
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=least)
    run(optimizer, scheduler, 1)
    optimizer.add_param_group(last)
    assert audit(optimizer, scheduler).is_right


def test_an_assignment_in_the_names_of_an_optimizer_has_each_parameter_once():
    optimizer = SGD([("module.embed.w", make_model().embed.w)], lr=0.1)
    found = spelled_as(LAYERS, _readings(read_groups(optimizer)))
    assert sorted(found) == ["blocks.0.bias", "blocks.0.w", "head.bias", "head.w", "module.embed.w"]

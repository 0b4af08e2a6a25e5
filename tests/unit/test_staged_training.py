"""Training in stages: what is unfrozen later trains as if it had been there from the start."""

import contextlib
from functools import partial

import pytest
import torch
from torch.optim import lr_scheduler as schedules

from lrd_registry import assign_layers, build_param_groups, check_resume, remap_state_dict
from tests.support.six_linears import RULES, adamw, net, rates, state_of, stored, train

pytestmark = pytest.mark.engine

BACKBONE = ["stem", "0", "1"]
FIRST_STAGE, HORIZON = 3, 10
OPTIONS = {"lr": 0.1, "layer_decay": 0.5}
SCHEDULERS = {
    "cosine": partial(schedules.CosineAnnealingLR, T_max=HORIZON),
    "warm-up": partial(schedules.LinearLR, start_factor=0.1, total_iters=6),
    "steps": partial(schedules.StepLR, step_size=2, gamma=0.5),
    "exponential": partial(schedules.ExponentialLR, gamma=0.8),
    "restarts": partial(schedules.CosineAnnealingWarmRestarts, T_0=4),
}


def unfreeze(model, name):
    """The parameters of a module, which train from now on."""
    found = [(n, p) for n, p in model.named_parameters() if n.startswith(f"{name}.")]
    for _, parameter in found:
        parameter.requires_grad_(True)
    return found


def add_groups(optimizer, scheduler, groups):
    """Add groups to an optimizer whose schedule is under way."""
    first = optimizer.param_groups[0]
    progress = first["lr"] / first["initial_lr"]
    for group in groups:
        group["initial_lr"] = group["lr"]
        group["lr"] *= progress
        optimizer.add_param_group(group)
        scheduler.base_lrs.append(group["initial_lr"])


def labels(optimizer):
    keys = ("layer", "name", "weight_decay", "assignment")
    return {
        name: [group[key] for key in keys]
        for group in optimizer.param_groups
        for name in group["param_names"]
    }


def test_groups_added_one_module_at_a_time_are_those_of_a_model_built_at_once():
    model = net(frozen=BACKBONE)
    assignment = assign_layers(model, RULES)
    optimizer = torch.optim.AdamW(build_param_groups(model, assignment, **OPTIONS))
    for name in reversed(BACKBONE):
        for group in build_param_groups(unfreeze(model, name), assignment, **OPTIONS):
            optimizer.add_param_group(group)
    at_once = adamw(net())
    assert labels(optimizer) == labels(at_once)
    assert rates(optimizer) == rates(at_once)
    assert [group["name"] for group in optimizer.param_groups[:4]] == [
        "layer_03_decay",
        "layer_03_no_decay",
        "layer_02_decay",
        "layer_02_no_decay",
    ]


@pytest.mark.parametrize("schedule", SCHEDULERS)
def test_a_schedule_goes_on_for_all_groups(schedule):
    model, reference = net(frozen=BACKBONE), net()
    assignment = assign_layers(model, RULES)
    optimizer = torch.optim.AdamW(build_param_groups(model, assignment, **OPTIONS))
    at_once = adamw(reference)
    scheduler, expected = SCHEDULERS[schedule](optimizer), SCHEDULERS[schedule](at_once)
    stages = {FIRST_STAGE: ["1"], FIRST_STAGE + 2: ["0", "stem"]}
    for step in range(HORIZON - 1):
        for name in stages.get(step, ()):
            groups = build_param_groups(unfreeze(model, name), assignment, **OPTIONS)
            add_groups(optimizer, scheduler, groups)
        train(model, optimizer, [step], scheduler)
        train(reference, at_once, [step], expected)
        found = rates(optimizer)
        assert found == pytest.approx({n: rates(at_once)[n] for n in found}, rel=1e-12)
    assert found.keys() == rates(at_once).keys()


def test_a_schedule_that_was_not_told_of_a_group_does_not_go_on():
    """Should torch ever see to this itself, the recipe can go; until 2.7 it says nothing."""
    model = net(frozen=BACKBONE)
    optimizer = adamw(model)
    scheduler = SCHEDULERS["restarts"](optimizer)
    for group in build_param_groups(unfreeze(model, "1"), assign_layers(model, RULES), **OPTIONS):
        optimizer.add_param_group(group)
    optimizer.step()
    before = rates(optimizer)
    with contextlib.suppress(ValueError):
        scheduler.step()
    after = rates(optimizer)
    assert after["head.weight"] != before["head.weight"] or after == before
    assert after["1.fc1.weight"] == before["1.fc1.weight"]


@pytest.mark.parametrize("schedule", SCHEDULERS)
def test_an_optimizer_built_anew_takes_over_in_place_of_added_groups(schedule):
    model, reference = net(frozen=BACKBONE), net()
    old, at_once = adamw(model), adamw(reference)
    before, expected = SCHEDULERS[schedule](old), SCHEDULERS[schedule](at_once)
    train(model, old, range(FIRST_STAGE), before)
    train(reference, at_once, range(FIRST_STAGE), expected)
    model.requires_grad_(True)
    optimizer = adamw(model)
    scheduler = SCHEDULERS[schedule](optimizer)
    optimizer.load_state_dict(remap_state_dict(stored(old.state_dict()), optimizer))
    scheduler.load_state_dict(before.state_dict() | {"base_lrs": scheduler.base_lrs})
    assert state_of(model, optimizer).keys() == {"head.weight", "head.bias"}
    assert rates(optimizer) == pytest.approx(rates(at_once), rel=1e-12)
    for step in range(FIRST_STAGE, HORIZON - 1):
        train(model, optimizer, [step], scheduler)
        train(reference, at_once, [step], expected)
        assert rates(optimizer) == pytest.approx(rates(at_once), rel=1e-12)


def test_what_was_trained_in_stages_resumes_in_groups_built_at_once():
    model = net(frozen=BACKBONE)
    assignment = assign_layers(model, RULES)
    staged = torch.optim.AdamW(build_param_groups(model, assignment, **OPTIONS))
    train(model, staged, range(FIRST_STAGE))
    for name in reversed(BACKBONE):
        for group in build_param_groups(unfreeze(model, name), assignment, **OPTIONS):
            staged.add_param_group(group)
    train(model, staged, [FIRST_STAGE])
    target = net()
    target.load_state_dict(model.state_dict())
    resumed = adamw(target)
    resumed.load_state_dict(remap_state_dict(stored(staged.state_dict()), resumed))
    check_resume(resumed.state_dict(), resumed)
    assert state_of(target, resumed)["head.bias"]["step"] == FIRST_STAGE + 1
    assert state_of(target, resumed)["stem.bias"]["step"] == 1
    train(model, staged, [FIRST_STAGE + 1])
    train(target, resumed, [FIRST_STAGE + 1])
    expected = dict(model.named_parameters())
    assert all(torch.equal(p, expected[name]) for name, p in target.named_parameters())

"""A live optimizer against an assignment: does each parameter get the learning rate asked for?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrd_registry.arguments import ABOVE_0, check_number
from lrd_registry.assignment import Assignment, Level
from lrd_registry.decay import LayerDecay
from lrd_registry.errors import InvalidArgumentError, LearningRateError
from lrd_registry.groups.scales import Scales
from lrd_registry.model_names.compared import Names
from lrd_registry.model_names.from_names_only import readings_of_names
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.verify.checks import Audit, factor_now, rate_faults
from lrd_registry.verify.membership import assigned, membership_faults
from lrd_registry.verify.optimizer_groups import LiveGroup, read_groups
from lrd_registry.verify.result import LearningRates, Rate
from lrd_registry.verify.schedulers import Schedule, read_schedule
from lrd_registry.verify.shares import likely_bases, shares_of
from lrd_registry.verify.spelling import spelled_as

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.model_names.parameters import Model


def audit_learning_rates(
    optimizer: Any,
    assignment: Assignment,
    *,
    lr: float,
    layer_decay: LayerDecay = 0.75,
    lr_mult: Mapping[str, float] | None = None,
    min_scale: float = 0.0,
    scheduler: Any = None,
    model: Model | None = None,
) -> LearningRates:
    """Compare the learning rates of an optimizer with those that were asked for.

    A parameter is asked to have `lr` times its scale, with `scheduler` times a factor that is the
    same for all groups. What the scheduler works from is looked at too, so that a scale that will
    not arrive is found before the first step: torch's schedulers never read `lr_scale`, and timm's
    multiply a scaled `lr` by it.

    Args:
        optimizer: the optimizer, or what wraps it and has its `param_groups`.
        assignment: the layers of the model that is trained.
        lr: the base learning rate, which the head trains at: now, or with `scheduler` at the top
            of its schedule; above 0.
        layer_decay: as for `build_param_groups`.
        lr_mult: as for `build_param_groups`.
        min_scale: as for `build_param_groups`.
        scheduler: one of torch's or timm's, or Accelerate's that wraps one; at any step.
        model: the model, or its `(name, parameter)` pairs: frozen parameters are then not
            expected, and groups without `param_names` can be read. Left out, every parameter of
            the assignment is expected.

    Returns:
        The learning rate of every parameter, and the faults.

    Raises:
        InvalidArgumentError: an argument outside its range, an optimizer without `param_groups`,
            or a model that has none of the assignment's parameters.

    >>> import torch
    >>> from lrd_registry import assign_layers, build_param_groups
    >>> rules = {"arch": "two", "layers": [{"in": "0.**"}, {"out": "1.**"}]}
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    >>> layers = assign_layers(model, rules)
    >>> optimizer = torch.optim.AdamW(build_param_groups(model, rules, layer_decay=0.5, lr=1e-3))
    >>> print(audit_learning_rates(optimizer, layers, lr=1e-3, layer_decay=0.5))
    layer     scale      asked       base        now  parameters
        0       0.5     0.0005     0.0005     0.0005           2
        1         1      0.001      0.001      0.001           2
    every parameter has the learning rate that was asked for

    Groups that carry `lr_scale`, which AdamW alone does not read:

    >>> optimizer = torch.optim.AdamW(build_param_groups(model, rules, layer_decay=0.5), lr=1e-3)
    >>> (fault,) = audit_learning_rates(optimizer, layers, lr=1e-3, layer_decay=0.5).faults
    >>> fault.kind, fault.names
    ('ignored', ('0.weight', '0.bias'))
    """
    scales = Scales(layer_decay, lr_mult or {}, min_scale)
    return _audit(optimizer, assignment, lr, scales, scheduler, model)


def verify_learning_rates(
    optimizer: Any,
    assignment: Assignment,
    lr: float,
    scheduler: Any = None,
    *,
    layer_decay: LayerDecay = 0.75,
    lr_mult: Mapping[str, float] | None = None,
    min_scale: float = 0.0,
    model: Model | None = None,
) -> LearningRates:
    """The same as `audit_learning_rates`, and an error where something is wrong.

    Raises:
        LearningRateError: a parameter does not get the learning rate asked for; its text names
            every fault, and `faults` has them.
        InvalidArgumentError: as for `audit_learning_rates`.

    >>> import torch
    >>> from lrd_registry import assign_layers, build_param_groups
    >>> rules = {"arch": "two", "layers": [{"in": "0.**"}, {"out": "1.**"}]}
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    >>> layers = assign_layers(model, rules)
    >>> optimizer = torch.optim.AdamW(build_param_groups(model, rules), lr=1e-3)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    >>> verify_learning_rates(optimizer, layers, 1e-3, scheduler)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lrd_registry.errors.LearningRateError: the learning rates are not those asked for:
    the scale is ignored in 2 of 4 groups: ...
    """
    scales = Scales(layer_decay, lr_mult or {}, min_scale)
    found = _audit(optimizer, assignment, lr, scales, scheduler, model)
    if found.faults:
        raise LearningRateError(found.faults)
    return found


def _audit(
    optimizer: Any,
    assignment: Assignment,
    lr: float,
    scales: Scales,
    scheduler: Any,
    model: Model | None,
) -> LearningRates:
    check_number("lr", lr, ABOVE_0)
    if not isinstance(assignment, Assignment):
        raise InvalidArgumentError(
            "assignment must be what assign_layers(model) returns; found "
            f"{type(assignment).__name__}"
        )
    parameters = None if model is None else collect_parameters(model)
    by_name = None if parameters is None else parameters.by_name
    trains = None if by_name is None else {n: p.requires_grad for n, p in by_name.items()}
    groups = read_groups(optimizer, by_name)
    readings = parameters.readings if parameters else _readings(groups)
    assignment = spelled_as(assignment, readings)
    if by_name is not None:
        _check_model(by_name, assignment)
    schedule = None if scheduler is None else read_schedule(scheduler, optimizer.param_groups)
    scale_of = scales.of(assignment)
    bases = _bases(groups, assignment, lr, scale_of, schedule)
    shares = shares_of(groups, assignment, scale_of, bases)
    audit = Audit(shares, len(groups), lr, schedule)
    return LearningRates(
        lr=lr,
        factor=factor_now(audit),
        rates=tuple(_rates(groups, assignment, lr, scale_of, bases)),
        faults=(
            *rate_faults(audit),
            *membership_faults(groups, assignment, scale_of, trains),
        ),
    )


def _bases(
    groups: Sequence[LiveGroup],
    assignment: Assignment,
    lr: float,
    scales: Mapping[Level, float],
    schedule: Schedule | None,
) -> Sequence[float]:
    """What each group starts from."""
    now = [group.lr for group in groups]
    if schedule is None or not (schedule.bases or schedule.has_started):
        return now
    if schedule.bases:
        return schedule.bases
    return likely_bases(shares_of(groups, assignment, scales, now), groups, schedule, lr)


def _rates(
    groups: Sequence[LiveGroup],
    assignment: Assignment,
    lr: float,
    scales: Mapping[Level, float],
    bases: Sequence[float],
) -> Iterator[Rate]:
    for group, base in zip(groups, bases, strict=True):
        for name in assigned(group, assignment):
            placed = assignment.placements[name]
            scale = scales[placed.level]
            rates = (scale, lr * scale, base, group.lr)
            yield Rate(name, placed.layer, group.index, *rates, placed.part)


def _readings(groups: Sequence[LiveGroup]) -> list[Names]:
    names = list({name: None for group in groups for name in group.names if name is not None})
    return [Names(names, {}, reading.written) for reading in readings_of_names(names)]


def _check_model(by_name: Mapping[str, nn.Parameter], assignment: Assignment) -> None:
    if not any(name in assignment for name in by_name):
        raise InvalidArgumentError(
            f"none of the model's parameters ({next(iter(by_name))}, …) is in the assignment "
            f"({next(iter(assignment))}, …); pass the model that the layers were assigned for"
        )

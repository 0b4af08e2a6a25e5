"""Assignment → parameter groups for `torch.optim`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lrd_registry.arguments import NOT_BELOW_0, check_number
from lrd_registry.assign.select_rules import Arch, Outside, select
from lrd_registry.assignment import Assignment, Level
from lrd_registry.decay import LayerDecay
from lrd_registry.engine.layers_by import LayersBy
from lrd_registry.errors import ModelError
from lrd_registry.groups.conventions import Convention, ConventionName, choose_convention, rate_keys
from lrd_registry.groups.scales import Scales
from lrd_registry.groups.shapes import check_shapes
from lrd_registry.groups.too_deep import LEAST, is_too_deep, say_too_deep
from lrd_registry.groups.weight_decay import (
    WeightDecayRule,
    check_matches,
    own_keywords,
    own_names,
    parse_patterns,
)
from lrd_registry.model_names.parameters import Parameters, collect_parameters
from lrd_registry.registry.default import default_catalog

if TYPE_CHECKING:
    from lrd_registry.model_names.parameters import Model
    from lrd_registry.tracing.example_inputs import Inputs

Group: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Rates:
    """What the head trains at, and under which keys the groups say so.

    Attributes:
        convention: which keys carry the learning rate.
        weight_decay: of the decayed groups.
        lr: the base learning rate; None where the optimizer or the loop has it.
        min_lr: the least learning rate of the schedule, as for the head.

    Raises:
        InvalidArgumentError: one of the numbers is out of its range.
    """

    convention: Convention
    weight_decay: float
    lr: float | None = None
    min_lr: float | None = None

    def __post_init__(self) -> None:
        check_number("weight_decay", self.weight_decay, NOT_BELOW_0)
        for argument in ("lr", "min_lr"):
            if getattr(self, argument) is not None:
                check_number(argument, getattr(self, argument), NOT_BELOW_0)


def build_param_groups(
    model: Model,
    arch: Arch = "auto",
    *,
    inputs: Inputs | None = None,
    layer_decay: LayerDecay = 0.75,
    layers_by: LayersBy = "published",
    weight_decay: float = 0.05,
    lr: float | None = None,
    min_lr: float | None = None,
    convention: ConventionName | None = None,
    no_weight_decay: str | Iterable[str] = (),
    lr_mult: Mapping[str, float] | None = None,
    min_scale: float = 0.0,
    prefix: str | None = None,
    outside: Outside = "error",
) -> list[Group]:
    r"""Groups of a model's trainable parameters, each at the learning rate of its depth.

    A group's scale is `layer_decay ** (num_layers - 1 - layer)`, times its entry's `lr_mult`,
    and not below `min_scale`. Parameters of at most one dimension, names ending in `.bias`, and
    those named by the rule set, by the model's own `no_weight_decay()` and
    `no_weight_decay_keywords()`, or by `no_weight_decay` get no weight decay.

    Args:
        model: a module, or its `(name, parameter)` pairs.
        arch: a registered name, the path of a YAML file, a `RuleSet`, an `Assignment`,
            `"auto"`: the rule set that fits the model completely, or `"infer"`: one drafted from
            the model.
        inputs: what the model is run on for `"infer"`, as for `assign_layers`.
        layer_decay: the factor from one layer to the one before it, above 0; for a model of
            several parts also a mapping, such as `{"visual": 0.7, "text": 0.8}`.
        layers_by: how finely blocks are told apart: `"published"`, as the rule file has it;
            `"block"`, a layer for each block; `"stage"`, one for each stage; or a number of
            neighbouring blocks that share one.
        weight_decay: of the decayed groups.
        lr: the base learning rate, which the head trains at.
        min_lr: the least learning rate of the schedule, as for the head; only where the
            convention's loop reads it from a group (Megatron).
        convention: the keys that carry the scale: `"timm"` (`lr_scale`), `"torch"` (`lr` times
            the scale), `"dinov2"` (`lr_multiplier`, `wd_multiplier`, `is_last_layer`),
            `"megatron"` (`lr_mult`, `wd_mult`; with `lr` also `max_lr`), `"megatron_max_lr"` (the
            same without `lr_mult`: `max_lr` and `min_lr` are scaled). Left out: `"torch"` with
            `lr`, else `"timm"`.
        no_weight_decay: patterns of more parameters without weight decay; each must match one.
        lr_mult: entry name -> factor on its scale, such as `{"head": 10.0}`.
        min_scale: the least scale of a group.
        prefix: where the backbone is in the model, as for `assign_layers`.
        outside: what becomes of parameters beside it: `"error"`, or with the `"head"`.

    Returns:
        Groups with `params`, `param_names`, `weight_decay`, `layer`, `name`, `assignment` (the
        `Assignment.fingerprint()`) and the convention's keys, sorted by layer, decayed before not
        decayed; in a model of several parts also `part`, and sorted by it first. Every trainable
        parameter is in exactly one; none is empty.

    Raises:
        CoverageError: the rule set does not cover the model; every parameter at fault is named.
        InvalidArgumentError: an argument outside its range.
        ModelError: nothing in the model requires a gradient, or a shape is not known yet.
        LrdError: as for `assign_layers`.

    Warns:
        UserWarning: the network is so deep that `layer_decay` freezes its first layer, in effect;
            with what would be usual.

    >>> from torch import nn
    >>> rules = {"arch": "two", "layers": [{"stem": "0.**"}, {"head": "1.**"}]}
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    >>> for group in build_param_groups(model, rules, layer_decay=0.5, lr=1e-3):
    ...     print(group["name"], group["lr"], group["weight_decay"], group["param_names"])
    layer_00_decay 0.0005 0.05 ['0.weight']
    layer_00_no_decay 0.0005 0.0 ['0.bias']
    layer_01_decay 0.001 0.05 ['1.weight']
    layer_01_no_decay 0.001 0.0 ['1.bias']

    Source: `param_groups_lrd` of MAE (`util/lr_decay.py` in facebookresearch/mae), after BEiT.
    """
    scales = Scales(layer_decay, lr_mult or {}, min_scale)
    rates = Rates(choose_convention(convention, lr, min_lr), weight_decay, lr, min_lr)
    parameters, catalog = collect_parameters(model), default_catalog()
    assignment = select(
        parameters,
        arch,
        catalog,
        inputs=inputs,
        layers_by=layers_by,
        prefix=prefix,
        outside=outside,
    )
    names, globs = own_names(model, assignment.roots)
    more = parse_patterns(no_weight_decay, "no_weight_decay")
    if more:
        whole = arch if isinstance(arch, Assignment) else assignment
        check_matches(more, list(_compared(whole).values()), "no_weight_decay")
    rule = WeightDecayRule(
        (*assignment.no_weight_decay, *more),
        names=names,
        globs=globs,
        keywords=own_keywords(model, assignment.roots),
    )
    groups = group_parameters(parameters, assignment, scales, rates, rule)
    if min_scale < LEAST and is_too_deep(assignment, layer_decay):
        stages = None
        if layers_by != "stage" and not isinstance(arch, Assignment) and arch != "infer":
            by_stage = select(
                parameters, arch, catalog, layers_by="stage", prefix=prefix, outside=outside
            )
            stages = by_stage.num_layers
        warnings.warn(f"{say_too_deep(assignment, layer_decay, stages)}", stacklevel=2)
    return groups


def _compared(assignment: Assignment) -> Mapping[str, str]:
    """What patterns of weight decay see of each name: an adapter goes by its own."""
    return {**assignment.written, **{name: name for name in assignment.adapters}}


def group_parameters(
    parameters: Parameters,
    assignment: Assignment,
    scales: Scales,
    rates: Rates,
    rule: WeightDecayRule,
) -> list[Group]:
    """Group the trainable parameters by layer, decayed and not."""
    check_shapes(parameters)
    fingerprint, scale_of = assignment.fingerprint(), scales.of(assignment)
    by_name, convention = parameters.by_name, rates.convention
    groups = [
        {
            "params": list(map(by_name.__getitem__, some)),
            "param_names": some,
            "weight_decay": rates.weight_decay if decays else 0.0,
            "layer": layer,
            "name": group_name(part, layer, decays=decays, is_last=is_last),
            "assignment": fingerprint,
            **({"part": part} if part else {}),
            **rate_keys(
                convention,
                scale_of[part, layer],
                rates.lr,
                rates.min_lr,
                decays=decays,
                is_last=is_last,
            ),
        }
        for (part, layer), members in _by_level(parameters, assignment, rule).items()
        for decays, names in zip((True, False), members, strict=True)
        for is_last, some in convention.split(names)
    ]
    if not groups:
        raise ModelError(
            f"none of the model's {len(parameters.by_name)} parameters requires a gradient, so "
            "there is nothing to train; unfreeze some with requires_grad_(True)"
        )
    return groups


def group_name(part: str, layer: int, *, decays: bool, is_last: bool) -> str:
    """What a group is called.

    >>> group_name("", 3, decays=True, is_last=False)
    'layer_03_decay'
    >>> group_name("visual", 3, decays=True, is_last=False)
    'visual_layer_03_decay'
    """
    kind = "decay" if decays else "no_decay"
    name = f"layer_{layer:02}_{kind}{'_last_layer' if is_last else ''}"
    return f"{part}_{name}" if part else name


def _by_level(
    parameters: Parameters, assignment: Assignment, rule: WeightDecayRule
) -> dict[Level, tuple[list[str], list[str]]]:
    """The trainable parameters of each layer: those with weight decay, and those without."""
    placements, compared = assignment.placements, _compared(assignment)
    dimensions, exempts = parameters.dimensions, rule.exempts
    members: dict[Level, tuple[list[str], list[str]]] = {
        (part, layer): ([], [])
        for part, depth in assignment.depths.items()
        for layer in range(depth)
    }
    before = None
    for name, parameter in parameters.by_name.items():
        if parameter.requires_grad:
            if (placed := placements[name]) is not before:  # neighbours mostly share theirs
                (decayed, exempt), before = members[placed.level], placed
            ndim = dimensions.get(name, parameter.ndim) if dimensions else parameter.ndim
            (exempt if ndim <= 1 or exempts(compared[name]) else decayed).append(name)
    return members

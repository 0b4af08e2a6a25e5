"""Assignment → parameter groups for `torch.optim`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lrd_registry.assignment import Assignment
from lrd_registry.conventions import choose_convention, rate_keys
from lrd_registry.decay import check_layer_decay, layer_scale
from lrd_registry.errors import InvalidArgumentError, ModelError
from lrd_registry.parameters import Parameters, collect_parameters
from lrd_registry.selection import Arch, select
from lrd_registry.weight_decay import WeightDecayRule, own_keywords, own_names, parse_patterns
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from lrd_registry.parameters import Model

Group: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Rates:
    """The numbers that turn a layer into a learning rate.

    A layer's scale is `layer_decay ** (num_layers - 1 - layer)` times the multiplier of its
    entry in `lr_mult`, and not below `min_scale`.
    """

    layer_decay: float
    weight_decay: float
    lr: float | None
    convention: str
    lr_mult: Mapping[str, float]
    min_scale: float

    def scale(self, assignment: Assignment, layer: int) -> float:
        """The learning-rate scale of a layer."""
        scale = layer_scale(layer, assignment.num_layers, self.layer_decay)
        return max(self.min_scale, scale * self.lr_mult.get(assignment.layers[layer], 1.0))


def build_param_groups(
    model: Model,
    arch: Arch = "auto",
    *,
    layer_decay: float = 0.75,
    weight_decay: float = 0.05,
    lr: float | None = None,
    convention: str | None = None,
    no_weight_decay: str | Iterable[str] = (),
    lr_mult: Mapping[str, float] | None = None,
    min_scale: float = 0.0,
) -> list[Group]:
    r"""Groups of a model's trainable parameters, each at the learning rate of its depth.

    A group's scale is `layer_decay ** (num_layers - 1 - layer)`, times its entry's `lr_mult`,
    and not below `min_scale`. Parameters of at most one dimension, names ending in `.bias`, and
    those named by the rule set, by the model's own `no_weight_decay()` and
    `no_weight_decay_keywords()`, or by `no_weight_decay` get no weight decay.

    Args:
        model: a module, or its `(name, parameter)` pairs.
        arch: a registered name, the path of a YAML file, a `RuleSet`, an `Assignment`, or
            `"auto"`: the rule set that fits the model completely.
        layer_decay: the factor from one layer to the one before it; above 0.
        weight_decay: of the decayed groups.
        lr: the base learning rate, which the head trains at.
        convention: the keys that carry the scale: `"timm"` (`lr_scale`), `"torch"` (`lr` times
            the scale), `"dinov2"`, `"megatron"`. Left out: `"torch"` with `lr`, else `"timm"`.
        no_weight_decay: patterns of more parameters without weight decay.
        lr_mult: entry name -> factor on its scale, such as `{"head": 10.0}`.
        min_scale: the least scale of a group.

    Returns:
        Groups with `params`, `param_names`, `weight_decay`, `layer`, `name` and the convention's
        keys, sorted by layer, decayed before not decayed. Every trainable parameter is in
        exactly one; none is empty.

    Raises:
        CoverageError: the rule set does not cover the model; every parameter at fault is named.
        InvalidArgumentError: an argument outside its range.
        ModelError: nothing in the model requires a gradient, or a shape is not known yet.
        LrdError: as for `assign_layers`.

    >>> from torch import nn
    >>> from lrd_registry.loading import parse_rule_set
    >>> rules = parse_rule_set("arch: two\nlayers: [stem: 0.**, head: 1.**]")
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    >>> for group in build_param_groups(model, rules, layer_decay=0.5, lr=1e-3):
    ...     print(group["name"], group["lr"], group["weight_decay"], group["param_names"])
    layer_00_decay 0.0005 0.05 ['0.weight']
    layer_00_no_decay 0.0005 0.0 ['0.bias']
    layer_01_decay 0.001 0.05 ['1.weight']
    layer_01_no_decay 0.001 0.0 ['1.bias']

    Source: `param_groups_lrd` of MAE (`util/lr_decay.py` in facebookresearch/mae), after BEiT.
    """
    check_layer_decay(layer_decay)
    rates = Rates(
        layer_decay=layer_decay,
        weight_decay=weight_decay,
        lr=lr,
        convention=choose_convention(convention, lr),
        lr_mult=lr_mult or {},
        min_scale=min_scale,
    )
    _check(rates)
    parameters = collect_parameters(model)
    _check_shapes(parameters)
    assignment = select(parameters, arch)
    _check_entries(rates.lr_mult, assignment)
    names, globs = own_names(model)
    rule = WeightDecayRule(
        (*assignment.no_weight_decay, *parse_patterns(no_weight_decay, "no_weight_decay")),
        names=names,
        globs=globs,
        keywords=own_keywords(model),
    )
    return group_parameters(parameters, assignment, rates, rule)


def group_parameters(
    parameters: Parameters, assignment: Assignment, rates: Rates, rule: WeightDecayRule
) -> list[Group]:
    """Group the trainable parameters by layer, decayed and not."""
    placements, exempts = assignment.placements, rule.exempts
    members: list[tuple[list[str], list[str]]] = [([], []) for _ in assignment.layers]
    for name, parameter in parameters.by_name.items():
        if parameter.requires_grad:
            decayed, exempt = members[placements[name].layer]
            (exempt if parameter.ndim <= 1 or exempts(name) else decayed).append(name)
    groups: list[Group] = []
    for layer, (decayed, exempt) in enumerate(members):
        scale = rates.scale(assignment, layer)
        if decayed:
            groups.append(_group(parameters, decayed, layer, scale, rates, decays=True))
        if exempt:
            groups.append(_group(parameters, exempt, layer, scale, rates, decays=False))
    if not groups:
        raise ModelError(
            f"none of the model's {len(parameters.by_name)} parameters requires a gradient, so "
            "there is nothing to train; unfreeze some with requires_grad_(True)"
        )
    return groups


def _group(
    parameters: Parameters,
    names: list[str],
    layer: int,
    scale: float,
    rates: Rates,
    *,
    decays: bool,
) -> Group:
    return {
        "params": [parameters.by_name[name] for name in names],
        "param_names": names,
        "weight_decay": rates.weight_decay if decays else 0.0,
        "layer": layer,
        "name": f"layer_{layer:02}_{'decay' if decays else 'no_decay'}",
        **rate_keys(rates.convention, rates.lr, scale, decays),
    }


def _check(rates: Rates) -> None:
    for argument, value in (
        ("weight_decay", rates.weight_decay),
        ("min_scale", rates.min_scale),
        ("lr", 0.0 if rates.lr is None else rates.lr),
    ):
        if not (math.isfinite(value) and value >= 0):
            raise InvalidArgumentError(
                f"{argument} must be finite and not below 0; found {value!r}"
            )
    for entry, factor in rates.lr_mult.items():
        if not (math.isfinite(factor) and factor > 0):
            raise InvalidArgumentError(
                f"lr_mult[{entry!r}] must be finite and above 0; found {factor!r}. To keep "
                "parameters as they are, freeze them: requires_grad_(False)"
            )


def _check_shapes(parameters: Parameters) -> None:
    """Refuse parameters of lazy modules, which torch says have one dimension until they are run."""
    lazy = {kind for kind in set(map(type, parameters.by_name.values())) if _is_lazy(kind)}
    names = [name for name, p in parameters.by_name.items() if type(p) in lazy] if lazy else []
    if names:
        raise ModelError(
            f"the shape of {names[0]!r}{_and_more(names)} is not known yet, and weight decay "
            "depends on it; run the model once on an input, or build it with its sizes"
        )


def _is_lazy(kind: type) -> bool:
    return hasattr(kind, "materialize")


def _and_more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _check_entries(lr_mult: Mapping[str, float], assignment: Assignment) -> None:
    for entry in lr_mult:
        if entry not in assignment.entries:
            hint = did_you_mean(entry, assignment.entries, quote="{!r}")
            raise InvalidArgumentError(
                f"lr_mult: {assignment.arch!r} (layout {assignment.layout!r}) has no entry "
                f"{entry!r}{hint}; its entries: {', '.join(assignment.entries)}"
            )

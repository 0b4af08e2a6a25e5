"""MAE's function of the same name and results, for code that already calls it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrd_registry.assign.select_rules import select
from lrd_registry.groups.build_param_groups import Group, Rates, group_parameters
from lrd_registry.groups.conventions import CONVENTIONS
from lrd_registry.groups.scales import Scales
from lrd_registry.groups.weight_decay import WeightDecayRule
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.default import default_catalog

if TYPE_CHECKING:
    from lrd_registry.model_names.parameters import Model


def param_groups_lrd(
    model: Model,
    weight_decay: float = 0.05,
    no_weight_decay_list: Iterable[str] = (),
    layer_decay: float = 0.75,
) -> list[Group]:
    """What MAE's `param_groups_lrd` returns, but for parameters that it does not know.

    On a ViT whose parameters it knows, the groups, their order, `lr_scale` and `weight_decay`
    are MAE's: parameters of at most one dimension, and the names in `no_weight_decay_list`, are
    not decayed. Where MAE's function gives an unknown parameter the head's full rate, this one
    gives it the layer that a registered rule set knows, or raises.

    Args:
        model: a module, or its `(name, parameter)` pairs.
        weight_decay: of the decayed groups.
        no_weight_decay_list: full names of parameters without weight decay.
        layer_decay: the factor from one layer to the one before it.

    Raises:
        CoverageError: no rule set covers the model; every parameter at fault is named.
        LrdError: as for `build_param_groups`.

    Source: `util/lr_decay.py` in facebookresearch/mae.
    """
    scales, rates = Scales(layer_decay), Rates(CONVENTIONS["timm"], weight_decay)
    parameters = collect_parameters(model)
    rule = WeightDecayRule(names=no_weight_decay_list, biases=False)
    assignment = select(parameters, "auto", default_catalog())
    groups = group_parameters(parameters, assignment, scales, rates, rule)
    place = {name: number for number, name in enumerate(parameters.by_name)}
    return sorted(groups, key=lambda group: place[group["param_names"][0]])

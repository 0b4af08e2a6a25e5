"""Which rule set, and which of its layouts, fits a model."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lrd_registry.errors import (
    AmbiguousArchitectureError,
    CoverageError,
    InvalidArgumentError,
    NoFittingArchitectureError,
)
from lrd_registry.layers.assignment import Assignment
from lrd_registry.layers.coverage import SHOWN, Coverage
from lrd_registry.layers.parameters import Parameters, collect_parameters
from lrd_registry.layers.placing import place
from lrd_registry.registry.default import default_registry
from lrd_registry.rule_files.loading import load_rule_set
from lrd_registry.rule_files.schema import RuleSet

if TYPE_CHECKING:
    from lrd_registry.layers.parameters import Model

Arch: TypeAlias = str | os.PathLike[str] | RuleSet | Assignment
"""A registered name, `"auto"`, the path of a rule file, a rule set, or an assignment."""

Results: TypeAlias = list[Assignment | Coverage]


def assign_layers(model: Model, arch: Arch = "auto") -> Assignment:
    """Assign every parameter of a model to its layer.

    A parameter's layer depends on the architecture alone: not on which parameters are frozen,
    on their order, or on whether the model has a head.

    Args:
        model: a module, also on the meta device, or its `(name, parameter)` pairs.
        arch: a registered name, the path of a YAML file, a `RuleSet`, an `Assignment` made from
            a model of which this one is a part, or `"auto"`: the one that fits completely.

    Raises:
        CoverageError: the rule set does not fit; every parameter at fault is named.
        AmbiguousArchitectureError: more than one layout fits.
        UnknownArchitectureError: no rule set has this name.
        RuleFileError: the rule file is at fault.
        ModelError: the model has no parameters.

    >>> from torch import nn
    >>> rules = {"arch": "two", "layers": [{"stem": "0.**"}, {"head": "1.**"}]}
    >>> from lrd_registry.rule_files.loading import rule_set_from_mapping
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    >>> assign_layers(model, rule_set_from_mapping(rules))["1.bias"]
    Row(name='1.bias', layer=1, entry='head', pattern='1.**')
    """
    return select(collect_parameters(model), arch)


def select(parameters: Parameters, arch: Arch) -> Assignment:
    """`assign_layers` on parameters that have been collected."""
    if isinstance(arch, Assignment):
        return _part(arch, parameters)
    rule_sets = _rule_sets(arch)
    results = _place_where_signed(rule_sets, parameters)
    fitting = [result for result in results if isinstance(result, Assignment)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _ambiguous(fitting)
    nearest = _nearest(results) or _nearest(_place_unsigned(rule_sets, parameters))
    assert nearest is not None, "a rule set has a layout, and one without its signature has faults"
    raise _none_fits(nearest, rule_sets) if arch == "auto" else nearest.error()


def _place_where_signed(rule_sets: list[RuleSet], parameters: Parameters) -> Results:
    """What comes of each layout, under each prefix, at which the model has its signature."""
    return [
        place(rules, name, parameters, prefix)
        for rules in rule_sets
        for name, layout in rules.layouts.items()
        for prefix, signature in layout.signatures.items()
        if signature.is_on(parameters.by_name)
    ]


def _place_unsigned(rule_sets: list[RuleSet], parameters: Parameters) -> Results:
    """What comes of each layout although the model has the signature of none."""
    names = parameters.by_name
    return [
        place(rules, name, parameters, missing_signature=layout.signatures[""].missing(names))
        for rules in rule_sets
        for name, layout in rules.layouts.items()
    ]


def _nearest(results: Results) -> Coverage | None:
    coverages = [result for result in results if isinstance(result, Coverage)]
    return min(coverages, key=lambda coverage: coverage.faults, default=None)


def find_rule_set(arch: str | os.PathLike[str]) -> RuleSet:
    """The rule set of this name, or in the rule file at this path.

    Raises:
        UnknownArchitectureError: no rule set has this name.
        RuleFileError: the rule file is at fault.
    """
    if isinstance(arch, os.PathLike) or arch.endswith((".yaml", ".yml")) or os.sep in arch:
        return load_rule_set(Path(arch))
    return default_registry.get(arch)


def _rule_sets(arch: str | os.PathLike[str] | RuleSet) -> list[RuleSet]:
    if isinstance(arch, RuleSet):
        return [arch]
    if not isinstance(arch, (str, os.PathLike)):
        raise InvalidArgumentError(
            'arch must be a registered name, "auto", the path of a rule file, a RuleSet or an '
            f"Assignment; found {type(arch).__name__}"
        )
    if arch == "auto":
        return [default_registry.get(name) for name in default_registry.names()]
    return [find_rule_set(arch)]


def _ambiguous(fitting: list[Assignment]) -> AmbiguousArchitectureError:
    candidates = [f"{result.arch}/{result.layout}" for result in fitting]
    return AmbiguousArchitectureError(
        f"{len(fitting)} layouts fit this model: {', '.join(candidates)}\n"
        "Choose with arch=…, or give the layouts signatures that tell them apart.",
        candidates=candidates,
    )


def _none_fits(nearest: Coverage, rule_sets: list[RuleSet]) -> NoFittingArchitectureError:
    names = ", ".join(rules.arch for rules in rule_sets)
    return NoFittingArchitectureError(
        f"no rule set fits this model completely (tried: {names}). The nearest is "
        f"{nearest.arch!r} (layout {nearest.layout!r}), but for:\n{nearest.describe()}\n"
        'Write a rule file for the model and pass it: arch="my.yaml".',
        nearest.arch,
        nearest.error(),
    )


def _part(whole: Assignment, parameters: Parameters) -> Assignment:
    """The assignment of a model applied, by name, to a part of it."""
    unknown = [name for name in parameters.by_name if name not in whole.placements]
    if unknown:
        listed = "\n".join(f"    {name}" for name in unknown[:SHOWN])
        raise CoverageError(
            f"{len(unknown)} parameters are not in this assignment (made with {whole.arch!r}); "
            f"make it from the whole model, with the same names:\n{listed}",
            unmatched=unknown,
        )
    placements = {name: whole.placements[name] for name in parameters.by_name}
    return replace(whole, placements=placements)

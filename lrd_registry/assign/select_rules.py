"""`arch` as the user gave it, and a model's parameters → the assignment."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from lrd_registry.assign.auto import fit
from lrd_registry.assign.infer import infer
from lrd_registry.assign.numbered_modules import find_shared_layers
from lrd_registry.assignment import Assignment
from lrd_registry.engine.layers_by import LayersBy, check_layers_by
from lrd_registry.engine.submodel import apply_whole
from lrd_registry.errors import InvalidArgumentError
from lrd_registry.model_names.parameters import Parameters, is_module
from lrd_registry.registry.registry import Catalog
from lrd_registry.rule_files.load import load_rule_set, rule_set_from_mapping
from lrd_registry.rule_files.schema import RuleSet
from lrd_registry.wording import clip

if TYPE_CHECKING:
    from lrd_registry.tracing.example_inputs import Inputs

Arch: TypeAlias = str | os.PathLike[str] | RuleSet | Mapping[str, Any] | Assignment
"""A registered name, a rule file's path, `"auto"`, `"infer"`, a rule set, the same as plain data,
or an assignment."""

Outside: TypeAlias = Literal["error", "head"]
"""What becomes of parameters beside the prefix."""


def select(
    parameters: Parameters,
    arch: Arch,
    catalog: Catalog,
    *,
    inputs: Inputs | None = None,
    layers_by: LayersBy = "published",
    prefix: str | None = None,
    outside: Outside = "error",
) -> Assignment:
    """`assign_layers` on parameters that have been collected, with these rule sets registered."""
    check_layers_by(layers_by)
    if layers_by != "published" and isinstance(arch, Assignment):
        raise InvalidArgumentError(
            "an Assignment has its layers already; make it with layers_by=…, and pass it without"
        )
    _check_place(arch, prefix, outside)
    _check_inputs(arch, inputs)
    if isinstance(arch, Assignment):
        return apply_whole(arch, parameters.readings)
    rule_sets = _rule_sets(arch, parameters, catalog, inputs)
    assignment = fit(
        rule_sets,
        parameters.readings,
        catalog,
        layers_by=layers_by,
        prefix=prefix or "",
        joins_head=outside == "head",
    )
    if rule_sets and (isinstance(arch, Mapping) or _is_path(arch)):
        for shared in find_shared_layers(rule_sets[0], assignment):
            warnings.warn(f"rule set {assignment.arch!r}: {shared}.", stacklevel=3)
    return assignment


def _check_place(arch: Arch, prefix: str | None, outside: Outside) -> None:
    if outside not in get_args(Outside):
        raise InvalidArgumentError(
            f"outside must be {' or '.join(map(repr, get_args(Outside)))}; found {outside!r}"
        )
    if not isinstance(prefix, str | None):
        raise InvalidArgumentError(
            f'prefix must be text, such as "backbone" or "model.encoder.0"; found {prefix!r}'
        )
    if prefix is None and outside != "error":
        raise InvalidArgumentError(f"outside={outside!r} needs a prefix that it is outside of")
    if prefix is not None and isinstance(arch, Assignment):
        raise InvalidArgumentError(
            "an Assignment has every parameter's name from the top of its model; make it with "
            "prefix=…, and pass it without"
        )
    if prefix is not None and _is_infer(arch):
        raise InvalidArgumentError(
            'arch="infer" drafts the layers of the whole model, so there is nothing beside a '
            "prefix; leave prefix out, or infer the part and pass its rule set"
        )


def _check_inputs(arch: Arch, inputs: Inputs | None) -> None:
    if inputs is not None and not _is_infer(arch):
        found = repr(arch) if isinstance(arch, str) else type(arch).__name__
        raise InvalidArgumentError(
            'inputs are for arch="infer", which runs the model on them; a rule set needs no run, '
            f"so leave inputs out; found arch={clip(found)}"
        )


def _is_infer(arch: Arch) -> bool:
    return isinstance(arch, str) and arch == "infer"


def find_rule_set(arch: str | os.PathLike[str], catalog: Catalog) -> RuleSet:
    """The rule set of this name, or in the rule file at this path.

    Raises:
        UnknownArchitectureError: no rule set has this name.
        RuleFileError: the rule file is at fault.
    """
    if _is_path(arch):
        return load_rule_set(Path(arch))
    return catalog.get(str(arch))


def _is_path(arch: object) -> bool:
    if isinstance(arch, str):
        return arch.endswith((".yaml", ".yml")) or os.sep in arch
    return isinstance(arch, os.PathLike)


def _rule_sets(
    arch: str | os.PathLike[str] | RuleSet | Mapping[str, Any],
    parameters: Parameters,
    catalog: Catalog,
    inputs: Inputs | None,
) -> list[RuleSet] | None:
    """The rule sets that may fit; None for all that are registered."""
    if isinstance(arch, RuleSet):
        return [arch]
    if isinstance(arch, Mapping):
        return [rule_set_from_mapping(arch)]
    if not isinstance(arch, (str, os.PathLike)):
        raise InvalidArgumentError(
            'arch must be a registered name, "auto", "infer", the path of a rule file, a RuleSet, '
            f"a mapping or an Assignment; found {type(arch).__name__}{_hint(arch)}"
        )
    if arch == "auto":
        return None
    if arch == "infer":
        return [infer(parameters, inputs)]
    return [find_rule_set(arch, catalog)]


def _hint(arch: object) -> str:
    return "; the model comes first, and arch after it" if is_module(arch) else ""

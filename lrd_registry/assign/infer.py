"""`arch="infer"`: a rule set drafted from the model itself, without a file."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

from lrd_registry.assign.model_origin import how_to_draft
from lrd_registry.errors import InvalidArgumentError, ModelError
from lrd_registry.model_names.wrappers import unwrap

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.drafting import Draft
    from lrd_registry.model_names.parameters import Parameters
    from lrd_registry.rule_files.schema import RuleSet
    from lrd_registry.tracing import Trace

ARCH = "inferred"


def infer(parameters: Parameters) -> RuleSet:
    """Draft a rule set for a model, and warn once that it is a draft.

    Raises:
        InvalidArgumentError: there are only pairs, which cannot be run.
        ModelError: the model cannot be traced.
    """
    model = parameters.readings[0].module
    if model is None:
        raise InvalidArgumentError(
            'arch="infer" runs the model once, to see in which order it uses its parameters, and '
            "found only (name, parameter) pairs; pass the module"
        )
    from lrd_registry.drafting import draft

    drafted = draft(model, ARCH, _traced(model))
    _warn(_say(drafted, unwrap(model)))
    return drafted.rule_set


@cache
def _warn(text: str) -> None:
    """Warn of each text once: Python's own memory of warnings is lost with any change of filters.

    The place that Python shows is where `assign_layers` or `build_param_groups` was called.
    """
    warnings.warn(text, stacklevel=6)


def _traced(model: nn.Module) -> Trace:
    from lrd_registry.tracing import trace

    try:
        return trace(model)
    except ModelError as error:
        raise ModelError(
            f'arch="infer" runs the model once: {error}\nIts inputs can be given to a draft of '
            "your own: build_param_groups(model, arch=draft(model, name, trace(model, "
            "inputs)).rule_set), with lrd_registry.drafting.draft and lrd_registry.tracing.trace"
        ) from error


def _say(drafted: Draft, model: nn.Module) -> str:
    """What was done, what it was unsure of, and how to keep it."""
    choices = "".join(f"\n- {choice}" for choice in drafted.unsure)
    return (
        f'arch="infer": the layers of {type(model).__name__} are a draft, made from its modules '
        f"and one forward pass{f'; look at these choices:{choices}' if choices else '.'}\n"
        f'To read it and keep it: {how_to_draft(model)}; then pass arch="my.yaml".'
    )

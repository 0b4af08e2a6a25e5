"""`arch="infer"`: a rule set drafted from the model itself, without a file."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

from lrd_registry.assign.model_origin import how_to_draft
from lrd_registry.errors import InvalidArgumentError, TraceError
from lrd_registry.model_names.wrappers import unwrap

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.drafting import Draft
    from lrd_registry.model_names.parameters import Parameters
    from lrd_registry.rule_files.schema import RuleSet
    from lrd_registry.tracing import Trace
    from lrd_registry.tracing.example_inputs import Inputs

ARCH = "inferred"


INPUTS = (
    "\nInputs go into the same call: "
    'build_param_groups(model, arch="infer", inputs=…), and so with assign_layers.'
)


def infer(parameters: Parameters, inputs: Inputs | None = None) -> RuleSet:
    """Draft a rule set for a model, and warn once that it is a draft.

    Args:
        parameters: the model's.
        inputs: what it is run on; left out: what it says of itself.

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

    drafted = draft(model, ARCH, _traced(model, inputs))
    _warn(_say(drafted, unwrap(model)))
    return drafted.rule_set


@cache
def _warn(text: str) -> None:
    """Warn of each text once: Python's own memory of warnings is lost with any change of filters.

    The place that Python shows is where `assign_layers` or `build_param_groups` was called.
    """
    warnings.warn(text, stacklevel=6)


def _traced(model: nn.Module, inputs: Inputs | None) -> Trace:
    from lrd_registry.tracing import trace

    try:
        return trace(model, inputs)
    except TraceError as error:
        said = f'arch="infer" runs the model once: {error}{INPUTS if error.needs else ""}'
        why = f'arch="infer" runs the model once: {error.why}'
        raise TraceError(said, why=why, needs=error.needs) from error


def _say(drafted: Draft, model: nn.Module) -> str:
    """What was done, what it was unsure of, and how to keep it."""
    choices = "".join(f"\n- {choice}" for choice in drafted.unsure)
    return (
        f'arch="infer": the layers of {type(model).__name__} are a draft, made from its modules '
        f"and one forward pass{f'; look at these choices:{choices}' if choices else '.'}\n"
        f'To read it and keep it: {how_to_draft(model)}; then pass arch="my.yaml".'
    )

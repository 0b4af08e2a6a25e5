"""A model and its trace → the draft of a rule set, the best that is complete and in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from lrd_registry.drafting.candidates import Candidate, Candidates
from lrd_registry.drafting.drafted import Draft
from lrd_registry.drafting.order import Order
from lrd_registry.drafting.proving import proven
from lrd_registry.drafting.tree import tree_of
from lrd_registry.errors import ModelError
from lrd_registry.names.parameters import Parameters, collect_parameters
from lrd_registry.rule_files.format import FORMAT

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.tracing.uses import Trace

TIED = {
    "shallowest": "{} in several layers; the one nearest to the input counts.",
    "deepest": "{} in several layers; the one nearest to the head counts.",
}


def draft(model: nn.Module, name: str, trace: Trace) -> Draft:
    """Draft a rule set for a model.

    Runs of repeated blocks become entries with indices, so that the same file fits other depths;
    what is used before is the stem, what is used after the head; what stands between or beside
    the blocks shares the layer of a neighbour that its place in the order allows; towers of which
    none depends on another become parts. The draft covers the model, and does not contradict the
    trace: it is the most telling of several for which both were tried.

    Args:
        model: any module, also on the meta device.
        name: what the rule set is to be called.
        trace: the order in which the model uses its parameters.

    Raises:
        ModelError: the model has no parameters.
    """
    parameters = collect_parameters(model)
    weights = _weights(parameters)
    names = parameters.readings[0]
    written = names.written
    root = tree_of(dict.fromkeys(written.values()), names.is_silent)
    ties = _ties(parameters)
    for candidate in Candidates(root, Order(trace, written), weights, _firsts(parameters)):
        for tied, unsure in ties.items():
            if rules := proven(names, _rules(name, candidate, tied), trace):
                choices = tuple(filter(None, (*candidate.unsure, unsure)))
                return Draft(rules, candidate.comments, choices)
    raise ModelError(f"{name} could not be drafted; its tied parameters are in no one layer")


def _weights(parameters: Parameters) -> Collection[str]:
    """The parameters of two or more dimensions, as their author wrote them."""
    written = parameters.readings[0].written
    return [written[name] for name, p in parameters.by_name.items() if p.ndim > 1]


def _firsts(parameters: Parameters) -> dict[str, str]:
    """The further names of tied parameters -> the first, all as their author wrote them."""
    names = parameters.readings[0]
    return {
        names.written[other]: names.written[first]
        for first, others in names.aliases.items()
        for other in others
    }


def _ties(parameters: Parameters) -> Mapping[str, str]:
    """What may be said of tied parameters, nothing first, each with a sentence for the reader."""
    aliases = parameters.readings[0].aliases
    if not aliases:
        return {"": ""}
    tensors = ", ".join(" = ".join((first, *others)) for first, others in aliases.items())
    said = f"{tensors}: one tensor" if len(aliases) == 1 else "Tied tensors are"
    return {"": ""} | {tied: text.format(said) for tied, text in TIED.items()}


def _rules(name: str, candidate: Candidate, tied: str) -> dict[str, Any]:
    start = {"format": FORMAT, "arch": name} | ({"tied": tied} if tied else {})
    return start | candidate.layout

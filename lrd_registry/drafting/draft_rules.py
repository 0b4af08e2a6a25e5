"""A model and its trace → the draft of a rule set, the best that is complete and in order."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrd_registry.assignment import Assignment
from lrd_registry.drafting.candidates import Candidate, Candidates
from lrd_registry.drafting.entries.naming import class_name
from lrd_registry.drafting.entries.yaml_text import rule_file_text, write_rule_file
from lrd_registry.drafting.tree.dependency_order import Order
from lrd_registry.drafting.tree.module_tree import tree_of
from lrd_registry.engine.try_layouts import place_where_signed
from lrd_registry.errors import InvalidArgumentError, ModelError
from lrd_registry.model_names.module_aliases import shortest_paths
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.registry import Registry
from lrd_registry.rule_files.format import FORMAT
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.rule_files.schema import RuleSet
from lrd_registry.tracing.order_check import contradictions
from lrd_registry.tracing.trace_model import trace as trace_model

if TYPE_CHECKING:
    from torch import nn

    from lrd_registry.model_names.compared import Names
    from lrd_registry.tracing.example_inputs import Inputs
    from lrd_registry.tracing.result import Trace


@dataclass(frozen=True, repr=False)
class Draft:
    """A first rule set for a model; `print` shows it as the text of a rule file.

    Attributes:
        rules: the rule set as plain data, which `arch=` and `register_rules` take.
        comments: entry name (`part.name` in a part) -> what to know of it.
        unsure: the choices that the draft was unsure of, a sentence each.
    """

    rules: Mapping[str, Any]
    comments: Mapping[str, tuple[str, ...]]
    unsure: tuple[str, ...]

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"<Draft of {self.rules['arch']!r}, unsure of {len(self.unsure)} choices>"

    def __str__(self) -> str:
        return rule_file_text(self.rules, self.comments, self.unsure)

    @property
    def rule_set(self) -> RuleSet:
        """The draft as a rule set."""
        return rule_set_from_mapping(self.rules)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the draft as a rule file.

        Where the schema of rule files (`lrd schema > rule-set.schema.json`) is beside it, the
        file begins with the line by which an editor finds it.

        Args:
            path: the file to write, such as `"my.yaml"`, which `arch=` takes.

        Raises:
            InvalidArgumentError: the file is there already, or cannot be written.
        """
        write_rule_file(Path(path), str(self))


def is_proven(names: Names, rules: Mapping[str, Any], trace: Trace) -> bool:
    """Whether the rules cover the model, and the trace does not contradict them."""
    find = Registry().catalog().get  # a draft is composed of no other rule set
    (assignment,) = place_where_signed([rule_set_from_mapping(rules)], names, find)
    return isinstance(assignment, Assignment) and not contradictions(assignment, trace)


TIED = {
    "shallowest": "{} in several layers; the one nearest to the input counts.",
    "deepest": "{} in several layers; the one nearest to the head counts.",
}


def draft(
    model: nn.Module,
    name: str | None = None,
    trace: Trace | None = None,
    *,
    inputs: Inputs | None = None,
) -> Draft:
    """Draft a rule set for a model; `draft(model).save("my.yaml")` makes a rule file of it.

    Runs of repeated blocks become entries with indices, so that the same file fits other depths;
    what is used before is the stem, what is used after the head; what stands between or beside
    the blocks shares the layer of a neighbour that its place in the order allows; towers of which
    none depends on another become parts. The draft covers the model, and does not contradict the
    trace: it is the most telling of several for which both were tried.

    Args:
        model: any module, also on the meta device.
        name: what the rule set is to be called; left out: what the model's class is.
        trace: the order in which the model uses its parameters; left out: that of one forward
            pass, as `trace(model, inputs)` finds it.
        inputs: what the model takes in that pass, where it does not say so itself.

    Raises:
        ModelError: the model has no parameters, or cannot be traced.
        InvalidArgumentError: there are both a trace and inputs.

    >>> from torch import nn
    >>> drafted = draft(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "two", inputs=(1, 2))
    >>> drafted.rules["layers"]
    [{'block': '{block}.**'}]
    """
    if trace is not None and inputs is not None:
        raise InvalidArgumentError("a trace has had its inputs; pass trace or inputs, not both")
    name = class_name(model) if name is None else name
    trace = trace_model(model, inputs) if trace is None else trace
    parameters = collect_parameters(model)
    names = parameters.readings[0]
    paths = _one_path_each(names)
    used = dict.fromkeys(paths.values())
    root = tree_of(used, names.is_silent, [w for w in names.written.values() if w not in used])
    shapes = {paths[name]: tuple(p.shape) for name, p in parameters.by_name.items() if p.ndim > 1}
    ties = _ties(names)
    for candidate in Candidates(root, Order(trace, paths), shapes, _firsts(names, paths)):
        for tied, unsure in ties.items():
            rules = _rules(name, candidate, tied)
            if is_proven(names, rules, trace):
                choices = tuple(filter(None, (*candidate.unsure, unsure)))
                return Draft(rules, candidate.comments, choices)
    raise ModelError(f"{name} could not be drafted; its tied parameters are in no one layer")


def _one_path_each(names: Names) -> dict[str, str]:
    """Each name, as its author wrote it; of a module under several paths, by the shortest."""
    shortest = shortest_paths(names.written, names.one_module)
    return {name: names.written[short] for name, short in shortest.items()}


def _firsts(names: Names, paths: Mapping[str, str]) -> dict[str, str]:
    """The further names of tied parameters -> the first, each by its one path."""
    tied = ((paths[o], paths[first]) for first, others in names.aliases.items() for o in others)
    return {other: first for other, first in tied if other != first}


def _ties(names: Names) -> Mapping[str, str]:
    """What may be said of tied parameters, nothing first, each with a sentence for the reader."""
    if not names.aliases:
        return {"": ""}
    one = names.one_module
    tied = {
        first: {first, *(name for name in others if one.get(name, name) != one.get(first, first))}
        for first, others in names.aliases.items()
    }
    tensors = [" = ".join(name for name in (first, *names.aliases[first]) if name in found)
               for first, found in tied.items() if len(found) > 1]  # fmt: skip
    if not tensors:
        said = "A module under several paths is"
    else:
        said = f"{tensors[0]}: one tensor" if len(tensors) == 1 else "Tied tensors are"
    return {"": ""} | {tied: text.format(said) for tied, text in TIED.items()}


def _rules(name: str, candidate: Candidate, tied: str) -> dict[str, Any]:
    start = {"format": FORMAT, "arch": name} | ({"tied": tied} if tied else {})
    return {**start, **_writable(candidate.layout)}


REFUSED = re.compile(r"[|?\\\[\]]")
"""What a pattern may not have, as it looks like a regular expression; a module's name may."""


def _writable(value: Any) -> Any:
    """Patterns as they may be written: in a segment with a refused character, `*` stands for it."""
    if isinstance(value, dict):
        return {key: _writable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(_writable, value))
    if not isinstance(value, str):
        return value
    return ".".join(
        re.sub(rf"(\*|{REFUSED.pattern})+", "*", segment) if REFUSED.search(segment) else segment
        for segment in value.split(".")
    )

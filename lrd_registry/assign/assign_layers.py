"""A model → its assignment, with the rule sets of the default registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrd_registry.assign.select_rules import Arch, Outside, select
from lrd_registry.assignment import Assignment
from lrd_registry.engine.layers_by import LayersBy
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.default import default_catalog

if TYPE_CHECKING:
    from lrd_registry.model_names.parameters import Model
    from lrd_registry.tracing.example_inputs import Inputs


def assign_layers(
    model: Model,
    arch: Arch = "auto",
    *,
    inputs: Inputs | None = None,
    layers_by: LayersBy = "published",
    prefix: str | None = None,
    outside: Outside = "error",
) -> Assignment:
    """Assign every parameter of a model to its layer.

    A parameter's layer depends on the architecture alone: not on which parameters are frozen,
    on their order, on whether the model has a head, or on wrappers: names are compared as the
    model's author wrote them, without what DDP, FSDP, `torch.compile`, activation checkpointing,
    parametrizations and PEFT add. An adapter has the layer of the module that it adapts.

    Where a rule file or a mapping puts numbered modules into one layer without asking for it, as
    `blocks.*.**` does, a warning names them, and the pattern that tells them apart.

    Args:
        model: a module, also on the meta device, or its `(name, parameter)` pairs.
        arch: a registered name, the path of a YAML file, a `RuleSet`, the same as a mapping, an
            `Assignment` made from a model of which this one is a part, `"auto"`: the one that
            fits completely, or `"infer"`: one drafted from the model's modules and one forward
            pass, as by `lrd init`, with a warning that gives the command which would keep it.
        inputs: what that pass is given, with `"infer"`: a tensor, a shape, a list of these, or a
            mapping by argument name, as for `trace`. Left out: what the model says of itself.
        layers_by: how finely blocks are told apart: `"published"`, as the rule file has it;
            `"block"`, a layer for each block; `"stage"`, one for each stage; or a number of
            neighbouring blocks that share one.
        prefix: where the backbone is in the model, such as `"backbone"` or `"model.encoder.0"`.
        outside: what becomes of parameters beside the prefix: an `"error"` that names them, or
            they join the last layer, with the `"head"`.

    Raises:
        CoverageError: the rule set does not fit; every parameter at fault is named.
        AmbiguousArchitectureError: more than one layout fits.
        UnknownArchitectureError: no rule set has this name.
        RuleFileError: the rule file is at fault.
        ModelError: the model has no parameters, or many have been flattened into one; or it is
            to be run for `"infer"`, and cannot.
        InvalidArgumentError: `prefix` with an `Assignment` or `"infer"`, another `outside` or
            `layers_by`, or `inputs` without `"infer"`.

    >>> from torch import nn
    >>> rules = {"arch": "two", "layers": [{"stem": "0.**"}, {"head": "1.**"}]}
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    >>> assign_layers(model, rules)["1.bias"]
    Row(name='1.bias', layer=1, entry='head', pattern='1.**', part='')
    """
    parameters, catalog = collect_parameters(model), default_catalog()
    return select(
        parameters,
        arch,
        catalog,
        inputs=inputs,
        layers_by=layers_by,
        prefix=prefix,
        outside=outside,
    )

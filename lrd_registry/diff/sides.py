"""A side of a comparison from its text: `RULE[:LAYOUT][@DECAY]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrd_registry.assign.select_rules import find_rule_set, select
from lrd_registry.assignment import Assignment
from lrd_registry.diff.difference import Side
from lrd_registry.engine.layers_by import LayersBy, parse_layers_by
from lrd_registry.engine.try_layouts import place_by_layout
from lrd_registry.errors import InvalidArgumentError
from lrd_registry.model_names.parameters import Parameters
from lrd_registry.registry.registry import Catalog
from lrd_registry.rule_files.schema import RuleSet
from lrd_registry.wording import clip, did_you_mean

if TYPE_CHECKING:
    from lrd_registry.tracing.example_inputs import Inputs

# A colon or an @ in a path, as in ./v1@2/my.yaml, belongs to the path.
_SIDE = re.compile(
    r"(?P<rule>.*?)(:(?P<layout>[^:@./+]*))?(\+(?P<by>published|block|stage|\d+))?"
    r"(@(?P<decay>(?!.*\.ya?ml\b)[^@/]*))?"
)


@dataclass(frozen=True)
class SideSpec:
    """A side as it was asked for, taken apart; without a layout, the model decides."""

    text: str
    rule: str
    layout: str | None
    layer_decay: float
    layers_by: LayersBy = "published"


def parse_side(text: str, layer_decay: float) -> SideSpec:
    """Take `RULE[:LAYOUT][+BY][@DECAY]` apart.

    Args:
        text: RULE is a registered name, a rule file's path, `auto` or `infer`; BY is how finely
            blocks are told apart.
        layer_decay: for a side without a decay of its own.

    Raises:
        InvalidArgumentError: a decay that is none, or a layout of `auto`.

    >>> parse_side("swin:timm@0.8", 0.75)
    SideSpec(text='swin:timm@0.8', rule='swin', layout='timm', layer_decay=0.8, \
layers_by='published')
    >>> parse_side("convnext+block", 0.75).layers_by
    'block'
    >>> parse_side("./v1@2/my.yaml", 0.75).rule
    './v1@2/my.yaml'
    """
    found = _SIDE.fullmatch(text)
    assert found is not None, "a rule's name may be any text"
    if found["rule"] == "auto" and found["layout"] is not None:
        raise InvalidArgumentError(
            f"{clip(text)}: auto finds the layout itself; name the rule set whose layout you "
            f"want: RULE:{clip(found['layout'])}"
        )
    decay = str(layer_decay) if found["decay"] is None else found["decay"]
    if not 0 < _number(decay) <= 1:
        raise InvalidArgumentError(
            f"{clip(text)}: a layer decay is a number above 0 and at most 1; found {clip(decay)!r}"
        )
    layers_by = parse_layers_by(found["by"] or "published")
    return SideSpec(text, found["rule"], found["layout"], _number(decay), layers_by)


def find_side(
    spec: SideSpec, parameters: Parameters, catalog: Catalog, inputs: Inputs | None = None
) -> Side:
    """Put a model's parameters into the layers of a side; one of `infer` is run on `inputs`.

    Raises:
        CoverageError: the rule set, or the layout asked for, does not fit.
        AmbiguousArchitectureError: no layout is asked for, and several fit.
        UnknownArchitectureError: no rule set has this name.
        RuleFileError: the rule file is at fault.
        InvalidArgumentError: the rule set has no such layout, or the decay is too small.
    """
    if spec.layout is None:
        to_infer = inputs if spec.rule == "infer" else None
        assignment = select(
            parameters, spec.rule, catalog, inputs=to_infer, layers_by=spec.layers_by
        )
    else:
        rules = find_rule_set(spec.rule, catalog)
        assignment = apply_layout(rules, spec.layout, parameters, catalog, spec.layers_by)
    return Side(
        spec=spec.text,
        arch=assignment.arch,
        layout=assignment.layout,
        depths=assignment.depths,
        layer_decay=spec.layer_decay,
        places=assignment.placements,
        before=assignment.before,
    )


def apply_layout(
    rules: RuleSet,
    layout: str,
    parameters: Parameters,
    catalog: Catalog,
    layers_by: LayersBy = "published",
) -> Assignment:
    """Assign every parameter by one layout, whether or not the model has its signature.

    Raises:
        InvalidArgumentError: the rule set has no such layout.
        CoverageError: the layout does not fit; under the prefix where it comes closest.
    """
    if layout not in rules.layouts:
        raise InvalidArgumentError(
            f"rule set {rules.arch!r} has no layout {clip(layout)!r} (it has "
            f"{', '.join(rules.layouts)}){did_you_mean(layout, rules.layouts, quote='{!r}')}"
        )
    misfits = []
    for names in parameters.readings:
        for result in place_by_layout(rules, layout, names, catalog.get, layers_by):
            if isinstance(result, Assignment):
                return result
            misfits.append(result)
    raise min(misfits, key=lambda coverage: coverage.faults).error()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

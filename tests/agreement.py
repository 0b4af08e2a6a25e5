"""The same network in two libraries: equal tensors, equal layers."""

import json
from collections.abc import Callable
from pathlib import Path

from lrd_registry import assign_layers
from tests.building import layers_of, model_with, timm_model

REFERENCES = Path(__file__).parent / "reference_layers"


def assert_same_tensors(name: str, rename: Callable[[str], str], reference: str) -> None:
    """The renamed parameters of timm's model are the reference's, in name and shape."""
    case = json.loads((REFERENCES / f"{reference}.json").read_text())
    theirs = {name: tuple(shape) for name, shape, _ in case["params"]}
    ours = timm_model(name).named_parameters()
    assert {rename(name): tuple(p.shape) for name, p in ours} == theirs


def assert_same_layers(name: str, rename: Callable[[str], str], layout: str) -> None:
    """timm's model and its renamed twin, which fits `layout`, have equal layers throughout."""
    model = timm_model(name)
    renamed = model_with({rename(n): p for n, p in model.named_parameters()})
    ours, theirs = assign_layers(model), assign_layers(renamed)
    assert (ours.layout, theirs.layout) == ("timm", layout)
    assert ours.num_layers == theirs.num_layers
    assert {rename(n): layer for n, layer in layers_of(ours).items()} == layers_of(theirs)

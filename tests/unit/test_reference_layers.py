"""The published layer functions' answers for 42 models, to the layer."""

import json

import pytest

from lrd_registry import assign_layers
from tests.support.building import layers_of, model_with, parameter
from tests.support.places import REFERENCES

CASES = {path.stem: json.loads(path.read_text()) for path in sorted(REFERENCES.glob("*.json"))}
CALLS = {
    "detectron2-vitdet_b": {"arch": "vit", "prefix": "net", "outside": "head"},
    "timm-resnet50": {"layers_by": "block"},
    "timm-regnety_016": {"layers_by": "block"},
    "open_clip-rn50-visual": {"layers_by": "stage"},
    "timm-mvitv2_tiny": {"layers_by": "stage"},
}
"""How those are asked for that `arch="auto"` numbers otherwise."""
ELSEWHERE = {"timm-mvitv2_tiny": {"norm.weight": 5, "norm.bias": 5}}
"""Where this project departs: the final norm is with the head."""

pytestmark = pytest.mark.engine


def model_of(case):
    return model_with({name: parameter(*shape) for name, shape, _ in case["params"]})


def test_there_are_forty_two_references():
    assert len(CASES) == 42


@pytest.mark.parametrize("name", CASES)
def test_every_layer_is_that_of_the_reference(name):
    case = CASES[name]
    assignment = assign_layers(model_of(case), **CALLS.get(name, {}))
    assert assignment.num_layers == case["num_layers"]
    assert layers_of(assignment) == {
        **{parameter: layer for parameter, _, layer in case["params"]},
        **ELSEWHERE.get(name, {}),
    }


@pytest.mark.parametrize("name", [name for name in CASES if name not in CALLS])
def test_the_rule_set_is_the_one_of_its_name(name):
    case = CASES[name]
    named, found = assign_layers(model_of(case), case["arch"]), assign_layers(model_of(case))
    assert (named.arch, found.arch) == (case["arch"], case["arch"])
    assert layers_of(named) == layers_of(found)

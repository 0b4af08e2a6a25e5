"""The published layer functions' answers for eleven models, to the layer."""

import json

import pytest

from lrd_registry import assign_layers
from tests.support.building import layers_of, model_with, parameter
from tests.support.places import REFERENCES

CASES = sorted(REFERENCES.glob("*.json"))

pytestmark = pytest.mark.engine


def load(path):
    case = json.loads(path.read_text())
    model = model_with({name: parameter(*shape) for name, shape, _ in case["params"]})
    return case, model


def test_there_are_eleven_references():
    assert len(CASES) == 11


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("arch", ["named", "auto"])
def test_every_layer_is_that_of_the_reference(path, arch):
    case, model = load(path)
    assignment = assign_layers(model, case["arch"] if arch == "named" else "auto")
    assert assignment.arch == case["arch"]
    assert assignment.num_layers == case["num_layers"]
    assert layers_of(assignment) == {name: layer for name, _, layer in case["params"]}

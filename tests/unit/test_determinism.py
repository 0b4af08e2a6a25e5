"""The same groups on every machine, in every process and every Python version: pinned digests."""

import hashlib
import json

import pytest

from lrd_registry import assign_layers, build_param_groups
from tests.support.building import parameter
from tests.support.places import REFERENCES

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("reference", "fingerprint", "groups"),
    [
        ("mae-vit_base_patch16_224", "6c531df5c9c3", "e88db4dfa48e"),
        ("simmim-swin_t", "da9450e95749", "01f8ad73753b"),
        ("convnext-convnext_small", "d6f54c6f79da", "63e8ba1a2ad8"),
    ],
)
def test_names_order_and_rates_of_groups_are_those_of_every_python(reference, fingerprint, groups):
    case = json.loads((REFERENCES / f"{reference}.json").read_text())
    pairs = [(name, parameter(*shape)) for name, shape, _ in case["params"]]
    layers = assign_layers(pairs)
    built = build_param_groups(pairs, layers, lr=1e-3)
    told = json.dumps([[group["name"], group["param_names"], group["lr"]] for group in built])
    assert layers.fingerprint()[:12] == fingerprint
    assert hashlib.sha256(told.encode()).hexdigest()[:12] == groups

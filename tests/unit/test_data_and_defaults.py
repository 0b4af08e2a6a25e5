"""What all of the package has in common: its data is frozen, and its defaults are the same."""

import importlib
import inspect
import pkgutil
from dataclasses import is_dataclass

import pytest
from pydantic import BaseModel

import lrd_registry
from lrd_registry.rule_files.load import rule_set_from_mapping as load

pytestmark = pytest.mark.engine

FILLED_WHILE_READING = {"Document", "_Link"}
"""Kept by one function, which returns something else."""


def classes():
    for info in pkgutil.walk_packages(lrd_registry.__path__, "lrd_registry."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                yield kind


DATACLASSES = [kind for kind in classes() if is_dataclass(kind)]
MODELS = [kind for kind in classes() if issubclass(kind, BaseModel)]


def test_every_dataclass_is_frozen():
    open_ = {kind.__name__ for kind in DATACLASSES if not kind.__dataclass_params__.frozen}
    assert len(DATACLASSES) > 20
    assert open_ == FILLED_WHILE_READING


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_every_part_of_a_rule_file_is_frozen_and_refuses_other_keys(kind):
    assert kind.model_config["frozen"]
    assert kind.model_config["extra"] == "forbid"


def test_a_rule_set_is_found_in_a_set_by_an_equal_one():
    one, other, longer = (rule_set("a", *layers) for layers in (("x",), ("x",), ("x", "y")))
    assert hash(one) == hash(other)
    assert {one, other, longer} == {one, longer}
    assert len({one, longer}) == 2


def rule_set(arch, *layers):
    return load({"arch": arch, "layers": [{name: f"{name}.**"} for name in layers]})


PLACE = {"arch": "auto", "prefix": None, "outside": "error"}
ASKED = {"layer_decay": 0.75, "lr_mult": None, "min_scale": 0.0}
LEFT_OUT = {
    "assign_layers": {**PLACE, "inputs": None, "layers_by": "published"},
    "build_param_groups": {
        **PLACE,
        "inputs": None,
        "layers_by": "published",
        **ASKED,
        "weight_decay": 0.05,
        "lr": None,
        "min_lr": None,
        "convention": None,
        "no_weight_decay": (),
    },
    "param_groups_lrd": {"weight_decay": 0.05, "no_weight_decay_list": (), "layer_decay": 0.75},
    "audit_learning_rates": {**ASKED, "scheduler": None, "model": None},
    "verify_learning_rates": {**ASKED, "scheduler": None, "model": None},
    "register_rules": {"replace": False},
    "verify_ranks": {"process_group": None},
    "draft": {"name": None, "trace": None, "inputs": None},
    "trace": {"inputs": None},
}


def test_what_is_left_out_of_a_call_is_the_same_everywhere():
    public = (getattr(lrd_registry, name) for name in lrd_registry.__all__)
    found = {call.__name__: defaults(call) for call in public if inspect.isfunction(call)}
    assert {name: each for name, each in found.items() if each} == LEFT_OUT


def defaults(call):
    parameters = inspect.signature(call).parameters.items()
    return {name: p.default for name, p in parameters if p.default is not p.empty}

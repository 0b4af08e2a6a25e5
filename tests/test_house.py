"""What all files of the package have in common: their data is frozen, whatever it is."""

import importlib
import pkgutil
from dataclasses import is_dataclass

import pytest
from pydantic import BaseModel

import lrd_registry

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

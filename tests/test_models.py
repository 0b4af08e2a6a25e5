"""A model from its name; every way in which that can fail is a message."""

import sys

import pytest
import torch

from lrd_registry import ModelError
from lrd_registry.models import build_model

MODULE = """
from torch import nn
import torch
class Tiny(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
    @classmethod
    def bigger(cls):
        return nn.Linear(3, 3)
def broken():
    raise RuntimeError("no weights here")
def nothing():
    return 3
constant = 7
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "my_models"
    sys.modules.pop("my_models", None)


@pytest.mark.parametrize("name", ["timm:vit_giant_patch14_224", "vit_giant_patch14_224"])
def test_a_timm_model_takes_no_memory_for_weights(name):
    model = build_model(name)
    assert sum(p.numel() for p in model.parameters()) > 10**9
    assert {p.device for p in model.parameters()} == {torch.device("meta")}


def test_a_timm_name_with_a_tag_is_a_timm_name():
    assert build_model("vit_tiny_patch16_224.augreg_in21k").embed_dim == 192


def test_a_callable_of_a_module_in_the_working_directory(module):
    model = build_model(f"{module}:Tiny")
    assert (type(model).__name__, model.weight.device.type) == ("Tiny", "meta")
    assert build_model(f"{module}:Tiny.bigger").weight.shape == (3, 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vit_bse_patch16_224", "has no model 'vit_bse_patch16_224'; did you mean 'vit_base_"),
        ("timm:vit_bse_patch16_224", "did you mean 'vit_base_patch16_224'?"),
        ("my_modls:Tiny", "cannot import 'my_modls': ModuleNotFoundError: No module named"),
        ("my_models:Tinny", "'my_models' has no 'Tinny'; did you mean 'Tiny'?"),
        ("my_models:Tiny.biger", "'my_models' has no 'Tiny.biger'; did you mean 'bigger'?"),
        ("my_models:constant", "my_models:constant is a int, not a callable"),
        ("my_models:broken", "building my_models:broken on the meta device failed: RuntimeErr"),
        ("my_models:nothing", "my_models:nothing gave a int, not a torch.nn.Module"),
    ],
)
@pytest.mark.usefixtures("module")
def test_what_cannot_be_built_is_named(name, message):
    with pytest.raises(ModelError) as caught:
        build_model(name)
    assert message in str(caught.value)


def test_a_missing_timm_is_named_with_the_line_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match=r"not installed: pip install 'lrd-registry\[timm\]'"):
        build_model("vit_tiny_patch16_224")

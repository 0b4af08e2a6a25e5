"""`lrd init`: a rule file for a model that no rule set knows, to be read and then used."""

import pytest

from lrd_registry import assign_layers, load_rule_set
from tests.support.building import timm_model


def test_it_writes_a_file_that_loads_covers_and_is_in_order(lrd, tmp_path):
    path = tmp_path / "resnet.yaml"
    status, out, _ = lrd("init", "resnet18", "-o", path)
    assert status == 0
    assert out == f"{path}: drafted; read it, then try it: lrd check {path} resnet18 --trace\n"
    assert load_rule_set(path).arch == "resnet18"
    assert lrd("check", path, "resnet18", "--trace")[0] == 0


def test_the_same_file_fits_the_next_size(lrd, tmp_path):
    path = tmp_path / "resnet.yaml"
    lrd("init", "resnet18", "-o", path)
    assert assign_layers(timm_model("resnet18"), path).num_layers == 10
    assert assign_layers(timm_model("resnet34"), path).num_layers == 18


def test_a_file_that_is_there_is_kept(lrd, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("arch: mine\n")
    status, out, error = lrd("init", "resnet18", "-o", path)
    assert (status, out) == (2, "")
    assert error == f"lrd: {path} is there already; give another -o, or remove it\n"
    assert path.read_text() == "arch: mine\n"


def test_without_a_file_it_prints_and_takes_a_name(lrd):
    status, out, _ = lrd("init", "hf:resnet:ResNetForImageClassification", "--name", "mine")
    assert status == 0
    assert "\narch: mine\n" in out


def test_a_model_that_cannot_be_traced_is_one_message(lrd, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("embed.weight\nhead.weight\n")
    status, out, error = lrd("init", names)
    assert (status, out) == (2, "")
    assert error.startswith("lrd: ")
    assert "Traceback" not in error


OWN = """
from torch import nn


def net():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
"""


def test_a_model_of_ones_own_is_run_on_the_shapes_given(lrd, tmp_path, monkeypatch):
    (tmp_path / "own_nets.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "own.yaml"
    status, _, error = lrd("init", "own_nets:net", "-o", path)
    assert status == 2
    assert "Sequential does not say what it takes" in error
    assert lrd("init", "own_nets:net", "-o", path, "--input", "1,4")[0] == 0
    assert lrd("trace", "own_nets:net", "--arch", path, "--input", "1,4")[0] == 0
    assert lrd("check", path, "own_nets:net", "--trace", "--input", "input=1,4")[0] == 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["1,x"], "a shape is numbers with commas between, such as 1,3,224,224; found '1,x'"),
        (["a=1", "2"], "give all inputs by name, or none; found a=1, 2"),
    ],
)
def test_what_is_no_shape_is_refused(lrd, inputs, message):
    options = [word for text in inputs for word in ("--input", text)]
    status, _, error = lrd("trace", "test_vit", *options)
    assert (status, error) == (2, f"lrd: --input: {message}\n")

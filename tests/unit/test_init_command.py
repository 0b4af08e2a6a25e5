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


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module of one's own."""
    (tmp_path / "own_models.py").write_text(OWN + LOOKING)
    monkeypatch.syspath_prepend(tmp_path)
    return "own_models"


LOOKING = """

class Looking(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.a(x) if x.sum() > 0 else x


class Deciding(Looking):
    def forward(self, x):
        return self.b(x) if self.a(x).sum() > 0 else x
"""

TAKES = "give it --input 1,3,224,224, once for each input, or --input NAME=1,77 by name\n"


@pytest.mark.parametrize(
    "command",
    [
        ["init", "{}"],
        ["explain", "{}", "--arch", "infer"],
        ["trace", "{}", "--arch", "infer"],
        ["diff", "infer", "infer@0.5", "{}"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.filterwarnings("default")
def test_every_command_that_runs_a_model_takes_shapes_and_says_so(lrd, own, command):
    words = [word.format(f"{own}:net") for word in command]
    status, out, error = lrd(*words)
    assert (status, out) == (2, "")
    assert error.endswith(TAKES)
    assert "inputs" not in error
    status, out, _ = lrd(*words, "--input", "1,4")
    assert status == 0
    assert out


CALL = "lrd_registry.draft(model, NAME, lrd_registry.trace(model, inputs))"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Looking", f"the command line gives shapes alone; in Python, pass real tensors: {CALL}\n"),
        (
            "Deciding",
            "the command line builds no weights; in Python, pass real tensors to a model that has "
            f"its weights: {CALL}\n",
        ),
    ],
)
def test_a_model_that_looks_at_data_is_for_python(lrd, own, name, said):
    status, _, error = lrd("init", f"{own}:{name}", "--input", "1,4")
    assert status == 2
    assert error == (
        f"lrd: {name} cannot be traced on the meta device: aten._local_scalar_dense needs data; "
        f"{said}"
    )


@pytest.mark.parametrize("command", [["explain", "test_vit"], ["diff", "vit", "vit", "test_vit"]])
def test_shapes_are_refused_where_nothing_is_run(lrd, command):
    status, _, error = lrd(*command, "--input", "1,3,8,8")
    assert (status, error) == (
        2,
        "lrd: --input is what the model is run on where its layers are drafted (infer); these "
        "come from a rule set, so leave it out; found --input 1,3,8,8\n",
    )


def test_a_check_refuses_shapes_where_nothing_is_traced(lrd):
    status, _, error = lrd("check", "vit", "test_vit", "--input", "1,3,8,8")
    assert (status, error) == (
        2,
        "lrd: --input is what the model is run on to check the order; add --trace, or leave it "
        "out; found --input 1,3,8,8\n",
    )


def test_a_model_that_cannot_be_traced_loses_no_others_check(lrd, own, tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text("arch: all\nlayers: [all: '**']\n")
    models = [f"{own}:{name}" for name in ("Looking", "net")]
    status, out, _ = lrd("check", path, *models, "--trace", "--input", "1,4")
    assert status == 1
    said = [line for line in out.splitlines() if "order" in line]
    assert said[0].startswith("the order was not checked: Looking cannot be traced on the meta ")
    assert said[1] == "the layers are in the order of use"


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

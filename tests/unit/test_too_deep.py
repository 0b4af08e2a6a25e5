"""A layer decay over very many layers freezes the first, in effect, and that is said."""

import json
import linecache
import warnings

import pytest
from torch import nn

from lrd_registry import assign_layers, build_param_groups
from tests.support.building import model_with

pytestmark = pytest.mark.engine

RULES = {"arch": "deep", "layers": [{"block": "s.{stage}.{block}.w"}]}
SAID = (
    "'deep' has 60 layers here, so layer_decay=0.75 trains the first at 4.3e-08 of the head's "
    "learning rate: frozen, in effect. layer_decay=0.94 would train it at 0.026"
)


def deep(stages, blocks):
    return model_with([f"s.{s}.{b}.w" for s in range(stages) for b in range(blocks)])


def said(*arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build_param_groups(*arguments, **options)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def test_what_would_be_usual_is_named():
    assert said(deep(6, 10), RULES) == [f'{SAID}; layers_by="stage" makes 6 layers']


def test_few_stages_are_not_named():
    assert said(deep(3, 20), RULES) == [SAID]


@pytest.mark.parametrize(
    "options",
    [{"layer_decay": 0.94}, {"min_scale": 1e-5}, {"layers_by": "stage"}, {"layer_decay": 1.0}],
    ids=str,
)
def test_what_trains_all_layers_is_not_remarked(options):
    assert said(deep(6, 10), RULES, **options) == []


def test_the_bound_is_a_scale_of_1e_5():
    model = model_with([f"s.0.{b}.w" for b in range(6)])
    assert said(model, RULES, layer_decay=0.1) == []
    assert len(said(model, RULES, layer_decay=0.0999)) == 1


def test_an_assignment_says_no_stages():
    assert said(deep(6, 10), assign_layers(deep(6, 10), RULES)) == [SAID]


def test_of_several_parts_the_lowest_is_named():
    parts = {
        "a": {"prefix": "a", "layers": RULES["layers"]},
        "b": {"prefix": "b", "layers": RULES["layers"]},
    }
    model = model_with([*(f"a.s.0.{n}.w" for n in range(3)), *(f"b.s.0.{n}.w" for n in range(70))])
    decays = {"a": 0.5, "b": 0.75}
    assert said(model, {"arch": "two", "parts": parts}, layer_decay=decays) == [
        "'two' (b) has 70 layers here, so layer_decay={'a': 0.5, 'b': 0.75} trains the first at "
        "2.4e-09 of the head's learning rate: frozen, in effect"
    ]


@pytest.mark.parametrize("command", [("explain",), ("check", "densenet")], ids=str)
def test_the_command_line_notes_it(lrd, command):
    status, out, err = lrd(*command, "densenet121")
    (note,) = [line for line in out.splitlines() if line.startswith("note: ")]
    assert (status, err) == (0, "")
    assert note.startswith("note: 'densenet' has 60 layers here, so layer_decay=0.75 trains")
    assert note.endswith('would train it at 0.026; layers_by="stage" makes 6 layers')


def test_the_note_as_json(lrd):
    assert "note" in json.loads(lrd("explain", "densenet121", "--json")[1])
    assert "note" not in json.loads(lrd("explain", "resnet18", "--json")[1])


def test_what_is_by_stage_already_is_not_named(lrd):
    arguments = ("densenet121", "--layers-by", "stage", "--layer-decay", "0.05")
    note = json.loads(lrd("explain", *arguments, "--json")[1])["note"]
    assert "has 6 layers here" in note
    assert "layers_by" not in note


def test_layers_by_stage_that_are_too_many_are_not_recommended():
    model = model_with([f"s.{stage}.0.w" for stage in range(60)])
    assert said(model, RULES, layers_by="stage") == [SAID]


def test_the_warning_points_at_the_line_that_calls():
    with pytest.warns(UserWarning, match="frozen, in effect") as caught:
        build_param_groups(deep(3, 20), RULES)
    line = linecache.getline(caught[0].filename, caught[0].lineno)
    assert line.strip() == "build_param_groups(deep(3, 20), RULES)"


def test_what_is_inferred_says_no_stages():
    model = nn.Sequential(*(nn.Linear(1, 1, bias=False) for _ in range(60)))
    *_, message = said(model, "infer", inputs=(1, 1))
    assert message.startswith("'inferred' has 60 layers here")
    assert "layers_by" not in message

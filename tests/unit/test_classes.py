"""A layout's `classes`: a model of one is tried there and nowhere else; names decide for others."""

import pytest
from torch import nn

from lrd_registry import (
    CoverageError,
    RuleFileError,
    assign_layers,
    load_rule_set,
    register_rules,
)
from tests.support.building import layers_of, model_with

pytestmark = pytest.mark.engine


class Net(nn.Module):
    """A network of one known class, with names that two rule sets speak of."""

    def __init__(self, *more):
        super().__init__()
        for name in ("stem", "body", *more):
            self.add_module(name, nn.Linear(1, 1, bias=False))


class Special(Net):
    """A class made from it."""


NET = f"{__name__}.Net"
ONE_LAYER = {"layers": [{"all": ["stem.**", "body.**"]}]}
TWO_LAYERS = {"layers": [{"stem": "stem.**"}, {"body": "body.**"}]}


@pytest.fixture
def registered():
    register_rules({"arch": "by_names", "layouts": {"own": ONE_LAYER}})
    register_rules({"arch": "by_class", "layouts": {"own": {**TWO_LAYERS, "classes": NET}}})


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "model",
    [Net(), Special(), nn.DataParallel(Net()), nn.DataParallel(Special())],
    ids=["its own", "a subclass", "wrapped", "a subclass, wrapped"],
)
def test_a_class_decides_between_layouts_that_fit_by_names(model):
    assignment = assign_layers(model)
    assert (assignment.arch, assignment.known_by) == ("by_class", "class")
    assert list(layers_of(assignment).values()) == [0, 1]


@pytest.mark.usefixtures("registered")
def test_the_class_of_what_is_under_the_prefix_counts():
    model = nn.ModuleDict({"backbone": Net(), "head": nn.Linear(1, 1)})
    assignment = assign_layers(model, prefix="backbone", outside="head")
    assert (assignment.arch, assignment.known_by) == ("by_class", "class")


@pytest.mark.usefixtures("registered")
def test_a_rule_set_that_is_asked_for_is_tried_whatever_the_class():
    assignment = assign_layers(Net(), "by_names")
    assert (assignment.num_layers, assignment.known_by) == (1, "names")


def test_names_decide_for_pairs_and_for_other_classes():
    register_rules({"arch": "by_class", "layouts": {"own": {**TWO_LAYERS, "classes": NET}}})
    for model in (Net().named_parameters(), model_with(["stem.weight", "body.weight"])):
        assignment = assign_layers(model, "auto")
        assert (assignment.arch, assignment.known_by) == ("by_class", "names")


@pytest.mark.usefixtures("registered")
def test_a_misfit_is_explained_by_the_layout_of_the_class():
    register_rules({"arch": "all", "layouts": {"own": {"layers": [{"all": "**"}]}}})
    with pytest.raises(CoverageError) as caught:
        assign_layers(Net("extra"))
    assert caught.value.unmatched == ("extra.weight",)
    assert str(caught.value).startswith("rule set 'by_class' (layout 'own') does not fit")


def test_a_class_is_enough_where_the_signature_is_not_there():
    layout = {**TWO_LAYERS, "classes": NET, "signature": "neck.weight"}
    register_rules({"arch": "by_class", "layouts": {"own": layout}})
    assert assign_layers(Net()).known_by == "class"
    with pytest.raises(CoverageError):
        assign_layers(Net().named_parameters())


def test_what_does_not_fit_without_its_signature_is_explained_with_it():
    layout = {**TWO_LAYERS, "classes": NET, "signature": "neck.weight"}
    register_rules({"arch": "by_class", "layouts": {"own": layout}})
    with pytest.raises(CoverageError) as caught:
        assign_layers(Net("extra"))
    assert caught.value.unmatched == ("extra.weight",)
    assert caught.value.missing == ("signature: neck.weight",)


def test_of_two_layouts_for_one_class_the_signature_tells():
    layouts = {
        "bare": {**TWO_LAYERS, "classes": NET, "signature": "stem.weight"},
        "more": {
            "layers": [{"all": ["stem.**", "body.**", "extra.**"]}],
            "classes": NET,
            "signature": "extra.weight",
        },
    }
    register_rules({"arch": "by_class", "layouts": layouts})
    assert assign_layers(Net("extra")).layout == "more"
    assert assign_layers(Net()).layout == "bare"


def test_a_class_is_a_full_name(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("arch: net\nlayouts:\n  own:\n    classes: [ResNet]\n    layers: [all: '**']\n")
    with pytest.raises(RuleFileError) as caught:
        load_rule_set(path)
    assert str(caught.value) == (
        f"{path}:4:15: expected the full name of a class, such as `timm.models.resnet.ResNet`, "
        "found `ResNet`"
    )


def test_the_other_layouts_of_its_rule_set_are_not_tried_on_a_class():
    own = {**TWO_LAYERS, "classes": NET, "signature": "neck.weight"}
    layouts = {"own": own, "other": ONE_LAYER}
    register_rules({"arch": "by_class", "layouts": layouts})
    assert assign_layers(Net()).layout == "own"

"""Every model of every library fits exactly one bundled layout, completely."""

import json
import re

import pytest

from lrd_registry import assign_layers
from tables.versions import DISTRIBUTIONS, library_version
from tests.support.building import layers_of, model_with, timm_model
from tests.support.libraries import (
    everything,
    open_clip_models,
    timm_models,
    torchvision_models,
    transformers_models,
)
from tests.support.places import DATA
from tests.support.releases import is_pinned, need_new_names

RECORDED = json.loads((DATA / "transformers_4_names.json").read_text())

pytestmark = pytest.mark.library

OTHERS = [model for model in everything.MODELS if model.library != "timm"]
MODULE = re.compile(r"layers\.\d+\.(blocks\.\d+|downsample)|[a-z_]+")


def fitting(model):
    """The assignment of a library's model, after its layout, names and layers are checked."""
    built = build(model)
    assignment = assign_layers(built)
    assert (assignment.arch, assignment.layout) == (model.arch, model.layout)
    assert list(assignment) == [name for name, _ in built.named_parameters()]
    used = set(layers_of(assignment).values())
    assert used | {assignment.num_layers - 1} == set(range(assignment.num_layers))
    return assignment


def build(model):
    """The model; one that its library cannot build is its own affair, but in the pinned release."""
    try:
        return model.build()
    except Exception as error:
        if is_pinned(DISTRIBUTIONS[model.library]):
            raise
        pytest.skip(f"{library_version(model.library)} cannot build it: {error!r}")


def test_no_family_is_empty():
    need_new_names()
    tables = timm_models.MODULES, transformers_models.TYPES, torchvision_models.FAMILIES
    families = {model.family for model in everything.MODELS}
    assert families == set(open_clip_models.FAMILIES).union(*tables)


@pytest.mark.parametrize("model", OTHERS, ids=str)
def test_it_fits_its_layout_completely(model):
    fitting(model)


@pytest.mark.parametrize("model", timm_models.MODELS, ids=str)
def test_timms_model_fits_and_keeps_its_layers_without_a_head(model):
    whole = fitting(model)
    headless = assign_layers(timm_model(model.name, num_classes=0))
    assert headless.num_layers == whole.num_layers
    assert layers_of(headless).items() <= layers_of(whole).items()


@pytest.mark.parametrize("name", RECORDED["models"])
def test_the_names_before_transformers_5_fit_too(name):
    """As in the published checkpoints; recorded from the library at its named version."""
    names = RECORDED["models"][name]
    assignment = assign_layers(model_with(names))
    assert assignment.layout.startswith("huggingface")
    assert list(assignment) == [n for n, _ in model_with(names).named_parameters()]


def test_swin_v2_cr_is_numbered_as_swin_v2():
    """timm's second Swin V2 is in no other library; it has the same stages and blocks."""
    cr, v2 = (
        assign_layers(timm_model(name))
        for name in ("swinv2_cr_tiny_224", "swinv2_tiny_window8_256")
    )
    assert cr.num_layers == v2.num_layers
    assert modules_of(cr) == modules_of(v2) - {("norm", 13)}
    assert ("layers.3.downsample", 10) in modules_of(cr)


def modules_of(assignment):
    """The layers of stem, blocks, downsampling and head; cr calls its stages so."""
    paths = {name.replace("stages.", "layers."): n for name, n in layers_of(assignment).items()}
    return {(MODULE.match(path)[0], layer) for path, layer in paths.items()}

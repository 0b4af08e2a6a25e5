"""Every architecture of timm's modules for these families, with and without its head."""

import pytest
import timm

from lrd_registry import assign_layers
from tests.building import layers_of, timm_model

MODULES = {
    "vision_transformer": "vit",
    "deit": "vit",
    "beit": "vit",
    "swin_transformer": "swin",
    "swin_transformer_v2": "swin",
    "convnext": "convnext",
}
NAMES = [(module, name) for module in MODULES for name in timm.list_models(module=module)]


def test_there_are_models_of_each_module():
    assert {module for module, _ in NAMES} == set(MODULES)


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_it_resolves_and_keeps_its_layers_without_a_head(module, name):
    model = timm_model(name)
    whole = assign_layers(model)
    assert (whole.arch, whole.layout) == (MODULES[module], "timm")
    assert list(whole) == [name for name, _ in model.named_parameters()]
    used = set(layers_of(whole).values())
    assert used | {whole.num_layers - 1} == set(range(whole.num_layers))  # some have no head

    headless = assign_layers(timm_model(name, num_classes=0))
    assert headless.num_layers == whole.num_layers
    assert layers_of(headless).items() <= layers_of(whole).items()

"""torch.nn.utils.parametrize: what makes a tensor has the layer of the tensor that it makes."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

from lrd_registry import CoverageError, assign_layers, build_param_groups
from tests.support.wrappers.checking import Before, check, decays
from tests.support.wrappers.stacks import Scaled
from tests.support.wrappers.tiny import NET, Net, timm_vit

pytestmark = pytest.mark.engine

OWN = ["scale", "mix.weight", "mix.bias"]


def own(start):
    return [f"{start}.{name}" for name in OWN]


@pytest.mark.parametrize("norm", [weight_norm, orthogonal, spectral_norm])
@pytest.mark.parametrize(("path", "layer"), [("embed", 0), ("blocks.1", 2), ("head", 3)])
def test_torchs_own_keep_a_weight_in_its_layer(norm, path, layer):
    model = Net()
    before = Before(model, NET)
    norm(model.get_submodule(path))
    start = f"{path}.parametrizations.weight"
    new = {f"{start}.original{i}": layer for i in (0, 1)} if norm is weight_norm else {}
    check(model, before, new)


@pytest.mark.parametrize(("path", "layer"), [("blocks.0", 1), ("head", 3)])
def test_a_parametrizations_own_parameters_join_what_they_make(path, layer):
    model = Net()
    before = Before(model, NET)
    for tensor in ("weight", "bias", "weight"):
        parametrize.register_parametrization(model.get_submodule(path), tensor, Scaled())
    start = f"{path}.parametrizations"
    names = own(f"{start}.weight.0") + own(f"{start}.weight.1") + own(f"{start}.bias.0")
    check(model, before, dict.fromkeys(names, layer))


def test_a_parametrization_of_a_parametrization():
    model = Net()
    before = Before(model, NET)
    outer = Scaled()
    parametrize.register_parametrization(outer.mix, "weight", Scaled())
    parametrize.register_parametrization(model.blocks[1], "weight", outer)
    start = "blocks.1.parametrizations.weight.0"
    inner = f"{start}.mix.parametrizations.weight"
    names = [f"{start}.scale", f"{start}.mix.bias", f"{inner}.original", *own(f"{inner}.0")]
    check(model, before, dict.fromkeys(names, 2))


def test_a_vits_tokens_and_weights():
    """The class token is the model's own parameter: its `parametrizations` are at the top."""
    model = timm_vit()
    before = Before(model, "vit")
    parametrize.register_parametrization(model, "cls_token", Scaled())
    weight_norm(model.blocks[2].mlp.fc1)
    weight_norm(model.head)
    new = dict.fromkeys(own("parametrizations.cls_token.0"), 0)
    for path, layer in (("blocks.2.mlp.fc1", 3), ("head", 4)):
        new |= {f"{path}.parametrizations.weight.original{i}": layer for i in (0, 1)}
    check(model, before, new)


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile])
def test_inside_a_wrapper(wrap):
    model = Net()
    before = Before(model, NET)
    parametrize.register_parametrization(model.head, "weight", Scaled())
    wrapped = wrap(model)
    component = "module" if wrap is nn.DataParallel else "_orig_mod"
    names = own(f"{component}.head.parametrizations.weight.0")
    check(wrapped, before, dict.fromkeys(names, 3))


def test_a_bias_has_no_weight_decay_and_an_exempt_tensor_stays_exempt():
    model = Net()
    for module, tensor in [(model, "table"), (model.head, "weight"), (model.head, "bias")]:
        parametrize.register_parametrization(module, tensor, nn.Identity())
    model.head.parametrizations.bias.original = nn.Parameter(torch.ones(1, 2))  # not by its shape
    found = decays(build_param_groups(model, NET, weight_decay=0.1))
    assert found["head.parametrizations.bias.original"] == 0
    assert found["parametrizations.table.original"] == 0
    assert found["head.parametrizations.weight.original"] == 0.1


def test_a_vits_position_embedding_stays_exempt():
    model = timm_vit()
    for name in ("pos_embed", "cls_token"):
        parametrize.register_parametrization(model, name, nn.Identity())
    found = decays(build_param_groups(model, "vit", weight_decay=0.1))
    assert found["parametrizations.pos_embed.original"] == 0
    assert found["parametrizations.cls_token.original"] == 0
    assert found["head.weight"] == 0.1


def test_both_parts_of_a_normed_weight_decay_as_their_shapes_say():
    model = Net()
    weight_norm(model.head)
    found = decays(build_param_groups(model, NET, weight_decay=0.1))
    parts = [f"head.parametrizations.weight.original{i}" for i in (0, 1)]
    assert [found[name] for name in parts] == [0.1, 0.1]  # 2 x 1 and 2 x 4


def test_an_error_names_the_parameter_as_the_model_does():
    model = Net()
    model.extra = weight_norm(nn.Linear(4, 4, bias=False))
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, NET)
    start = "extra.parametrizations.weight"
    assert caught.value.unmatched == (f"{start}.original0", f"{start}.original1")


def test_a_layer_of_its_own_that_an_author_called_parametrizations():
    model = Net()
    model.head = nn.ModuleDict({"parametrizations": nn.ModuleDict({"weight": nn.Linear(4, 2)})})
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, NET)
    names = ("weight", "bias")
    assert caught.value.unmatched == tuple(f"head.parametrizations.weight.{n}" for n in names)

"""Names are read off modules: their prefix, what wraps them, and what stands in them."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import register_parametrization

from lrd_registry import ModelError, assign_layers, build_param_groups
from lrd_registry.model_names.compared import Names
from lrd_registry.model_names.flattened_lists import children_as_written
from lrd_registry.model_names.from_modules import read_module
from lrd_registry.model_names.parameterless import is_silent
from lrd_registry.model_names.parameters import is_module
from tests.support.building import layers_of

pytestmark = pytest.mark.engine

ALL = {"arch": "mine", "layers": [{"all": "**"}]}


def test_a_path_is_told_below_the_prefix():
    names = Names([], {}, {}, prefix="vit")
    assert [names.relative(path) for path in ("vit.blocks", "head", "vitamin.w")] == [
        *("blocks", None, None)
    ]


def test_names_beside_the_prefix_are_outside_unless_they_join_the_head():
    names = Names(["vit.w", "fc.w"], {}, {"vit.w": "vit.w", "fc.w": "fc.w"}).under("vit")
    assert names.outside == ("fc.w",)
    assert names.under("vit", joins_head=True).outside == ()
    assert Names(["w"], {}, {"w": "w"}, prefix="vit").outside == ("w",)


def test_names_print_without_the_whole_model():
    assert "Linear" not in repr(Names(["w"], {}, {"w": "w"}, module=nn.Linear(2, 2)))


def test_a_module_that_is_also_beside_the_prefix_does_not_join_the_head_by_its_other_path():
    written = {name: name for name in ("vit.w", "copy.w", "fc.w")}
    names = Names(["vit.w", "fc.w"], {"vit.w": ("copy.w",)}, written,
                  one_module={"vit.w": "vit.w", "copy.w": "vit.w"})  # fmt: skip
    assert list(names.under("vit", joins_head=True).ends) == ["fc.w"]


@pytest.mark.parametrize("missing", ["_parameters", "_modules"])
def test_what_has_half_of_a_module_is_none(missing):
    halves = {"_parameters": {}, "_modules": {}}
    assert is_module(SimpleNamespace(**halves))
    del halves[missing]
    assert not is_module(SimpleNamespace(**halves))


@pytest.mark.parametrize(
    "kind", [nn.Identity, nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.Module]
)
def test_what_may_stand_in_the_place_of_a_block_is_not_silent(kind):
    assert not is_silent(nn.Sequential(kind()), "0")


def test_a_module_with_a_handle_of_its_own_is_no_shard():
    model = nn.Sequential(nn.Linear(2, 2))
    model[0]._handle = "of a file"
    assert set(layers_of(assign_layers(nn.DataParallel(model), ALL)).values()) == {0}


def test_all_names_of_what_makes_a_tensor_go_by_the_tensor():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = self.b = nn.Parameter(torch.ones(2, 2))

        def forward(self, weight):
            return weight + self.a + self.b

    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    register_parametrization(model[0], "weight", Twice())
    found = assign_layers(model, {"arch": "mine", "layers": [{"all": "0.weight"}]})
    assert set(layers_of(found).values()) == {0}


def test_the_shape_of_a_flat_shard_of_fsdps_is_asked_for():
    import torch.distributed.fsdp

    shard, whole = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(2, 2))
    shard._fsdp_flattened = whole._fsdp_flattened = True
    assert len(build_param_groups([("w", whole)], ALL)) == 1
    with pytest.raises(ModelError, match=r"^'w' is a flat shard of FSDP's"):
        build_param_groups([("w", shard)], ALL)


def test_what_a_wrapper_registers_once_more_keeps_its_name():
    wrapper = nn.DataParallel(nn.Linear(1, 1, bias=False))
    wrapper.register_parameter("again", wrapper.module.weight)
    assert read_module(wrapper).written == {"module.weight": "weight", "again": "weight"}


def test_the_first_list_of_a_wrapper_for_features_is_known_by_having_two_children():
    features = nn.ModuleDict({"stem_conv": nn.Linear(1, 1), "stem_norm": nn.Linear(1, 1)})
    features["patch_embed_one"] = nn.Linear(1, 1)
    features.feature_info = SimpleNamespace(module_name=lambda: ["stages.0", "head"])
    assert children_as_written(features) == {
        "stem_conv": "stem.conv",
        "stem_norm": "stem.norm",
        "patch_embed_one": "patch_embed_one",
    }

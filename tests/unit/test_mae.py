"""`param_groups_lrd` returns what MAE's function of that name returns, restated here."""

import pytest
from torch.nn.parameter import UninitializedParameter

from lrd_registry import CoverageError, ModelError, param_groups_lrd
from tests.support.building import parameter, timm_model

pytestmark = pytest.mark.engine


def mae_groups(model, weight_decay, exempt, layer_decay):
    """MAE's groups: by layer and decay, in the order in which the parameters come."""
    last = len(model.blocks) + 1
    groups = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        decays = p.ndim != 1 and name not in exempt
        if name.startswith("blocks"):
            layer = int(name.split(".")[1]) + 1
        else:
            embeds = name in ("cls_token", "pos_embed") or name.startswith("patch_embed")
            layer = 0 if embeds else last
        group = groups.setdefault((layer, decays), {"params": []})
        group["params"].append(p)
        group["lr_scale"] = layer_decay ** (last - layer)
        group["weight_decay"] = weight_decay if decays else 0.0
    return list(groups.values())


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "vit_large_patch16_224"])
@pytest.mark.parametrize("options", [{}, {"global_pool": "avg"}, {"num_classes": 0}])
@pytest.mark.parametrize("exempt", [(), ("pos_embed", "cls_token")])
def test_the_same_groups_in_the_same_order(name, options, exempt):
    model = timm_model(name, **options)
    model.pos_embed.requires_grad_(False)
    expected = mae_groups(model, 0.3, exempt, 0.65)
    groups = param_groups_lrd(model, 0.3, exempt, layer_decay=0.65)
    assert len(groups) == len(expected)
    for ours, theirs in zip(groups, expected, strict=True):
        assert all(a is b for a, b in zip(ours["params"], theirs["params"], strict=True))
        assert {key: ours[key] for key in theirs if key != "params"} == {
            key: theirs[key] for key in theirs if key != "params"
        }


def test_a_bias_of_two_dimensions_decays():
    """MAE's function exempts by the number of dimensions, and by no name of a bias."""
    model = timm_model("vit_tiny_patch16_224")
    model.head.bias = parameter(1, 10)
    decays = {
        name: group["weight_decay"] > 0
        for group in param_groups_lrd(model)
        for name in group["param_names"]
    }
    assert decays["head.bias"]
    assert not decays["norm.bias"]


def test_where_maes_function_falls_through_this_one_raises():
    model = timm_model("vit_tiny_patch16_224")
    model.register_parameter("adapter", parameter(2, 2))
    assert mae_groups(model, 0.05, (), 0.75)[-1]["lr_scale"] == 1.0
    with pytest.raises(CoverageError, match="adapter") as caught:
        param_groups_lrd(model)
    assert caught.value.unmatched == ("adapter",)


def test_a_register_token_gets_the_stems_rate_and_not_the_heads():
    model = timm_model("vit_small_patch14_reg4_dinov2")
    groups = param_groups_lrd(model, layer_decay=0.5)
    (group,) = [g for g in groups if "reg_token" in g["param_names"]]
    assert group["lr_scale"] == 0.5**13


def test_a_parameter_of_unknown_shape_is_an_error_here_too():
    model = timm_model("vit_tiny_patch16_224")
    model.head.register_parameter("weight", UninitializedParameter())
    with pytest.raises(ModelError, match=r"^the shape of 'head\.weight' is not known yet"):
        param_groups_lrd(model)

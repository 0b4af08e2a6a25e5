"""Which keys of a group carry its learning rate."""

import pytest

from lrd_registry import InvalidArgumentError, build_param_groups
from lrd_registry.conventions import CONVENTIONS
from lrd_registry.loading import rule_set_from_mapping
from tests.building import model_with, parameter

RULES = rule_set_from_mapping({"arch": "mine", "layers": [{"stem": "a.**"}, {"head": "b.**"}]})
OWN = {"params", "param_names", "weight_decay", "layer", "name"}


def rate_keys(**options):
    model = model_with({"a.w": parameter(2, 2), "b.bias": parameter(2)})
    groups = build_param_groups(model, RULES, layer_decay=0.5, **options)
    return [{key: group[key] for key in group.keys() - OWN} for group in groups]


def test_without_lr_the_scale_is_timms():
    assert rate_keys() == [{"lr_scale": 0.5}, {"lr_scale": 1.0}]


def test_with_lr_the_scale_is_in_it():
    assert rate_keys(lr=1e-3) == [{"lr": 5e-4}, {"lr": 1e-3}]
    assert rate_keys(lr=1e-3, convention="torch") == [{"lr": 5e-4}, {"lr": 1e-3}]


def test_timms_lr_stays_the_base():
    assert rate_keys(lr=1e-3, convention="timm")[0] == {"lr": 1e-3, "lr_scale": 0.5}


def test_dinov2_has_multipliers_of_rate_and_decay():
    assert rate_keys(convention="dinov2") == [
        {"lr_multiplier": 0.5, "wd_multiplier": 1.0},
        {"lr_multiplier": 1.0, "wd_multiplier": 0.0},
    ]


def test_megatron_has_multipliers_of_rate_and_decay():
    assert rate_keys(convention="megatron") == [
        {"lr_mult": 0.5, "wd_mult": 1.0},
        {"lr_mult": 1.0, "wd_mult": 0.0},
    ]


def test_the_torch_convention_needs_the_base():
    with pytest.raises(InvalidArgumentError, match=r"needs the base: pass lr="):
        rate_keys(convention="torch")


def test_a_misspelt_convention_names_the_nearest():
    with pytest.raises(InvalidArgumentError, match=r"found 'tim'; did you mean 'timm'\?"):
        rate_keys(convention="tim")


def test_all_conventions_are_known():
    assert set(CONVENTIONS) == {"timm", "torch", "dinov2", "megatron"}

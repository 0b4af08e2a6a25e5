"""Which keys of a group carry its learning rate."""

import pytest

from lrd_registry import InvalidArgumentError, build_param_groups
from lrd_registry.groups import conventions
from lrd_registry.groups.conventions import CONVENTIONS
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import model_with, parameter

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping({"arch": "mine", "layers": [{"stem": "a.**"}, {"head": "b.**"}]})
OWN = {"params", "param_names", "weight_decay", "layer", "name", "assignment"}


def rate_keys(names=("a.w", "b.bias"), **options):
    model = model_with({name: parameter(*(2, 2)[: 2 - name.endswith("bias")]) for name in names})
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
        {"lr_multiplier": 0.5, "wd_multiplier": 1.0, "is_last_layer": False},
        {"lr_multiplier": 1.0, "wd_multiplier": 0.0, "is_last_layer": False},
    ]


def test_dinov2_has_the_last_layer_of_its_head_in_groups_of_its_own():
    names = ["a.w", "b.mlp.w", "b.last_layer.w", "b.last_layers.w"]
    model = model_with(names)
    groups = build_param_groups(model, RULES, convention="dinov2")
    assert [(g["name"], g["param_names"], g["is_last_layer"]) for g in groups] == [
        ("layer_00_decay", ["a.w"], False),
        ("layer_01_decay", ["b.mlp.w", "b.last_layers.w"], False),
        ("layer_01_decay_last_layer", ["b.last_layer.w"], True),
    ]
    assert len(build_param_groups(model, RULES)) == 2


def test_megatron_has_multipliers_of_rate_and_decay():
    assert rate_keys(convention="megatron") == [
        {"lr_mult": 0.5, "wd_mult": 1.0},
        {"lr_mult": 1.0, "wd_mult": 0.0},
    ]


def test_megatrons_ends_of_the_schedule_are_the_heads_where_a_multiplier_scales_them():
    (stem, _) = rate_keys(convention="megatron", lr=1e-3, min_lr=1e-5)
    assert stem == {"lr": 1e-3, "max_lr": 1e-3, "min_lr": 1e-5, "lr_mult": 0.5, "wd_mult": 1.0}


def test_megatrons_ends_of_the_schedule_are_scaled_where_no_multiplier_does():
    (stem, head) = rate_keys(convention="megatron_max_lr", lr=1e-3, min_lr=1e-5)
    assert stem == {"lr": 5e-4, "max_lr": 5e-4, "min_lr": 5e-6, "wd_mult": 1.0}
    assert head == {"lr": 1e-3, "max_lr": 1e-3, "min_lr": 1e-5, "wd_mult": 0.0}


def test_a_least_rate_that_no_loop_would_read_is_refused():
    with pytest.raises(InvalidArgumentError) as caught:
        rate_keys(convention="timm", lr=1e-3, min_lr=1e-5)
    assert str(caught.value) == (
        "the loops of convention='timm' read no least learning rate from a group, so min_lr would "
        "have no effect; give it to the scheduler (those of 'megatron', 'megatron_max_lr' read it)"
    )


@pytest.mark.parametrize(
    ("convention", "keys"), [("torch", "lr"), ("megatron_max_lr", "lr and max_lr")]
)
def test_a_convention_of_scaled_rates_needs_the_base(convention, keys):
    with pytest.raises(InvalidArgumentError) as caught:
        rate_keys(convention=convention)
    assert str(caught.value) == (
        f"convention='{convention}' sets each group's {keys} to the base learning rate times its "
        "scale, so it needs the base: pass lr=…"
    )


def test_a_misspelt_convention_names_the_nearest():
    with pytest.raises(InvalidArgumentError, match=r"found 'tim'; did you mean 'timm'\?"):
        rate_keys(convention="tim")


def test_all_conventions_are_known():
    assert set(CONVENTIONS) == {"timm", "torch", "dinov2", "megatron", "megatron_max_lr"}


def test_a_convention_without_a_floor_has_no_key_for_one():
    torch = CONVENTIONS["torch"]
    keys = conventions.rate_keys(torch, 0.5, 1.0, 0.1, decays=True, is_last=False)
    assert keys == {"lr": 0.5}


def test_a_least_rate_below_nothing_is_refused():
    with pytest.raises(InvalidArgumentError, match="min_lr must be"):
        rate_keys(lr=0.1, min_lr=-0.1, convention="megatron")

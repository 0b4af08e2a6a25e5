"""Muon is for matrices: what timm's and torch's do with the other parameters of the groups."""

import pytest
import torch
from timm.optim import create_optimizer_v2, list_optimizers
from torch.optim.lr_scheduler import LambdaLR

from lrd_registry import assign_layers, build_param_groups, verify_learning_rates
from tests.support.trainers.tiny import (
    IMAGES,
    LAYER_DECAY,
    LR,
    STEPS,
    TIMM_VIT,
    base,
    by_prefix,
    check_rates,
    factor,
    rates,
    take_step,
    timm_vit,
)

pytestmark = [pytest.mark.engine, pytest.mark.library]

TIMMS = [
    pytest.param(
        name, marks=pytest.mark.skipif(name not in list_optimizers(), reason="not in this timm")
    )
    for name in ("muon", "nmuon", "adamuon", "nadamuon")
]
CONV = "patch_embed.proj.weight"


def routes(model, opt, **options):
    """Whether timm updates each parameter by Muon, and not by its fallback, AdamW."""
    optimizer = create_optimizer_v2(model, opt, lr=LR, **options)
    take_step(model, optimizer, IMAGES)
    return {name: optimizer.state[p]["use_muon"] for name, p in model.named_parameters()}


@pytest.mark.parametrize("opt", TIMMS)
def test_timms_chooses_by_shape_within_a_group(opt):
    model = timm_vit()
    by_muon = routes(model, opt, param_group_fn=build_param_groups)
    matrices = {name for name, p in model.named_parameters() if p.ndim in (2, 4)}
    too_small = {"head.weight"}  # 3 x 64; the least side is 4
    assert {name for name, muon in by_muon.items() if muon} == matrices - too_small


@pytest.mark.parametrize("opt", TIMMS)
def test_timms_fallback_list_does_not_reach_the_groups_but_a_key_in_them_does(opt):
    def with_key(model):
        return [g | {"use_fallback": g["layer"] == 0} for g in build_param_groups(model)]

    options = {"fallback_list": [CONV], "param_group_fn": build_param_groups}
    assert routes(timm_vit(), opt, **options)[CONV]
    assert not routes(timm_vit(), opt, param_group_fn=with_key)[CONV]


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="not in this torch")
def test_torchs_takes_the_matrices_and_adamw_the_rest_at_the_layers_of_the_whole_model():
    model = timm_vit()
    layers = assign_layers(model, "vit")
    named = list(model.named_parameters())
    parts = [
        [(name, p) for name, p in named if (p.ndim == 2) == wanted] for wanted in (True, False)
    ]
    optimizers = [
        kind(build_param_groups(part, layers, layer_decay=LAYER_DECAY, lr=LR))
        for kind, part in zip((torch.optim.Muon, torch.optim.AdamW), parts, strict=True)
    ]
    schedulers = [LambdaLR(optimizer, factor) for optimizer in optimizers]
    steps = []
    for _ in range(STEPS):
        steps.append(rates(optimizers[0], model) | rates(optimizers[1], model))
        take_step(model, optimizers[0], IMAGES)
        optimizers[1].step()
        for scheduler in schedulers:
            scheduler.step()
    check_rates(steps, by_prefix(model, TIMM_VIT), base)
    for optimizer, part, scheduler in zip(optimizers, parts, schedulers, strict=True):
        verify_learning_rates(optimizer, layers, LR, scheduler, layer_decay=LAYER_DECAY, model=part)

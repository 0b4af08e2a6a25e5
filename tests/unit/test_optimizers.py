"""The groups go into torch's optimizers as they are, and move parameters by their scale."""

import pytest
import timm
import torch
from torch import nn

from lrd_registry import build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping({"arch": "mine", "layers": [{"stem": "0.**"}, {"head": "1.**"}]})


@pytest.fixture
def vit():
    return timm.create_model("test_vit", num_classes=3)


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_torch_optimizers_take_the_groups_and_step(vit, optimizer):
    built = optimizer(build_param_groups(vit, arch="vit", lr=0.1), lr=0.1)
    assert sum(len(group["params"]) for group in built.param_groups) == len(list(vit.parameters()))
    before = [p.detach().clone() for p in vit.parameters()]
    size = vit.patch_embed.img_size[0]
    vit(torch.randn(2, 3, size, size)).square().mean().backward()
    built.step()
    assert any(not torch.equal(a, b) for a, b in zip(before, vit.parameters(), strict=True))


def test_sgd_moves_each_layer_by_its_scale():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    before = [p.detach().clone() for p in model.parameters()]
    groups = build_param_groups(model, RULES, layer_decay=0.5, weight_decay=0, lr=1.0)
    optimizer = torch.optim.SGD(groups)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    moved = [(a - b).mean().item() for a, b in zip(before, model.parameters(), strict=True)]
    assert moved == pytest.approx([0.5, 1.0])


def test_names_survive_the_state_dict(vit):
    optimizer = torch.optim.AdamW(build_param_groups(vit, lr=0.1))
    names = [n for group in optimizer.state_dict()["param_groups"] for n in group["param_names"]]
    assert sorted(names) == sorted(name for name, _ in vit.named_parameters())

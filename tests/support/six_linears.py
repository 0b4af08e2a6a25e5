"""Six linear layers that train in a moment, for what is saved of their optimizer and resumed."""

import io

import torch
from torch import nn

from lrd_registry import build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping

RULES = rule_set_from_mapping(
    {"arch": "mine", "layers": [{"stem": "stem.**"}, {"block": "{i}.**"}, {"head": "head.**"}]}
)
MODULES = ("stem", "0.fc1", "0.fc2", "1.fc1", "1.fc2", "head")


class Net(nn.Module):
    """Six linear layers of one shape, which are registered in any order and run in one."""

    def __init__(self, order=MODULES):
        super().__init__()
        for name in order:
            block, _, leaf = name.rpartition(".")
            if block and block not in self._modules:
                self.add_module(block, nn.Module())
            self.get_submodule(block).add_module(leaf, nn.Linear(4, 4))
        generator = torch.Generator().manual_seed(0)
        for name in MODULES:
            nn.init.normal_(self.get_submodule(name).weight, generator=generator)
            nn.init.zeros_(self.get_submodule(name).bias)

    def forward(self, x):
        for name in MODULES:
            x = torch.tanh(self.get_submodule(name)(x))
        return x


def net(frozen=(), order=MODULES):
    model = Net(order)
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    return model


def adamw(model, **options):
    options = {"lr": 0.1, "layer_decay": 0.5} | options
    return torch.optim.AdamW(build_param_groups(model, RULES, **options), lr=options["lr"])


def train(model, optimizer, steps, scheduler=None):
    """Train on batches that depend on the number of the step alone."""
    for step in steps:
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def stored(data):
    """What is left of data after it was written to a file and read without trust."""
    file = io.BytesIO()
    torch.save(data, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def state_of(model, optimizer):
    """Parameter name -> state, found through the tensors themselves and not by `param_names`."""
    return {
        name: optimizer.state[p] for name, p in model.named_parameters() if p in optimizer.state
    }


def rates(optimizer):
    return {name: g["lr"] for g in optimizer.param_groups for name in g["param_names"]}

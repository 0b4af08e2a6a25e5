"""A model, the layer of each of its tensors, and steps that wrap it, or modules in it."""

import re

import peft
import torch
from hypothesis import assume
from hypothesis import strategies as st
from peft.tuners.tuners_utils import BaseTuner
from torch import nn
from torch._dynamo import OptimizedModule
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm
from torch.optim.swa_utils import AveragedModel

from tests.support.building import model_with
from tests.support.model_strategies import Case

INSIDE_AN_ADAPTER = re.compile(r"(^|\.)(lora_|ia3_|hada_|parametrizations(\.|$))")
ADAPTERS = {
    "lora": lambda places: peft.LoraConfig(target_modules=places, r=2),
    "dora": lambda places: peft.LoraConfig(target_modules=places, r=2, use_dora=True),
    "ia3": lambda places: peft.IA3Config(target_modules=places, feedforward_modules=[]),
    "loha": lambda places: peft.LoHaConfig(target_modules=places, r=2),
}


class Scaled(nn.Module):
    """A parametrization with parameters of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.mix = nn.Linear(1, 1)

    def forward(self, tensor):
        return self.scale * tensor

    def right_inverse(self, tensor):
        return tensor


class Model(nn.Module):
    """A model with an author: what only holds parameters is read by its names alone."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        self._modules.update(modules)


class Stack:
    """A case's model with linear modules, and what has been put around it.

    Attributes:
        model: the model as it is now.
        layers: the layer of each tensor, by its id.
        told_by_names: whether names alone tell what the author wrote.
    """

    def __init__(self, case: Case, *, scalars: bool = True) -> None:
        parameters = {
            name: nn.Parameter(
                torch.ones(p.shape if scalars else p.shape or 1), requires_grad=p.requires_grad
            )
            for name, p in case.parameters.items()
        }
        self.model = Model(**with_linear_modules(model_with(parameters))._modules)
        self.told_by_names = True
        self._kept: list[nn.Parameter] = []  # so that no other tensor gets the id of one
        self.layers: dict[int, int] = {}
        for name, parameter in self.model.named_parameters():
            self.add(parameter, case.layers[name])

    def add(self, parameter: nn.Parameter, layer: int) -> None:
        """A tensor that is in this layer, unless it is known already."""
        self._kept.append(parameter)
        self.layers.setdefault(id(parameter), layer)

    def expected(self) -> dict[str, int]:
        return {name: self.layers[id(p)] for name, p in self.model.named_parameters()}

    def places(self) -> dict[str, nn.Module]:
        """The modules that are no part of an adapter."""
        found = dict(self.model.named_modules())
        return {name: m for name, m in found.items() if not INSIDE_AN_ADAPTER.search(name)}

    def put(self, path: str, module: nn.Module) -> None:
        """Put a module in the place of another."""
        parent, _, own = path.rpartition(".")
        if path:
            self.model.get_submodule(parent)._modules[own] = module
        else:
            self.model = module


def with_linear_modules(model: nn.Module) -> nn.Module:
    """The same names, with a linear module wherever there is a weight."""
    for name, child in list(model._modules.items()):
        child = with_linear_modules(child)
        own = dict(child._parameters)
        if "weight" in own:
            linear = nn.Linear(2, 2, bias="bias" in own)
            linear._modules.update(child._modules)
            linear._parameters.update({k: p for k, p in own.items() if k not in ("weight", "bias")})
            for key in own.keys() & {"weight", "bias"}:
                linear._parameters[key].requires_grad_(own[key].requires_grad)
            model._modules[name] = linear
    return model


def around(wrap, *, leading=False):
    """A step that wraps the model, or a module in it; `leading`: as names tell only of a model."""

    def step(stack: Stack, draw) -> None:
        places = {path: m for path, m in stack.places().items() if may_be_wrapped(m)}
        assume(places)
        path = draw(st.sampled_from(sorted(places)))
        stack.put(path, wrap(places[path]))
        stack.told_by_names &= not (leading and path)

    return step


def may_be_wrapped(module: nn.Module) -> bool:
    """DDP wants something to train, and PEFT its own; what is compiled twice cannot be copied."""
    refused = isinstance(module, (OptimizedModule, BaseTuner))
    return not refused and any(p.requires_grad for p in module.parameters())


def average(stack: Stack, draw) -> None:
    """The averaged copy in place of the model; what DDP has set up cannot be copied."""
    del draw
    assume(not any(isinstance(m, DistributedDataParallel) for m in stack.model.modules()))
    copy = AveragedModel(stack.model)
    for old, new in zip(stack.model.parameters(), copy.parameters(), strict=True):
        stack.add(new, stack.layers[id(old)])
    stack.model = copy


def adapt(stack: Stack, draw, *, injected=False) -> None:
    """PEFT's adapters of some linear modules."""
    linear = {name: m for name, m in stack.places().items() if is_adaptable(name, m)}
    assume(linear)
    chosen = sorted(draw(st.sets(st.sampled_from(sorted(linear)), min_size=1, max_size=4)))
    config = ADAPTERS[draw(st.sampled_from(sorted(ADAPTERS)))]("|".join(map(re.escape, chosen)))
    layers = {name: stack.layers[id(linear[name].weight)] for name in chosen}
    if injected:
        start = ""
        peft.inject_adapter_in_model(config, stack.model)
        stack.told_by_names = False
    else:
        start = "base_model.model."
        stack.model = peft.get_peft_model(stack.model, config)
    for name, layer in layers.items():
        for parameter in stack.model.get_submodule(start + name).parameters():
            stack.add(parameter, layer)


def is_adaptable(name: str, module: nn.Module) -> bool:
    return type(module) is nn.Linear and not module._modules and "base_layer" not in name


def inject(stack: Stack, draw) -> None:
    """The same, in the model itself."""
    adapt(stack, draw, injected=True)


def parametrized(stack: Stack, draw) -> None:
    """One tensor is made of others."""
    owners = [
        (path, own)
        for path, module in stack.places().items()
        for own, parameter in module._parameters.items()
        if parameter is not None
    ]
    assume(owners)
    path, own = draw(st.sampled_from(sorted(owners)))
    module = stack.model.get_submodule(path)
    layer = stack.layers[id(module._parameters[own])]
    if own == "weight" and draw(st.booleans()):
        weight_norm(module)
    else:
        parametrize.register_parametrization(module, own, Scaled())
    for parameter in module.parametrizations[own].parameters():
        stack.add(parameter, layer)


STEPS = {
    "compile": around(torch.compile),
    "checkpoint": around(checkpoint_wrapper),
    "DataParallel": around(nn.DataParallel, leading=True),
    "DDP": around(DistributedDataParallel, leading=True),
    "average": average,
    "adapt": adapt,
    "inject": inject,
    "parametrize": parametrized,
}

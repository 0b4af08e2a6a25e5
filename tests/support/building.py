"""Models on the meta device: timm's, and stand-ins made from parameter names and shapes."""

from collections.abc import Callable, Iterable, Mapping

import timm
import torch
from torch import nn

from lrd_registry.models.on_meta import call_on_meta


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape, device="meta"))


def model_with(parameters: Mapping[str, nn.Parameter] | Iterable[str]) -> nn.Module:
    """A module whose parameters have these names; those given by name alone are 2 x 2."""
    if not isinstance(parameters, Mapping):
        parameters = {name: parameter(2, 2) for name in parameters}
    root = nn.Module()
    for name, value in parameters.items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module._modules[part]
        module.register_parameter(leaf, value)
    return root


def on_meta(make: Callable[..., nn.Module], *arguments, **options) -> nn.Module:
    """What `make` builds, on the meta device."""
    return call_on_meta(lambda: make(*arguments, **options))


def timm_model(name: str, **options) -> nn.Module:
    """A model of timm's, on the meta device."""
    return on_meta(timm.create_model, name, **options)


def layers_of(assignment) -> dict[str, int]:
    return {name: row.layer for name, row in assignment.items()}

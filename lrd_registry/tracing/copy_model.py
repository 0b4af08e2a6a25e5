"""A model's structure without its memory: a copy whose tensors are stand-ins."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lrd_registry.model_names.wrappers import class_names, wrapper_of


def on_meta(tensor: Tensor) -> Tensor:
    """A tensor of the same shape, without memory."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def with_its_data(tensor: Tensor) -> Tensor:
    """A tensor of the same values, in memory of its own."""
    return tensor.detach().clone()


def structural_copy(
    model: nn.Module, stand_in: Callable[[Tensor], Tensor]
) -> tuple[nn.Module, list[nn.Parameter]]:
    """Copy a model in eval mode, with stand-ins for its parameters, its buffers and all tensors.

    What wraps the model or its modules (DDP, `torch.compile`, checkpointing) is left away, and so
    are hooks that a copy would share with the model: a plain function could act outside of it.
    Those that transformers installs at a model's first forward pass are a part of the pass: they
    collect its hidden states, and a flag in the model says that they are there.

    Returns:
        The copy, and its parameters in the order of `model.named_parameters()`.
    """
    parameters = [
        nn.Parameter(stand_in(parameter), requires_grad=parameter.requires_grad)
        for parameter in model.parameters()
    ]
    memo: dict[int, Any] = dict(zip(map(id, model.parameters()), parameters, strict=True))
    memo |= {id(source): _same_chance(source) for source in _generators(model)}
    with _StandIns(stand_in):
        for module in reversed(list(model.modules())):  # the inner before the outer
            if (inner := _wrapped(module)) is not None:
                memo[id(module)] = copy.deepcopy(inner, memo)
        copied = copy.deepcopy(model, memo)
    _take_off(copied, {id(hook) for hooks in _hooks(model) for hook in hooks.values()})
    copied.eval()  # which may return nothing
    return copied, parameters


class _StandIns(TorchFunctionMode):
    """Has `copy.deepcopy` make stand-ins of tensors."""

    def __init__(self, stand_in: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stand_in = stand_in

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, unless it copies a tensor."""
        if func is Tensor.__deepcopy__:
            tensor, memo = args
            return memo.setdefault(id(tensor), self.stand_in(tensor))
        return func(*args, **(kwargs or {}))


def _generators(model: nn.Module) -> Iterator[torch.Generator]:
    """The sources of chance that modules keep; what they hold of themselves is a tensor."""
    for module in model.modules():
        yield from (kept for kept in vars(module).values() if isinstance(kept, torch.Generator))


def _same_chance(source: torch.Generator) -> torch.Generator:
    return torch.Generator(source.device).set_state(source.get_state())


def _wrapped(module: nn.Module) -> nn.Module | None:
    """What a module wraps; PEFT's are no mere wrappers, as what they add is run too."""
    kind: type = type(module)
    wrapper = wrapper_of(kind)
    if wrapper is None or any(name.startswith("peft.") for name in class_names(kind)):
        return None
    held = (module._modules.get(name) for name in wrapper.held)
    return next((inner for inner in held if inner is not None), None)


def _hooks(model: nn.Module) -> Iterator[dict[int, Any]]:
    for module in model.modules():
        yield module._forward_pre_hooks
        yield module._forward_hooks


def _take_off(copied: nn.Module, shared: set[int]) -> None:
    for hooks in _hooks(copied):
        for key in [key for key, hook in hooks.items() if id(hook) in shared and _is_foreign(hook)]:
            del hooks[key]


def _is_foreign(hook: Any) -> bool:
    return not str(getattr(hook, "__module__", "")).startswith("transformers.")

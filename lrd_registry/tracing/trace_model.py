"""The order in which a model uses its parameters, found by running it once."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lrd_registry.errors import InvalidArgumentError, ModelError, Needs, TraceError
from lrd_registry.tracing.arguments import Arguments, described
from lrd_registry.tracing.copy_model import on_meta, structural_copy, with_its_data
from lrd_registry.tracing.example_inputs import (
    Inputs,
    arguments_to_try,
    given_arguments,
    hold_data,
)
from lrd_registry.tracing.failures import failure, lacks_data, phrase, trace_error
from lrd_registry.tracing.one_device import OneDevice
from lrd_registry.tracing.recorder import Recorder
from lrd_registry.tracing.result import Trace


def trace(model: nn.Module, inputs: Inputs | None = None) -> Trace:
    """Run one forward pass, and find which parameters it uses, when, and after which others.

    A copy of the model's structure is run, in eval mode, on the meta device: no weight is read or
    copied, nothing is computed, and the model, its buffers, its mode and the random state stay
    as they are. What wraps the model is left away, and hooks that are plain functions are not run.

    One parameter comes before another where the other *depends* on it, and not the reverse. A
    parameter is used where it meets data: the input, or what was computed from it. The use
    depends on every parameter from which this data was computed. Thus blocks one after another
    are ordered, also through residual connections, and parallel branches are not, whichever of
    them runs first, until something takes the output of both. What is computed from parameters
    alone (a standardised weight, a relative position bias, learnt queries) orders nothing by
    itself; meeting data is a use of all that it was computed from. A parameter used several times,
    such as a tied weight or a shared bias, depends on what any of its uses depends on.

    Tensors are followed by their memory. Where data is written into a part of a tensor, its other
    parts count as computed from it too.

    Args:
        model: any module, also wrapped.
        inputs: what the model takes: a tensor, a shape (a tuple of integers), a list of these, or
            a mapping by argument name; what is neither is handed on as it is. Left out: what the
            model says of itself, as models of timm, transformers, torchvision and open_clip do.
            A shape stands for numbers without data, or for real tokens, masks or positions where
            the argument is called so (`input_ids`, `attention_mask`), as models look at these.
            With tensors that hold data, the weights are copied, and the pass is computed; a
            model that looks at what it computes can only be traced so.

    Raises:
        TraceError: the model does not say what it takes; or the forward pass fails, or needs
            data, as `if x.sum() > 0` does: the operation is named.
        ModelError: the model cannot be copied, or is TorchScript.
        InvalidArgumentError: the inputs are of no such form.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> found = trace(net, (1, 2))
    >>> found.order(), found.comes_before("0.weight", "2.weight")
    (['0.weight', '0.bias', '2.weight', '2.bias'], True)
    """
    if not isinstance(model, nn.Module):
        raise InvalidArgumentError(f"expected a torch.nn.Module, found {type(model).__name__}")
    _check_not_scripted(model)
    if inputs is not None:
        stand_in = with_its_data if hold_data(inputs) else on_meta
        return _pass(model, given_arguments(inputs, model), stand_in)
    return _pass_on_examples(model)


def _pass_on_examples(model: nn.Module) -> Trace:
    """On the fullest arguments that the pass succeeds with; the error is that of the fullest."""
    asked, _ = _copy(model, on_meta)
    errors: list[TraceError] = []
    with _nothing_changed(((), {})):
        for made in arguments_to_try(asked):
            result = _tried(model, made)
            if isinstance(result, Trace):
                return result
            errors.append(result)
    raise errors[0]


def _tried(model: nn.Module, made: Arguments) -> Trace | TraceError:
    try:
        return _pass(model, made, on_meta, are_made=True)
    except TraceError as error:
        return error


def _pass(
    model: nn.Module, arguments: Arguments, stand_in: Any, *, are_made: bool = False
) -> Trace:
    names = [name for name, _ in model.named_parameters()]
    copied, parameters = _copy(model, stand_in)
    recorder = Recorder(parameters, [x for x in tree_leaves(arguments) if isinstance(x, Tensor)])
    recorder.modules.watch(copied)
    try:
        _run(copied, arguments, recorder)
    except Exception as error:
        raise _failed(model, error, recorder, arguments if are_made else None) from error
    return recorder.trace(names)


def _failed(
    model: nn.Module, error: Exception, recorder: Recorder, made: Arguments | None
) -> TraceError:
    """Why the pass failed; `made` are the arguments that nobody gave."""
    why = f"{type(model).__name__} cannot be traced"
    why += failure(error, recorder.running, recorder.modules.path[-1])
    if lacks_data(error):
        return trace_error(why, _lacking(model, recorder))
    if made is None:
        return trace_error(why, None)
    return trace_error(f"{why}{described(made)}", "inputs")


def _lacking(model: nn.Module, recorder: Recorder) -> Needs:
    """Real inputs are enough for what looks at inputs alone, or where the weights are there."""
    looks_at_inputs = recorder.running is not None and recorder.takes_inputs_alone()
    return "data" if looks_at_inputs or not _is_on_meta(model) else "weights"


def _check_not_scripted(model: nn.Module) -> None:
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise ModelError(
                f"{path or 'the model'} is TorchScript, which cannot be traced; trace the module "
                "that it was made from"
            )


def _is_on_meta(model: nn.Module) -> bool:
    return any(parameter.is_meta for parameter in model.parameters())


def _copy(model: nn.Module, stand_in: Any) -> tuple[nn.Module, list[nn.Parameter]]:
    try:
        return structural_copy(model, stand_in)
    except Exception as error:
        raise ModelError(
            f"{type(model).__name__} cannot be copied to be traced: {_why_no_copy(model, error)}"
        ) from error


def _why_no_copy(model: nn.Module, error: Exception) -> str:
    lazy = [name for name, p in model.named_parameters() if hasattr(type(p), "materialize")]
    if lazy:
        return (
            f"the shape of {lazy[0]!r} is not known yet; run the model once on an input, or build "
            "it with its sizes"
        )
    return (
        f"{phrase(error)}; trace it before it is sharded or wrapped, and without what "
        "copy.deepcopy cannot copy"
    )


def _run(model: nn.Module, arguments: Arguments, recorder: Recorder) -> None:
    positional, by_name = arguments
    with _nothing_changed(arguments), recorder, OneDevice(recorder.without_data):
        output = model(*positional, **by_name)
    recorder.hand_out(output)


@contextmanager
def _nothing_changed(arguments: Arguments) -> Iterator[None]:
    """Keep gradients off, warnings quiet, and the random state as it was."""
    devices = {x.device for x in tree_leaves(arguments) if isinstance(x, Tensor) and x.is_cuda}
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=list(devices)))
        stack.callback(random.setstate, random.getstate())
        if numpy := sys.modules.get("numpy"):
            stack.callback(numpy.random.set_state, numpy.random.get_state())
        stack.enter_context(torch.no_grad())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield

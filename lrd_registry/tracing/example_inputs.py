"""What a forward pass is given: the caller's inputs, or what the model says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.model_names.wrappers import unwrap
from lrd_registry.tracing.arguments import Arguments, float_dtype, image, tokens
from lrd_registry.tracing.failures import phrase, trace_error
from lrd_registry.tracing.tokens import made_whole
from lrd_registry.tracing.transformers_inputs import transformers_arguments

Inputs: TypeAlias = "Tensor | Sequence[Any] | Mapping[str, Any]"
"""A tensor, a shape, a sequence of these, or a mapping of these by argument name."""


def given_arguments(inputs: Inputs, model: nn.Module) -> Arguments:
    """The caller's inputs as arguments; shapes become tensors.

    A shape stands for numbers of the model's type on the meta device, or for what `made_whole`
    makes of the argument's name, such as real tokens for `input_ids`. Where it comes by position,
    that is the name in the model's `forward`.

    Raises:
        InvalidArgumentError: the inputs are none of the forms.

    >>> positional, by_name = given_arguments({"input_ids": (2, 7), "packed": True}, nn.ReLU())
    >>> by_name["input_ids"].shape, by_name["input_ids"].dtype, by_name["packed"]
    (torch.Size([2, 7]), torch.int64, True)
    """
    if isinstance(inputs, Mapping):
        return (), {str(name): _argument(v, model, str(name)) for name, v in inputs.items()}
    if isinstance(inputs, Tensor) or _is_shape(inputs):
        inputs = [inputs]
    if isinstance(inputs, (list, tuple)):
        pairs = zip(inputs, chain(_positional(model), repeat("")), strict=False)
        return tuple(_argument(value, model, name) for value, name in pairs), {}
    raise InvalidArgumentError(
        "inputs are a tensor, a shape such as (2, 3, 224, 224), a list of these, or a mapping by "
        f"argument name; found {type(inputs).__name__}"
    )


def hold_data(inputs: Inputs) -> bool:
    """Whether the caller gave a tensor that is not on the meta device."""
    if isinstance(inputs, Tensor):
        return not inputs.is_meta
    if isinstance(inputs, Mapping):
        return any(map(hold_data, inputs.values()))
    return isinstance(inputs, (list, tuple)) and any(map(hold_data, inputs))


def _positional(model: nn.Module) -> list[str]:
    """What a model's forward calls that which it takes by position."""
    try:
        parameters = inspect.signature(unwrap(model).forward).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def arguments_of(model: nn.Module) -> Arguments:
    """The arguments that a model says it takes, in full.

    Raises:
        TraceError: as for `arguments_to_try`.
    """
    return next(arguments_to_try(model))


def arguments_to_try(model: nn.Module) -> Iterator[Arguments]:
    """The arguments that a model says it takes: in full, and then the least that it asks for.

    The model may be run in part, to see how much it makes of an image.

    Raises:
        TraceError: it does not say, or what it says cannot be understood.
    """
    inner = unwrap(model)
    what = f"{type(inner).__name__} does not say what it takes"
    is_said = False
    for source in (_timm, transformers_arguments, _torchvision, _open_clip):
        try:
            for arguments in source(inner):
                is_said = True
                yield arguments
        except Exception as error:  # of a configuration that is not as the library's others are
            if is_said:
                return  # what was said may do
            raise trace_error(f"{what} in the usual way ({phrase(error)})", "inputs") from error
        if is_said:
            return
    libraries = "timm, transformers, torchvision and open_clip"
    raise trace_error(f"{what}, as models of {libraries} do", "inputs")


def _is_shape(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(type(size) is int for size in value)


def _argument(value: Any, model: nn.Module, name: str) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _argument(inner, model, str(key)) for key, inner in value.items()}
    if _is_shape(value):
        return _of_shape(value, model, name)
    return value


def _of_shape(shape: tuple[int, ...], model: nn.Module, name: str) -> Tensor:
    try:
        whole = made_whole(unwrap(model), name, shape)
        numbers = torch.empty(shape, dtype=float_dtype(model), device="meta")
    except RuntimeError as error:  # a size is negative, or too large
        raise InvalidArgumentError(f"inputs: no tensor has the shape {shape}") from error
    return numbers if whole is None else whole


def _timm(model: nn.Module) -> Iterator[Arguments]:
    """An image of `input_size`, with the channels that the first convolution takes."""
    config = getattr(model, "pretrained_cfg", None)
    if not isinstance(config, Mapping) or "input_size" not in config:
        return
    channels, height, width = config["input_size"]
    first = config.get("first_conv")
    if isinstance(first, str) and (own := _channels(model, first)) % channels:
        channels = own  # and where own is a multiple, the stem folds pixels into channels
    embedding = getattr(model, "patch_embed", None)
    height, width = getattr(embedding, "img_size", None) or (height, width)
    yield (image(model, channels, height, width),), {}


def _channels(model: nn.Module, path: str) -> int:
    """What a convolution takes; 0 where there is none."""
    try:
        return int(getattr(model.get_submodule(path), "in_channels", 0))
    except AttributeError:
        return 0


def _torchvision(model: nn.Module) -> Iterator[Arguments]:
    """An image or a clip of the size that the library's weights of this class were trained on."""
    home = type(model).__module__
    if not home.startswith("torchvision.models."):
        return
    size = getattr(model, "image_size", 299 if home.endswith(".inception") else 224)
    frames = (16,) if ".video." in home else ()
    yield (image(model, 3, *frames, size, size),), {}


def _open_clip(model: nn.Module) -> Iterator[Arguments]:
    """An image, or a text, or both."""
    if not type(model).__module__.startswith("open_clip."):
        return
    visual: Any = getattr(model, "visual", model)
    size = getattr(visual, "image_size", None)
    length = getattr(model, "context_length", None) or getattr(model, "num_pos", None)
    height, width = size if isinstance(size, tuple) else (size, size)
    images = [image(model, 3, height, width)] if size else []
    texts = [tokens(length)] if length else []
    if images or texts:
        yield (*images, *texts), {}

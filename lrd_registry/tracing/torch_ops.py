"""What one operation of torch takes, and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor


def tensors_in(values: Iterable[Any]) -> Iterator[Tensor]:
    """The tensors among some values, and in lists of them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


META = torch.device("meta")

aten = torch.ops.aten
COUNTED_OUT = {
    aten.ones.default,
    aten.arange.default,
    aten.arange.start,
    aten.arange.start_step,
}


FILLED = {aten.empty.memory_format, aten.zeros.default, aten.full.default}
"""Operations whose result a model may fill with what it counts, if it is of whole numbers."""

BY_INDEX = {
    aten.embedding.default,
    aten._embedding_bag.default,
    aten._embedding_bag_forward_only.default,
}
"""Operations that look up rows of their first argument, at whole numbers in the next two."""


IN_BFLOAT16 = {"aten::_grouped_mm"}
"""Operations whose kernel without data takes no other numbers, as the one on the GPU once did."""


def run(
    operation: Any,
    args: Sequence[Any],
    options: Mapping[str, Any],
    has_no_data: Callable[[Tensor], bool],
) -> tuple[Any, bool]:
    """Run an operation, also one that mixes data on the meta device with constants on the CPU.

    What a model counts out itself, such as a mask without a gap, or from real tokens, it may read.
    So that is made on the CPU, and stays there where it is moved; operations that mix it with data
    see its shape, and of a mask that picks data also how much it picks. What is on the meta device
    stays there too.

    Args:
        operation: of torch.
        args: what it takes by position.
        options: what it takes by name.
        has_no_data: whether a tensor has no values, or had other ones.

    Returns:
        What the operation gives, and whether it ran without data.
    """
    tensors = list(tensors_in([*args, *options.values()]))
    without_data = any(map(has_no_data, tensors))
    if operation is aten._to_copy.default or _counts(operation, options):
        options = {name: _staying(value, without_data) for name, value in options.items()}
    if without_data and not all(tensor.is_meta for tensor in tensors):
        if operation is aten.index.Tensor:
            args = [args[0], list(_counted_out(args[1], has_no_data))]
        args = [_on_meta(value) for value in args]
        options = {name: _on_meta(value) for name, value in options.items()}
    if without_data and operation in BY_INDEX:
        args = [args[0], *map(_whole, args[1:3]), *args[3:]]
    if without_data and operation._schema.name in IN_BFLOAT16:
        return _in_bfloat16(operation, args, options), True
    return operation(*args, **options), without_data


def _counts(operation: Any, options: Mapping[str, Any]) -> bool:
    """Whether a model makes numbers that it counts out itself."""
    dtype = options.get("dtype")
    is_whole = dtype is not None and not (dtype.is_floating_point or dtype.is_complex)
    return operation in COUNTED_OUT or (operation in FILLED and is_whole)


def _whole(value: Any) -> Any:
    """A shape that somebody gave for tokens stands for numbers of the model's type."""
    return value.long() if isinstance(value, Tensor) and value.is_meta else value


def _in_bfloat16(operation: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Tensor:
    """The result has the numbers of the first argument: there is no data, so nothing is lost."""
    cast = [
        value.to(torch.bfloat16)
        if isinstance(value, Tensor) and value.is_floating_point()
        else value
        for value in args
    ]
    result: Tensor = operation(*cast, **options).to(args[0].dtype)
    return result


def _staying(value: Any, without_data: bool) -> Any:
    """In place of a device, the one that keeps what is without data and what is counted out."""
    if not isinstance(value, torch.device):
        return value
    if without_data:
        return META
    return torch.device("cpu") if value == META else value


def _counted_out(
    indices: Iterable[Tensor | None], has_no_data: Callable[[Tensor], bool]
) -> Iterator[Tensor | None]:
    """Indices with the positions at which a mask is set in its place, where it can be read."""
    for index in indices:
        if index is not None and index.dtype is torch.bool and not has_no_data(index):
            yield from index.nonzero(as_tuple=True)
        else:
            yield index


def _on_meta(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.to("meta") if value.dim() else value
    if isinstance(value, (list, tuple)):
        return [_on_meta(inner) for inner in value]
    return value


@lru_cache(maxsize=4096)
def takes_shapes_alone(operation: Any) -> bool:
    """Whether an operation reads nothing but the shape of what it takes.

    >>> takes_shapes_alone(torch.ops.aten.zeros_like.default)
    True
    """
    name = str(operation.overloadpacket).rpartition(".")[2]
    return name.endswith("_like") or name.startswith("new_")


MIXING = ("mm", "conv", "linear", "embedding", "lstm", "gru", "rnn")


@lru_cache(maxsize=4096)
def mixes_channels(operation: Any) -> bool:
    """Whether an operation multiplies by a matrix, or convolves; a table's rows are one, too.

    >>> mixes_channels(torch.ops.aten.addmm.default), mixes_channels(torch.ops.aten.mul.Tensor)
    (True, False)
    """
    name = str(operation.overloadpacket).rpartition(".")[2]
    return any(part in name for part in MIXING)


def is_side_by_side(operation: Any) -> bool:
    """Whether an operation puts what it takes side by side, as a class token and patches."""
    return operation in {aten.cat.default, aten.stack.default}


def written_by(operation: Any, args: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    """What an operation writes in place, of what it takes."""
    return [
        args[position] if position < len(args) else options.get(name)
        for position, name in _written(operation)
    ]


@lru_cache(maxsize=4096)
def _written(operation: Any) -> tuple[tuple[int, str], ...]:
    return tuple(
        (position, argument.name)
        for position, argument in enumerate(operation._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )

"""Watching the operations of a forward pass: which parameters go into each, and after which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lrd_registry.tracing.contents import Content, Contents, storage
from lrd_registry.tracing.copy_model import on_meta
from lrd_registry.tracing.module_steps import ModuleSteps
from lrd_registry.tracing.result import Trace, Use
from lrd_registry.tracing.torch_ops import (
    is_side_by_side,
    mixes_channels,
    run,
    takes_shapes_alone,
    tensors_in,
    written_by,
)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes for every parameter the operations that use it, and what these depend on.

    What an operation gives, or writes, carries the union of the contents of what it takes.

    A parameter is *used* where it meets data: where an operation takes data (the input, or what
    was computed from it) and also the parameter, or something computed from parameters and
    constants alone, such as a transposed or standardised weight, or a bias looked up in a table.
    The use depends on all parameters that the data carries. A parameter that never meets data is
    used where it is taken, and depends on nothing; nor does a token depend on what it is put
    beside.

    Attributes:
        running: the operation that is running, or has failed.
        modules: which of the model's modules are running.

    Args:
        parameters: the model's, in its order.
        inputs: the tensors that are its input.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], inputs: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.running: Any = None
        self._takes: list[Any] = []
        self._step = 0
        self._overwritten: set[StorageWeakRef] = set()
        self._contents = Contents()
        self.modules = ModuleSteps(self._contents)
        self._used: dict[int, tuple[Use, Use]] = {}
        self._taken: dict[int, tuple[Use, Use]] = {}
        self._depends = [0] * len(parameters)
        self._needs = [0] * len(parameters)
        self._weights = sum(1 << bit for bit, p in enumerate(parameters) if p.ndim > 1)
        for tensor in inputs:
            self._contents[tensor] = Content(0, True)
        for bit, parameter in enumerate(parameters):
            self._contents[parameter] = Content(1 << bit, False)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation, and note what it takes and gives."""
        options = dict(kwargs or {})
        self.running, self._takes = func, [*args, *options.values()]
        result, without_data = run(func, args, options, self._has_no_data)
        self.running = None
        written = written_by(func, args, options)
        if without_data:
            self._overwritten.update(map(storage, tensors_in(written)))
        if not takes_shapes_alone(func):
            self._note(func, self._takes, [result, *written])
        self._step += 1
        return result

    def takes_inputs_alone(self) -> bool:
        """Whether what is running takes the input, and nothing that the model holds."""
        without_data = [tensor for tensor in tensors_in(self._takes) if tensor.is_meta]
        return bool(without_data) and all(
            self._contents[tensor][:2] == (0, True) for tensor in without_data
        )

    def without_data(self, tensor: Tensor) -> Tensor:
        """A tensor of the same content on the meta device."""
        moved = on_meta(tensor)
        self._contents[moved] = self._contents[tensor]
        return moved

    def hand_out(self, output: object) -> None:
        """Note the parameters that the model gives back as they are."""
        for tensor in _given(output):
            content = self._contents[tensor]
            if not content.data:
                self._use(self._taken, content.parameters, Use(self._step, "output", ""))

    def trace(self, names: Sequence[str]) -> Trace:
        """What was noted, by the parameters' names in the model's order."""
        by_bit = {**self._taken, **self._used}
        return Trace(
            uses={name: by_bit[bit] for bit, name in enumerate(names) if bit in by_bit},
            unused=tuple(name for bit, name in enumerate(names) if bit not in by_bit),
            depends=_by_name(names, self._depends),
            needs=_by_name(names, self._needs),
            ran=self.modules.ran,
            residual=self.modules.residual,
        )

    def _note(self, func: Any, taken: list[Any], given: list[Any]) -> None:
        data = weights = past = 0
        meets_data = False
        for tensor in tensors_in(taken):
            content = self._contents[tensor]
            meets_data |= content.data
            past |= content.past
            if content.data:
                data |= content.parameters
            else:
                weights |= content.parameters
        if weights:
            use = Use(self._step, str(func.overloadpacket), self.modules.path[-1])
            if not is_side_by_side(func):
                self._depend(weights, data)
            self._use(self._used if meets_data else self._taken, weights, use)
        if weights or meets_data or past:
            past = 0 if weights & self._weights and mixes_channels(func) else past
            for tensor in tensors_in(given):
                self._contents[tensor] = Content(data | weights, meets_data, past)

    def _depend(self, weights: int, data: int) -> None:
        for bit in _bits(weights) if data else ():
            self._depends[bit] |= data
            if bit not in self._used:
                self._needs[bit] |= data

    def _has_no_data(self, tensor: Tensor) -> bool:
        return tensor.is_meta or (bool(self._overwritten) and storage(tensor) in self._overwritten)

    def _use(self, uses: dict[int, tuple[Use, Use]], parameters: int, use: Use) -> None:
        for bit in _bits(parameters):
            first, _ = uses.get(bit, (use, use))
            uses[bit] = (first, use)


def _by_name(names: Sequence[str], sets: Sequence[int]) -> dict[str, frozenset[str]]:
    """Parameter -> the others in its set."""
    return {
        name: frozenset(names[other] for other in _bits(found & ~(1 << bit)))
        for bit, (name, found) in enumerate(zip(names, sets, strict=True))
    }


def _given(output: object) -> Iterator[Tensor]:
    """The tensors in what a model gives, also in dataclasses."""
    for leaf in tree_leaves(output):
        if isinstance(leaf, Tensor):
            yield leaf
        elif is_dataclass(leaf) and not isinstance(leaf, type):
            yield from _given([getattr(leaf, field.name, None) for field in fields(leaf)])


def _bits(parameters: int) -> Iterator[int]:
    while parameters:
        lowest = parameters & -parameters
        yield lowest.bit_length() - 1
        parameters ^= lowest

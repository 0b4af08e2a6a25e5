"""Watching the operations of a forward pass: which parameters go into each, and after which."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lrd_registry.model_names.wrappers import wrapper_of
from lrd_registry.tracing.copy_model import on_meta
from lrd_registry.tracing.torch_ops import (
    is_side_by_side,
    mixes_channels,
    run,
    takes_shapes_alone,
    tensors_in,
    written_by,
)


class Use(NamedTuple):
    """An operation that a parameter goes into.

    Attributes:
        step: the operation's position in the forward pass, from 0.
        operation: such as `aten.convolution`; `output`, where the parameter is handed out as it is.
        module: the path of the module whose forward was running, as its author wrote it
            (`blocks.3.attn`); `""` at the top.
    """

    step: int
    operation: str
    module: str


@dataclass(frozen=True, repr=False)
class Trace:
    """One forward pass of a model, by the names of its parameters, each under its first name.

    `print` shows the order of use in short, by modules and blocks.

    Attributes:
        uses: parameter -> its first and its last use, in the model's order.
        unused: the parameters that the forward pass does not use, in the model's order.
        depends: each parameter -> the others whose output reaches one of its uses.
        needs: each parameter -> the others whose output reaches its first use.
        ran: the paths of the modules that ran.
        residual: module path -> whether it is a residual step: from its input a way leads to what
            the sibling of the next number takes, or without one to its output, past all
            multiplications by a matrix. A list, which does not run, takes what its first module
            takes.
    """

    uses: Mapping[str, tuple[Use, Use]]
    unused: tuple[str, ...]
    depends: Mapping[str, frozenset[str]]
    needs: Mapping[str, frozenset[str]]
    ran: frozenset[str] = frozenset()
    residual: Mapping[str, bool] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((tuple(self.uses), self.unused))

    def __repr__(self) -> str:
        return f"<Trace of {len(self.uses):,} used and {len(self.unused):,} unused parameters>"

    def __str__(self) -> str:
        lines = [" → ".join(dict.fromkeys(map(_short, self.order())))]
        if self.unused:
            lines.append(f"unused: {', '.join(dict.fromkeys(map(_short, self.unused)))}")
        return "\n".join(lines)

    def comes_before(self, one: str, other: str) -> bool:
        """Whether `other` depends on `one` from its first use on, and `one` never on `other`.

        Parameters of parallel branches come in neither order, whichever branch runs first; nor
        do two that are used again and again in turn. What is used again later, such as a bias
        that all blocks share, comes after what its first use depends on.

        Raises:
            KeyError: the model has no parameter of one of these names.
        """
        return other not in self.depends[one] and one in self.needs[other]

    def order(self) -> list[str]:
        """The parameters that are used, by their first use."""
        return sorted(self.uses, key=lambda name: self.uses[name][0].step)


def _short(name: str) -> str:
    """The block that a parameter is in, by the first index in its name; else its module.

    >>> _short("encoder.layer.3.attn.qkv.weight"), _short("norm.pre.weight"), _short("cls_token")
    ('encoder.layer.3', 'norm.pre', 'cls_token')
    """
    segments = name.split(".")
    index = next((place for place, text in enumerate(segments) if text.isdecimal()), None)
    return ".".join(segments[: -1 if index is None else index + 1] or segments)


class Content(NamedTuple):
    """What a tensor was computed from.

    Attributes:
        parameters: a bit for each.
        data: whether the input is among it.
        past: a bit for each module from whose input a way leads here past all matrices.
    """

    parameters: int
    data: bool
    past: int = 0


CONSTANT = Content(0, False)

_LAST_NUMBER = re.compile(r"[0-9]+(?=[^.0-9]*$)")


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes for every parameter the operations that use it, and what these depend on.

    Every storage carries a `Content`, so that views share theirs, and what is written in place
    reaches them. What an operation gives, or writes, carries the union of what it takes.

    A parameter is *used* where it meets data: where an operation takes data (the input, or what
    was computed from it) and also the parameter, or something computed from parameters and
    constants alone, such as a transposed or standardised weight, or a bias looked up in a table.
    The use depends on all parameters that the data carries. A parameter that never meets data is
    used where it is taken, and depends on nothing; nor does a token depend on what it is put
    beside.

    Args:
        parameters: the model's, in its order.
        inputs: the tensors that are its input.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], inputs: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.running: Any = None
        self._takes: list[Any] = []
        self.path: list[str] = [""]
        self._step = 0
        self._overwritten: set[StorageWeakRef] = set()
        self._contents: dict[StorageWeakRef, Content] = {}
        self._used: dict[int, tuple[Use, Use]] = {}
        self._taken: dict[int, tuple[Use, Use]] = {}
        self._depends = [0] * len(parameters)
        self._needs = [0] * len(parameters)
        self._weights = sum(1 << bit for bit, p in enumerate(parameters) if p.ndim > 1)
        self._bit: dict[str, int] = {}
        self._lists: list[list[str]] = [[]]
        self._ran: set[str] = set()
        self._reaches_end: set[str] = set()
        self._reaches_next: defaultdict[str, bool] = defaultdict(bool)
        self._before: dict[str, str] = {}
        for tensor in inputs:
            self._set(tensor, Content(0, True))
        for bit, parameter in enumerate(parameters):
            self._set(parameter, Content(1 << bit, False))

    def watch(self, model: nn.Module) -> None:
        """Follow which of the model's modules is running, by hooks on each."""
        first = {module: path for path, module in reversed(list(_paths(model, "")))}
        self._bit = {path: 1 << number for number, path in enumerate(first.values())}
        for module, path in first.items():
            module.register_forward_pre_hook(
                partial(self._enter, path), prepend=True, with_kwargs=True
            )
            module.register_forward_hook(self._leave)

    def _enter(self, path: str, _: object, args: object, kwargs: object) -> None:
        tensors = list(tensors_in(tree_leaves((args, kwargs))))
        lists = list(_lists_between(self.path[-1], path))
        for entered in [*(found for found in lists if found not in self._lists[-1]), path]:
            self._step_into(entered, tensors)
        self._lists[-1] = lists
        self._lists.append([])
        self.path.append(path)
        self._ran.add(path)

    def _step_into(self, path: str, tensors: Iterable[Tensor]) -> None:
        """Mark what a module takes, and see whether it comes past the one of the number before."""
        form = _LAST_NUMBER.sub("", path)
        before = self._before.get(form, path)
        self._before[form] = path
        for tensor in tensors:
            content = self._get(tensor)
            if before != path:
                self._reaches_next[before] |= bool(content.past & self._bit.get(before, 0))
            self._set(tensor, content._replace(past=content.past | self._bit.get(path, 0)))

    def _leave(self, _: object, __: object, output: object) -> None:
        path = self.path.pop()
        self._lists.pop()
        first = next(tensors_in(tree_leaves(output)), None)  # others are by the way
        if first is not None and self._get(first).past & self._bit[path]:
            self._reaches_end.add(path)

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
            self._overwritten.update(map(_storage, tensors_in(written)))
        if not takes_shapes_alone(func):
            self._note(func, self._takes, [result, *written])
        self._step += 1
        return result

    def takes_inputs_alone(self) -> bool:
        """Whether what is running takes the input, and nothing that the model holds."""
        without_data = [tensor for tensor in tensors_in(self._takes) if tensor.is_meta]
        return bool(without_data) and all(
            self._get(tensor)[:2] == (0, True) for tensor in without_data
        )

    def without_data(self, tensor: Tensor) -> Tensor:
        """A tensor of the same content on the meta device."""
        moved = on_meta(tensor)
        self._set(moved, self._get(tensor))
        return moved

    def hand_out(self, output: object) -> None:
        """Note the parameters that the model gives back as they are."""
        for tensor in _given(output):
            content = self._get(tensor)
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
            residual={path: path in self._reaches_end for path in self._ran} | self._reaches_next,
            ran=frozenset(self._ran),
        )

    def _note(self, func: Any, taken: list[Any], given: list[Any]) -> None:
        data = weights = past = 0
        meets_data = False
        for tensor in tensors_in(taken):
            content = self._get(tensor)
            meets_data |= content.data
            past |= content.past
            if content.data:
                data |= content.parameters
            else:
                weights |= content.parameters
        if weights:
            use = Use(self._step, str(func.overloadpacket), self.path[-1])
            if not is_side_by_side(func):
                self._depend(weights, data)
            self._use(self._used if meets_data else self._taken, weights, use)
        if weights or meets_data or past:
            past = 0 if weights & self._weights and mixes_channels(func) else past
            for tensor in tensors_in(given):
                self._set(tensor, Content(data | weights, meets_data, past))

    def _depend(self, weights: int, data: int) -> None:
        for bit in _bits(weights) if data else ():
            self._depends[bit] |= data
            if bit not in self._used:
                self._needs[bit] |= data

    def _has_no_data(self, tensor: Tensor) -> bool:
        return tensor.is_meta or (bool(self._overwritten) and _storage(tensor) in self._overwritten)

    def _use(self, uses: dict[int, tuple[Use, Use]], parameters: int, use: Use) -> None:
        for bit in _bits(parameters):
            first, _ = uses.get(bit, (use, use))
            uses[bit] = (first, use)

    def _get(self, tensor: Tensor) -> Content:
        return self._contents.get(_storage(tensor), CONSTANT)

    def _set(self, tensor: Tensor, content: Content) -> None:
        self._contents[_storage(tensor)] = content


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


def _paths(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """All modules by path, as their author wrote it."""
    yield path, module
    kind: type = type(module)
    wrapper = wrapper_of(kind)
    held = wrapper.held if wrapper else ()
    for name, child in module.named_children():
        yield from _paths(child, path if name in held else f"{path}.{name}" if path else name)


def _lists_between(outer: str, inner: str) -> Iterator[str]:
    """The paths between a module that runs and one that it calls: lists, which do not run.

    >>> list(_lists_between("encoder", "encoder.layers.3.0"))
    ['encoder.layers', 'encoder.layers.3']
    """
    start = f"{outer}." if outer else ""
    names = inner[len(start) :].split(".") if inner.startswith(start) else []
    yield from (start + ".".join(names[:count]) for count in range(1, len(names)))


def _storage(tensor: Tensor) -> StorageWeakRef:
    """A key that stays its storage's own, without keeping the memory."""
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _bits(parameters: int) -> Iterator[int]:
    while parameters:
        lowest = parameters & -parameters
        yield lowest.bit_length() - 1
        parameters ^= lowest

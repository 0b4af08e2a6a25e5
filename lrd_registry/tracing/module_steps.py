"""Watching a model's modules run: which one is running, and which are residual steps."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from operator import or_

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lrd_registry.model_names.wrappers import wrapper_of
from lrd_registry.tracing.contents import Contents
from lrd_registry.tracing.torch_ops import tensors_in

_LAST_NUMBER = re.compile(r"[0-9]+(?=[^.0-9]*$)")


class ModuleSteps:
    """Follows the modules of a model by hooks on each.

    What a module takes is marked with its bit in `Content.past`; operations carry the marks on,
    but for multiplications by a matrix. A module is a residual step where its mark is on what the
    sibling of the next number takes, or without such a sibling on what it gives. What a sibling
    takes that uses no parameter more than what the module took comes from beside it.

    Attributes:
        path: the paths of the modules that are running, the innermost last.
    """

    def __init__(self, contents: Contents) -> None:
        self.path: list[str] = [""]
        self._contents = contents
        self._bit: dict[str, int] = {}
        self._lists: list[list[str]] = [[]]
        self._reaches_end: dict[str, bool] = {}
        self._reaches_next: defaultdict[str, bool] = defaultdict(bool)
        self._before: dict[str, str] = {}
        self._taken: dict[str, int] = {}

    def watch(self, model: nn.Module) -> None:
        """Put a hook before and after each module's forward."""
        shortest: dict[nn.Module, str] = {}
        for path, module in sorted(_paths(model, ""), key=lambda found: found[0].count(".")):
            shortest.setdefault(module, path)
        self._bit = {path: 1 << number for number, path in enumerate(shortest.values())}
        for module, path in shortest.items():
            module.register_forward_pre_hook(
                partial(self._enter, path), prepend=True, with_kwargs=True
            )
            module.register_forward_hook(self._leave)

    @property
    def ran(self) -> frozenset[str]:
        """The paths of the modules that have run."""
        return frozenset(self._reaches_end)

    @property
    def residual(self) -> dict[str, bool]:
        """Module path -> whether it is a residual step, where that was seen."""
        return self._reaches_end | self._reaches_next

    def _enter(self, path: str, _: object, args: object, kwargs: object) -> None:
        tensors = list(tensors_in(tree_leaves((args, kwargs))))
        lists = list(_lists_between(self.path[-1], path))
        for entered in [*(found for found in lists if found not in self._lists[-1]), path]:
            self._step_into(entered, tensors)
        self._lists[-1] = lists
        self._lists.append([])
        self.path.append(path)

    def _step_into(self, path: str, tensors: Iterable[Tensor]) -> None:
        """Mark what a module takes, and see whether it comes past the one of the number before."""
        form = _LAST_NUMBER.sub("", path)
        before = self._before.get(form, path)
        self._before[form] = path
        self._taken[path] = reduce(or_, (self._contents[t].parameters for t in tensors), 0)
        for tensor in tensors:
            content = self._contents[tensor]
            if before != path and content.parameters & ~self._taken[before]:
                self._reaches_next[before] |= bool(content.past & self._bit.get(before, 0))
            marked = content.past | self._bit.get(path, 0)
            self._contents[tensor] = content._replace(past=marked)

    def _leave(self, _: object, __: object, output: object) -> None:
        path = self.path.pop()
        self._lists.pop()
        first = next(tensors_in(tree_leaves(output)), None)  # others are by the way
        reaches = first is not None and bool(self._contents[first].past & self._bit[path])
        self._reaches_end[path] = self._reaches_end.get(path, False) or reaches


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

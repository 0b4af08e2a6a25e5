"""A module's parameters by the names that its author gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrd_registry.model_names.flattened_lists import children_as_written
from lrd_registry.model_names.reading import INPUT, Reading
from lrd_registry.model_names.walk import Walk
from lrd_registry.model_names.wrappers import Wrapper, is_parametrization, wrapper_of

if TYPE_CHECKING:
    from torch import nn


def read_module(model: nn.Module) -> Reading:
    """The name of each parameter as its author wrote it.

    What a wrapper adds to a name is taken off, by component, and only where the module really
    is that wrapper. An adapter goes by the first parameter of the module that it adapts, prompt
    tokens by `INPUT`.

    >>> from torch import nn
    >>> inner = nn.ModuleDict({"module": nn.Linear(2, 2, bias=False)})
    >>> read_module(nn.DataParallel(inner)).written
    {'module.module.weight': 'module.weight'}
    """
    walk = _Walk()
    walk.visit(model, "", "")
    return Reading(walk.written, walk.adapters, tuple(walk.removed))


class _Walk:
    """One walk through a model, with the names found so far."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        self.adapters: dict[str, tuple[str, ...]] = {}
        self.removed: list[str] = []
        self._sequence: list[str] = []
        self._known: dict[int, str] = {}

    def visit(self, module: nn.Module, name: str, written: str) -> None:
        """Walk through a module; both its prefixes end with a dot, or are empty."""
        kind: type = type(module)
        if wrapper := wrapper_of(kind):
            self._visit_wrapper(wrapper, module, name, written)
        elif is_parametrization(kind):
            self._visit_parametrization(module, name, _parametrized(written))
        else:
            self._note_own(module, name, written)
            for own, child in module._modules.items():
                if child is None:
                    self.removed.append(f"{written}{own}")
                elif child._modules:
                    self.visit(child, f"{name}{own}.", f"{written}{own}.")
                else:  # most modules, which need no call of their own; what holds none wraps none
                    self._note_own(child, f"{name}{own}.", f"{written}{own}.")

    def _note_own(self, module: nn.Module, name: str, written: str) -> None:
        """What a module holds that changes no names."""
        for own, parameter in module._parameters.items():
            if parameter is not None:
                self.written[name + own] = as_written = written + own
                self._sequence.append(as_written)
                self._known.setdefault(id(parameter), as_written)

    def _visit_parametrization(self, module: nn.Module, name: str, tensor: str) -> None:
        """A tensor, in one piece or several, and the modules that make it from them."""
        for own in _own(module):
            self._note(f"{name}{own}", tensor)
        for own, child in _children(module).items():
            self._visit_beside(child, f"{name}{own}.", tensor)

    def _visit_wrapper(self, wrapper: Wrapper, module: nn.Module, name: str, written: str) -> None:
        others = _children(module)
        held = {own: others.pop(own) for own in wrapper.held if own in others}
        before = len(self._sequence)
        for own, child in held.items():
            self.visit(child, f"{name}{own}.", written)
        adapted = self._adapted(wrapper, module, written, before)
        self._note_beside(module, name, adapted)
        spelled = children_as_written(module) if wrapper.flattens else {}
        for own, child in others.items():
            inner = f"{name}{own}."
            if wrapper.flattens:
                self.visit(child, inner, f"{written}{spelled[own]}.")
            elif own in wrapper.copies:
                for key, copy in _children(child).items():
                    self.visit(copy, f"{inner}{key}.", written)
            elif own in wrapper.inputs:
                for below in Walk().through(child).by_name:
                    self._note(f"{inner}{below}", INPUT)
            else:
                self._visit_beside(child, inner, adapted)

    def _adapted(
        self, wrapper: Wrapper, module: nn.Module, written: str, before: int
    ) -> str | None:
        """The parameter for which a wrapper's adapters stand."""
        if not wrapper.adapts:
            return None
        if wrapper.adapted:
            return f"{written}{getattr(module, wrapper.adapted)}"
        return self._sequence[before] if before < len(self._sequence) else None

    def _note(self, name: str, written: str) -> None:
        self.written[name] = written
        self._sequence.append(written)

    def _visit_beside(self, module: nn.Module, name: str, adapted: str | None) -> None:
        """A module beside what a wrapper holds: adapters, or known parameters once more."""
        self._note_beside(module, name, adapted)
        for own, child in _children(module).items():
            self._visit_beside(child, f"{name}{own}.", adapted)

    def _note_beside(self, module: nn.Module, name: str, adapted: str | None) -> None:
        for own, parameter in _own(module).items():
            spelled = f"{name}{own}"
            self._note(spelled, adapted or self._known.get(id(parameter), spelled))
            if adapted:
                self.adapters[spelled] = (adapted,)
                self._known.setdefault(id(parameter), adapted)


def _own(module: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in module._parameters.items() if p is not None}


def _children(module: nn.Module) -> dict[str, nn.Module]:
    return {name: child for name, child in module._modules.items() if child is not None}


def _parametrized(written: str) -> str:
    """`x.weight` for `x.parametrizations.weight.`."""
    *path, _, tensor = written[:-1].split(".")
    return ".".join([*path, tensor])

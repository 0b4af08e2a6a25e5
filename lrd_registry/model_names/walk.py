"""One walk through a module: its parameters by name, and what kinds of modules hold others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Walk:
    """What has been found on the way.

    Attributes:
        by_name: what `named_parameters(remove_duplicate=False)` yields, in its order.
        kinds: the classes of the modules that hold others.
        removed: the paths of modules that were there and have been set to None.
    """

    by_name: dict[str, nn.Parameter] = field(default_factory=dict)
    kinds: set[type] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)

    def through(self, module: nn.Module, prefix: str = "") -> Walk:
        """Add what a module holds; its names follow a prefix, which ends with a dot or is empty.

        The module's own method passes every parameter through a generator for each level of
        nesting, which takes three times as long as this walk.

        >>> from torch import nn
        >>> walk = Walk().through(nn.Sequential(nn.Linear(2, 2, bias=False)), "net.")
        >>> list(walk.by_name), walk.kinds == {nn.Sequential}
        (['net.0.weight'], True)
        """
        by_name = self.by_name
        self.kinds.add(type(module))
        for name, parameter in module._parameters.items():
            if parameter is not None:
                by_name[prefix + name] = parameter
        for name, child in module._modules.items():
            if child is None:
                self.removed.append(prefix + name)
            elif child._modules:
                self.through(child, f"{prefix}{name}.")
            else:  # most modules, which need no call of their own; what holds none wraps none
                for own, parameter in child._parameters.items():
                    if parameter is not None:
                        by_name[f"{prefix}{name}.{own}"] = parameter
        return self

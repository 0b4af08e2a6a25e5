"""What one forward pass does with each parameter: when it is used, and after which others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


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


@dataclass(frozen=True)
class Trace:
    """One forward pass of a model, by the names of its parameters, each under its first name.

    Attributes:
        uses: parameter -> its first and its last use, in the model's order.
        unused: the parameters that the forward pass does not use, in the model's order.
        depends: each parameter -> the others whose output reaches one of its uses.
    """

    uses: Mapping[str, tuple[Use, Use]] = field(repr=False)
    unused: tuple[str, ...]
    depends: Mapping[str, frozenset[str]] = field(repr=False)

    def comes_before(self, one: str, other: str) -> bool:
        """Whether `other` depends on `one`, and `one` not on `other`.

        Parameters of parallel branches come in neither order, whichever branch runs first; nor
        do two that are used again and again in turn.

        Raises:
            KeyError: the model has no parameter of one of these names.
        """
        return other not in self.depends[one] and one in self.depends[other]

    def order(self) -> list[str]:
        """The parameters that are used, by their first use."""
        return sorted(self.uses, key=lambda name: self.uses[name][0].step)

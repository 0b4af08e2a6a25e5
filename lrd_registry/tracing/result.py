"""The result of tracing a model: which parameters it uses, when, and after which others."""

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

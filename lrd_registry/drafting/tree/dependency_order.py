"""What a trace says of groups of parameters: which comes before which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrd_registry.tracing.result import Trace

NOWHERE = -1


class Order:
    """The order of a trace by first uses, on sets of parameters.

    One parameter comes before another whose first use depends on it. A set is an integer here,
    with a bit for each parameter, so that a question about two large sets is one operation.
    """

    def __init__(self, trace: Trace, written: Mapping[str, str]) -> None:
        """`written` has each parameter's name as its author wrote it, by the model's spelling."""
        self.unused = frozenset(written[name] for name in trace.unused)
        self._uses = {written[name]: uses for name, uses in trace.uses.items()}
        self._bits = {written[name]: 1 << bit for bit, name in enumerate(trace.order())}
        self._residual, self._ran = trace.residual, trace.ran
        self._before = dict.fromkeys(self._bits, 0)
        self._after = dict.fromkeys(self._bits, 0)
        for name, others in trace.needs.items():
            for other in others:
                self._before[written[name]] |= self._bits[written[other]]
                self._after[written[other]] |= self._bits[written[name]]

    def mask(self, names: Iterable[str]) -> int:
        """A set of parameters; those that are not used are in none."""
        mask = 0
        for name in names:
            mask |= self._bits.get(name, 0)
        return mask

    def before(self, names: Iterable[str]) -> int:
        """All that comes before one of these."""
        mask = 0
        for name in names:
            mask |= self._before.get(name, 0)
        return mask

    def after(self, names: Iterable[str]) -> int:
        """All that comes after one of these."""
        mask = 0
        for name in names:
            mask |= self._after.get(name, 0)
        return mask

    def first_step(self, names: Iterable[str]) -> float:
        """When the first of these is used; later than all, if none is."""
        uses = self._uses
        return min((uses[name][0].step for name in names if name in uses), default=float("inf"))

    def is_residual(self, path: str) -> bool | None:
        """Whether a module is a residual step; None where nothing shows it."""
        return self._residual.get(path)

    def runs(self, path: str) -> bool:
        """Whether a module runs itself, unlike a list."""
        return path in self._ran

    def is_last_used_in(self, name: str, module: str) -> bool:
        """Whether a parameter's last use, not its first, is in the module at this path."""
        found = self._uses.get(name)
        return found is not None and found[0].module != found[1].module == module

    def is_used(self, names: Iterable[str]) -> bool:
        """Whether the forward pass uses one of these."""
        return any(name in self._bits for name in names)

    def leads_to(self, one: Sequence[str], other: Sequence[str]) -> bool:
        """Whether something of `one` comes before something of `other`, and nothing after."""
        ones = self.mask(one)
        return bool(ones & self.before(other)) and not ones & self.after(other)

    def are_apart(self, one: Sequence[str], other: Sequence[str]) -> bool:
        """Whether nothing of one comes before or after anything of the other."""
        return not self.mask(one) & (self.before(other) | self.after(other))

    def are_sequential(self, groups: Sequence[Sequence[str]]) -> bool:
        """Whether each group leads to the next; those without a use are passed over."""
        used = [group for group in groups if self.is_used(group)]
        return bool(used) and all(self.leads_to(one, other) for one, other in pairwise(used))

    def range(self, names: Iterable[str], layers: Sequence[int]) -> tuple[int, int]:
        """The lowest and the highest layer in which these contradict no other.

        `layers` has the set of parameters of each layer; the answer is from -1 to their number,
        the first and the last layer that may be put around them.
        """
        before, after = self.before(names), self.after(names)
        low = max((n for n, layer in enumerate(layers) if layer & before), default=NOWHERE)
        high = min((n for n, layer in enumerate(layers) if layer & after), default=len(layers))
        return low, high

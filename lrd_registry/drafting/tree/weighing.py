"""How much of a model something holds: what is small, what is most of it, what is a block."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lrd_registry.drafting.tree.block_stacks import Family, is_repeated

SMALL = 0.05
"""The share of the weights below which a module is not opened: a small head, or a stem."""


LEAST_SHARE = 0.25
LEAST_WEIGHTS = 4
MANY_WEIGHTS = 32
"""What is before all blocks with as many weights, and as large a share of the model's, or with
many, is an encoder of its own, and no stem."""


def is_encoder(own: Collection[str], weights: Collection[str]) -> bool:
    """Whether so many of a model's weights are too many for a stem."""
    is_much = len(own) >= LEAST_SHARE * len(weights)
    return len(own) >= (LEAST_WEIGHTS if is_much else MANY_WEIGHTS)


class Weighing:
    """Weighs parts of one model.

    Attributes:
        weights: the parameters of two or more dimensions; of the others, none makes a block.
        least: how many weights a block has at least.
        share: the share of the weights that a list of single layers has at least.
    """

    def __init__(self, weights: Collection[str], least: int, share: float) -> None:
        self._weights = frozenset(weights)
        self._least = least
        self._share = share

    def is_small(self, names: Iterable[str]) -> bool:
        """Whether these are next to nothing."""
        return self._count(names) < SMALL * len(self._weights)

    def has_several(self, names: Iterable[str]) -> bool:
        """Whether these have the weights of an attention and more: no head's, and no stem's."""
        return self._count(names) >= LEAST_WEIGHTS

    def is_backbone(self, family: Family) -> bool:
        """Whether it is one module with most of the model, whose name has a number: `swinv2`."""
        is_one = len(family.members) == 1 and not family.is_list
        return is_one and self.is_most(family.names, self._weights)

    def is_large(self, family: Family) -> bool:
        """Whether a family of single layers is worth a look: a list of much of the model."""
        is_much = self._count(family.names) >= self._share * len(self._weights)
        return self._least > 1 or (family.is_list and is_much)

    def is_of_blocks(self, family: Family, *, least: int | None = None) -> bool:
        """Whether most members have several weights, and some neighbours are alike.

        In a list with activations between, all have to have some: a norm is no block.
        """
        sizes = [self._count(member.names) for member in family.members.values()]
        large = [size >= (least or self._least) for size in sizes]
        is_of_weights = all(sizes) or not (family.silent or least)
        return 2 * sum(large) >= len(large) and is_of_weights and is_repeated(family)

    def is_most(self, names: Iterable[str], of: Iterable[str]) -> bool:
        """Whether some names have half of the weights or more."""
        return 2 * self._count(names) >= self._count(of)

    def _count(self, names: Iterable[str]) -> int:
        return len(self._weights.intersection(names))

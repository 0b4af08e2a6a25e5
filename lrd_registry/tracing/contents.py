"""What each tensor of a forward pass was computed from, told by its memory."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef


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


class Contents:
    """The content of each storage, so that views share theirs, and what is written in place."""

    def __init__(self) -> None:
        self._of: dict[StorageWeakRef, Content] = {}

    def __getitem__(self, tensor: Tensor) -> Content:
        return self._of.get(storage(tensor), CONSTANT)

    def __setitem__(self, tensor: Tensor, content: Content) -> None:
        self._of[storage(tensor)] = content


def storage(tensor: Tensor) -> StorageWeakRef:
    """A key that stays its storage's own, without keeping the memory."""
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]

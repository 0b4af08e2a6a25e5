"""Constants on the CPU beside data on the meta device, in functions that take one device only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

ONE_DEVICE = re.compile(r"same device", re.IGNORECASE)
"""What torch says where its tensors must be on one device."""


class OneDevice(TorchFunctionMode):
    """Calls a function again, with all of its tensors on the meta device, if it wants one device.

    `torch.stft` looks at the device of its window before any operation is run.

    Args:
        without_data: a tensor of the same content on the meta device.
    """

    def __init__(self, without_data: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._without_data = without_data

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, and once more where it asks for one device."""
        options = dict(kwargs or {})
        try:
            return func(*args, **options)
        except RuntimeError as error:
            if not (ONE_DEVICE.search(str(error)) and _are_mixed((args, options))):
                raise
        args, options = tree_map(self._moved, (args, options))
        return func(*args, **options)

    def _moved(self, value: Any) -> Any:
        return self._without_data(value) if isinstance(value, Tensor) else value


def _are_mixed(values: Any) -> bool:
    return len({value.is_meta for value in tree_leaves(values) if isinstance(value, Tensor)}) > 1

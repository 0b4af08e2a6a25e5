"""Numbers that a model reads while it is built, in spite of the meta device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

NUMBERS = (torch.arange, torch.linspace, torch.tensor)


class NumbersOnCpu(TorchFunctionMode):
    """Keeps on the CPU what was counted out or written down: it is small, and has values.

    torchvision's RegNet computes its widths and depths so, and reads them with `tolist()`.

    >>> with torch.device("meta"), NumbersOnCpu():
    ...     torch.arange(3).tolist(), torch.zeros(3).device
    ([0, 1, 2], device(type='meta'))
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`; where it makes numbers, on the CPU unless a device is named."""
        at = {"device": "cpu"} if func in NUMBERS else {}
        return func(*args, **{**at, **(kwargs or {})})

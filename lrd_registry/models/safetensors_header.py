"""The header of a safetensors file: the tensors' names, shapes and dtypes, without their values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lrd_registry.errors import ModelError
from lrd_registry.models.files import open_file
from lrd_registry.models.importing import import_library


@dataclass(frozen=True)
class TensorHeader:
    """What a header says of one tensor.

    Attributes:
        shape: its size along each dimension.
        dtype: as safetensors writes it, such as `F32` or `BF16`.
    """

    shape: tuple[int, ...]
    dtype: str


def read_header(path: Path) -> dict[str, TensorHeader]:
    """What a safetensors file says of its tensors, by name; none of them is loaded.

    Raises:
        ModelError: the safetensors library is missing, or the file is, or it is no whole
            safetensors file.
    """
    safetensors = import_library("safetensors", str(path))
    open_file(path).close()
    try:
        with safetensors.safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {
                name: TensorHeader(tuple(tensor.get_shape()), tensor.get_dtype())
                for name, tensor in slices.items()
            }
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelError(
            f"{path}: not a whole safetensors file ({error}); copy or download it again"
        ) from None

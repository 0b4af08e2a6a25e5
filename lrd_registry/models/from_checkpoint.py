"""A checkpoint in safetensors, whole or sharded: a model's skeleton from the headers alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lrd_registry.errors import ModelError
from lrd_registry.models.safetensors_header import TensorHeader, read_header
from lrd_registry.models.sharded_index import read_sharded_headers
from lrd_registry.models.skeleton import build_skeleton
from lrd_registry.wording import clip

if TYPE_CHECKING:
    from torch import nn

PICKLED = (".bin", ".pt", ".pth", ".ckpt")
CHECKPOINT_ENDINGS = (".safetensors", ".json", *PICKLED)

FLOATING = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "C64": "complex64",
}
"""What torch calls the dtypes that a parameter can have."""

INTEGER = {"BOOL", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"}


def checkpoint_model(path: Path) -> nn.Module:
    """Build a skeleton from the headers of a checkpoint; no tensor is loaded.

    Tensors of integers and booleans are left out: they have no gradient, so they are buffers,
    such as position ids. Floating-point buffers, such as a running mean, look like parameters
    in a header and are taken for such.

    Args:
        path: a `.safetensors` file, or the `.safetensors.index.json` of one in parts.

    Raises:
        ModelError: the file is missing, damaged or pickled, or holds what no parameter can be.
    """
    if path.name.endswith(PICKLED):
        raise ModelError(
            f"{path}: a {path.suffix} file is a pickle, which can run code when it is read; "
            "convert it to safetensors: safetensors.torch.save_file(state_dict, 'NAME.safetensors')"
        )
    tensors = read_sharded_headers(path) if path.suffix == ".json" else read_header(path)
    parameters = {
        name: _parameter(tensor, name, path)
        for name, tensor in tensors.items()
        if tensor.dtype not in INTEGER
    }
    return build_skeleton(parameters, str(path))


def _parameter(tensor: TensorHeader, name: str, path: Path) -> nn.Parameter:
    import torch

    if tensor.dtype not in FLOATING:
        raise ModelError(
            f"{path}: {name!r} is of dtype {tensor.dtype}; a parameter is of {', '.join(FLOATING)}"
        )
    dtype = getattr(torch, FLOATING[tensor.dtype])
    try:
        return torch.nn.Parameter(torch.empty(tensor.shape, dtype=dtype, device="meta"))
    except (RuntimeError, TypeError):
        shape = clip(str(list(tensor.shape)))
        raise ModelError(
            f"{path}: {name!r} has the shape {shape}, more than torch can address"
        ) from None

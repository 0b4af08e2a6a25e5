"""What FSDP makes of parameters: one flat tensor for all, or a flat shard for each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from lrd_registry.errors import ModelError
from lrd_registry.model_names.wrappers import FSDP, class_names

if TYPE_CHECKING:
    from torch import nn

FLAT = "_flat_param"


def check_not_flattened(names: Collection[str]) -> None:
    """Refuse the one flat tensor that FSDP makes of many parameters, of all layers alike.

    Raises:
        ModelError: it is there.
    """
    if FLAT in "\n".join(names) and (flat := [name for name in names if name.endswith(FLAT)]):
        raise ModelError(
            f"{flat[0]!r} is a FlatParameter: FSDP has put parameters of many layers into one "
            "tensor, and one tensor has one learning rate; wrap the model with "
            "FullyShardedDataParallel(…, use_orig_params=True), or use fully_shard"
        )


def is_fsdp(kind: type) -> bool:
    """Whether modules of a class are FSDP's wrapper."""
    return FSDP in class_names(kind)


def dimensions_before(model: nn.Module, by_name: dict[str, nn.Parameter]) -> dict[str, int]:
    """How many dimensions the parameters had that FSDP has sharded; their shards have one."""
    known = {id(parameter): ndim for parameter, ndim in _sharded(model)}
    return {name: known[id(p)] for name, p in by_name.items() if id(p) in known}


def _sharded(model: nn.Module) -> Iterator[tuple[nn.Parameter, int]]:
    for module in model.modules():
        if is_fsdp(type(module)) and (handle := getattr(module, "_handle", None)):
            flat = handle.flat_param
            for parameter, shape in zip(flat._params or (), flat._shapes, strict=False):
                yield parameter, len(shape)

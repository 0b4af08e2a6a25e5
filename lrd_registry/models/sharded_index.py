"""The index of a checkpoint in parts: a JSON file that says which shard holds which tensor."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from lrd_registry.errors import ModelError
from lrd_registry.models.files import read_text
from lrd_registry.models.safetensors_header import TensorHeader, read_header
from lrd_registry.wording import did_you_mean


def read_sharded_headers(index: Path) -> dict[str, TensorHeader]:
    """The tensors that an index lists, by name, from the headers of their shards.

    Raises:
        ModelError: the index is not one; a shard is missing, or outside the index's folder, or
            no safetensors file, or does not hold what the index says.
    """
    shard_of = _read_index(index)
    shards = sorted(set(shard_of.values()))
    for shard in shards:
        _check_path(index, shard)
    headers = {shard: read_header(index.parent / shard) for shard in shards}
    for name, shard in shard_of.items():
        if name not in headers[shard]:
            hint = did_you_mean(name, headers[shard], quote="{!r}")
            raise ModelError(f"{index}: shard {shard!r} has no {name!r}{hint}")
    return {name: headers[shard][name] for name, shard in shard_of.items()}


def _read_index(path: Path) -> dict[str, str]:
    text = read_text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON: {error}") from None
    match data:
        case {"weight_map": dict(shard_of)} if all(isinstance(s, str) for s in shard_of.values()):
            return shard_of
        case {"model_type": str()}:
            raise ModelError(
                f"{path}: a configuration of transformers, without tensors; a model is built from "
                f"it as hf:{path}"
            )
    raise ModelError(
        f"{path}: expected the index of a sharded checkpoint, with a weight_map from tensor names "
        "to shard files; found none"
    )


def _check_path(index: Path, shard: str) -> None:
    """Refuse a path that leads out of the folder; links in it may, as in a cache of downloads."""
    path = PurePath(shard)
    if path.is_absolute() or ".." in path.parts:
        raise ModelError(f"{index}: shard {shard!r} lies outside the index's folder")
    if path.suffix != ".safetensors":
        raise ModelError(
            f"{index}: shard {shard!r} is no .safetensors file; only those can be read "
            "without running code from them. Convert the checkpoint to safetensors"
        )

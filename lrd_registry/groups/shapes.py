"""Parameters whose own shape cannot be seen, although weight decay depends on it."""

from __future__ import annotations

import sys

from lrd_registry.errors import ModelError
from lrd_registry.model_names.parameters import Parameters


def check_shapes(parameters: Parameters) -> None:
    """Refuse parameters that say they have one dimension, but whose own shape is another.

    These are the parameters of lazy modules, until they are run, and the flat shards of FSDP
    where no module tells what they were.

    Raises:
        ModelError: there are some.
    """
    by_name = parameters.by_name
    if any(hasattr(kind, "materialize") for kind in set(map(type, by_name.values()))):
        lazy = [name for name, p in by_name.items() if hasattr(type(p), "materialize")]
        raise ModelError(
            f"the shape of {_first(lazy)} is not known yet, and weight decay depends on it; run "
            "the model once on an input, or build it with its sizes"
        )
    if "torch.distributed.fsdp" not in sys.modules:  # nothing can have made such a shard
        return
    shards = [
        name for name, p in by_name.items() if "_fsdp_flattened" in p.__dict__ and p.ndim == 1
    ]
    if unknown := [name for name in shards if name not in parameters.dimensions]:
        raise ModelError(
            f"{_first(unknown)} is a flat shard of FSDP's, and weight decay depends on the shape "
            "that it had; pass the FullyShardedDataParallel module itself, not what is inside it "
            "nor its named_parameters()"
        )


def _first(names: list[str]) -> str:
    more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
    return f"{names[0]!r}{more}"

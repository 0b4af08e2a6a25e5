"""A ViT of timm's in each engine, on CPU."""

from __future__ import annotations

from typing import Any

import torch
from timm.models.vision_transformer import Block
from torch import distributed, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
    apply_activation_checkpointing,
)
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.fsdp.wrap import ModuleWrapPolicy
from torch.nn.parallel import DistributedDataParallel


def bare(model: nn.Module) -> nn.Module:
    return model


def in_ddp(model: nn.Module) -> nn.Module:
    return DistributedDataParallel(model)


def in_fsdp1(model: nn.Module, **options: Any) -> nn.Module:
    """FSDP around each block and around the model."""
    options = {"use_orig_params": True, "auto_wrap_policy": ModuleWrapPolicy({Block}), **options}
    return FullyShardedDataParallel(
        model, device_mesh=all_ranks(), device_id=torch.device("cpu"), **options
    )


def in_checkpointed_fsdp1(model: nn.Module) -> nn.Module:
    """The same, with each block's activations computed again."""
    apply_activation_checkpointing(model, check_fn=lambda module: isinstance(module, Block))
    return in_fsdp1(model)


def in_fsdp2(model: nn.Module) -> nn.Module:
    """`fully_shard` on each block and on the model."""
    mesh = all_ranks()
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def all_ranks() -> DeviceMesh:
    return init_device_mesh("cpu", (distributed.get_world_size(),))

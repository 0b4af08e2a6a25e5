"""`timm:NAME`, or plainly `NAME`: an architecture of timm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrd_registry.errors import ModelError
from lrd_registry.models.importing import import_library
from lrd_registry.models.on_meta import build_on_meta
from lrd_registry.wording import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def timm_model(name: str) -> nn.Module:
    """Build an architecture of timm; its name may carry a tag, such as `.mae` in `vit_b.mae`.

    Raises:
        ModelError: timm is missing, or has no such architecture.
    """
    timm = import_library("timm", name)
    architectures = timm.list_models()
    if name.partition(".")[0] not in architectures:
        hint = did_you_mean(name, architectures, quote="{!r}")
        raise ModelError(f"timm {timm.__version__} has no model {name!r}{hint}")
    return build_on_meta(lambda: timm.create_model(name), f"timm:{name}")

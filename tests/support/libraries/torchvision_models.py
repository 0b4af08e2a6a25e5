"""torchvision's: every builder of a family."""

from functools import partial

from torchvision.models import get_model, list_models

from tests.support.libraries import from_table

FAMILIES = {
    "vit": ("vit", "torchvision"),
    "swin": ("swin", "torchvision"),
    "swin_v2": ("swin", "torchvision"),
    "convnext": ("convnext", "torchvision"),
}


def builders(family):
    """The builders named `family_SIZE`; a version in between makes another family."""
    names = list_models(include=f"{family}_*", exclude=f"{family}_v2_*")
    return {name: partial(get_model, name, weights=None) for name in names}


MODELS = from_table("torchvision", FAMILIES, builders)

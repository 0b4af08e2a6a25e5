"""The models of all libraries together."""

from tests.support.libraries import (
    open_clip_models,
    timm_models,
    torchvision_models,
    transformers_models,
)

MODELS = [
    *timm_models.MODELS,
    *transformers_models.MODELS,
    *torchvision_models.MODELS,
    *open_clip_models.MODELS,
]

"""open_clip's: the visual tower of every configuration that has open_clip's own ViT."""

from functools import partial

import open_clip
from open_clip.model import _build_vision_tower

from tests.libraries import from_table


def towers(_family):
    """Towers of timm's, and ResNets (their `layers` is a list), are none of open_clip's ViTs."""
    configs = {name: open_clip.get_model_config(name) for name in open_clip.list_models()}
    return {
        name: partial(_build_vision_tower, config["embed_dim"], config["vision_cfg"])
        for name, config in configs.items()
        if "timm_model_name" not in config["vision_cfg"]
        and not isinstance(config["vision_cfg"].get("layers"), list)
    }


MODELS = from_table("open_clip", {"visual": ("vit", "open_clip")}, towers)

"""The published sizes of transformers' models, as options of their configurations.

They are those of the checkpoints that the library's documentation and conversion scripts name.
"""


def vit(width, depth, heads, mlp=None, **more):
    return {
        "hidden_size": width,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": mlp or 4 * width,
        **more,
    }


def swin(width, depths, **more):
    heads = [width // 32 * 2**stage for stage in range(4)]
    return {"embed_dim": width, "depths": depths, "num_heads": heads, **more}


def convnext(width, depths):
    return {"hidden_sizes": [width * 2**stage for stage in range(4)], "depths": depths}


def both(vision, text):
    return {"vision_config": vision, "text_config": text}


TINY, SMALL = vit(192, 12, 3), vit(384, 12, 6)
BASE, LARGE, HUGE = vit(768, 12, 12), vit(1024, 24, 16), vit(1280, 32, 16)
SO400M = vit(1152, 27, 16, 4304)
DINOV2 = {
    "small": SMALL,
    "base": BASE,
    "large": LARGE,
    "giant": vit(1536, 40, 24, use_swiglu_ffn=True),
}
BEIT = {
    size: config
    | {
        "out_indices": [config["num_hidden_layers"] * quarter // 4 - 1 for quarter in (1, 2, 3, 4)],
        "use_mask_token": True,
        "use_relative_position_bias": True,
        "use_shared_relative_position_bias": True,
        "use_absolute_position_embeddings": True,
    }
    for size, config in (("base", BASE), ("large", LARGE))
}
SIGLIP = {"base": BASE, "large": LARGE, "so400m": SO400M}
CLIP_TEXT = {"base": vit(512, 12, 8), "large": BASE}

SIZES = {
    "vit": {"tiny": TINY, "small": SMALL, "base": BASE, "large": LARGE, "huge": HUGE},
    "deit": {"tiny": TINY, "small": SMALL, "base": BASE},
    "beit": BEIT,
    "ijepa": {"huge": HUGE, "giant": vit(1408, 40, 16, 6144)},
    "vit_msn": {"small": SMALL, "base": BASE, "large": LARGE},
    "vit_mae": {"base": BASE, "large": LARGE, "huge": HUGE},
    "dinov2": DINOV2,
    "dinov2_with_registers": DINOV2,
    "data2vec-vision": BEIT,
    "dinov3_vit": {
        "small": SMALL,
        "small_plus": SMALL | {"use_gated_mlp": True},
        "base": BASE,
        "large": LARGE,
        "huge_plus": vit(1280, 32, 20, 5120, use_gated_mlp=True),
        "7b": vit(4096, 40, 32, 8192, use_gated_mlp=True),
    },
    "clip_vision_model": {
        "base_patch32": BASE,
        "base_patch16": BASE | {"patch_size": 16},
        "large_patch14": LARGE | {"patch_size": 14},
        "large_patch14_336": LARGE | {"patch_size": 14, "image_size": 336},
    },
    "siglip_vision_model": SIGLIP,
    "siglip2_vision_model": SIGLIP | {"giant": vit(1536, 40, 16, 6144)},
    "clip_text_model": CLIP_TEXT,
    "siglip_text_model": SIGLIP,
    "siglip2_text_model": SIGLIP,
    "clip": {
        "base_patch32": both(BASE, CLIP_TEXT["base"]),
        "base_patch16": both(BASE | {"patch_size": 16}, CLIP_TEXT["base"]),
        "large_patch14": both(LARGE | {"patch_size": 14}, CLIP_TEXT["large"]),
    },
    "siglip": {size: both(config, config) for size, config in SIGLIP.items()},
    "siglip2": {size: both(config, config) for size, config in SIGLIP.items()}
    | {"giant": both(vit(1536, 40, 16, 6144), SO400M | {"projection_size": 1536})},
    "swin": {
        "tiny": swin(96, [2, 2, 6, 2]),
        "small": swin(96, [2, 2, 18, 2]),
        "base": swin(128, [2, 2, 18, 2], use_absolute_embeddings=True),
        "large": swin(192, [2, 2, 18, 2]),
    },
    "swinv2": {
        "tiny": swin(96, [2, 2, 6, 2]),
        "small": swin(96, [2, 2, 18, 2]),
        "base": swin(128, [2, 2, 18, 2], use_absolute_embeddings=True),
        "large": swin(192, [2, 2, 18, 2]),
    },
    "convnext": {
        "tiny": convnext(96, [3, 3, 9, 3]),
        "small": convnext(96, [3, 3, 27, 3]),
        "base": convnext(128, [3, 3, 27, 3]),
        "large": convnext(192, [3, 3, 27, 3]),
        "xlarge": convnext(256, [3, 3, 27, 3]),
    },
    "convnextv2": {
        "atto": convnext(40, [2, 2, 6, 2]),
        "femto": convnext(48, [2, 2, 6, 2]),
        "pico": convnext(64, [2, 2, 6, 2]),
        "nano": convnext(80, [2, 2, 8, 2]),
        "tiny": convnext(96, [3, 3, 9, 3]),
        "base": convnext(128, [3, 3, 27, 3]),
        "large": convnext(192, [3, 3, 27, 3]),
        "huge": convnext(352, [3, 3, 27, 3]),
    },
}

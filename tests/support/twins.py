"""The same network built in each library, on the meta device; stand-ins for what cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import open_clip.transformer
import timm
import torchvision.models as tv
import transformers as hf
from timm.models.beit import Beit
from timm.models.convnext import ConvNeXt
from timm.models.swin_transformer import SwinTransformer
from timm.models.swin_transformer_v2 import SwinTransformerV2
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2

from tests.support.agreement import Network
from tests.support.building import on_meta
from tests.support.name_maps import read_map
from tests.support.name_maps.stand_ins import reference, with_stand_ins

CLASSES = 1000


def vit(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    return {
        "timm": VisionTransformer(depth=depth, embed_dim=width, num_heads=heads),
        "torchvision": tv.VisionTransformer(224, 16, depth, heads, width, 4 * width),
        "huggingface": hf.ViTForImageClassification(_config(hf.ViTConfig, depth, width, heads)),
    }


def deit(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    config = _config(hf.DeiTConfig, depth, width, heads)
    return {
        "timm": _timm("deit_base_distilled_patch16_224", depth, width, heads),
        "huggingface": hf.DeiTForImageClassificationWithTeacher(config),
    }


def beit(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    options = {"use_relative_position_bias": True}
    config = _config(hf.BeitConfig, depth, width, heads, **options)
    return {
        "timm": _timm("beit_base_patch16_224", depth, width, heads),
        "huggingface": hf.BeitForImageClassification(config),
    }


def beit_with_shared_bias(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    size = {"depth": depth, "embed_dim": width, "num_heads": heads}
    options = {"use_shared_relative_position_bias": True, "use_absolute_position_embeddings": True}
    config = _config(hf.BeitConfig, depth, width, heads, **options)
    return {
        "timm": Beit(**size, qkv_bias=True, init_values=0.1, use_shared_rel_pos_bias=True),
        "huggingface": hf.BeitForImageClassification(config),
    }


def clip(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    options = {"patch_size": 16, "projection_dim": CLASSES}
    config = _config(hf.CLIPVisionConfig, depth, width, heads, **options)
    return {
        "timm": _timm("vit_base_patch16_clip_224", depth, width, heads),
        "open_clip": open_clip.transformer.VisionTransformer(
            224, 16, width, depth, heads, mlp_ratio=4.0, output_dim=CLASSES
        ),
        "huggingface": hf.CLIPVisionModelWithProjection(config),
    }


def siglip(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    size = depth, width, heads
    return {
        "timm": _timm("vit_base_patch16_siglip_224", *size),
        "timm_naflex": _timm("naflexvit_base_patch16_siglip", *size),
        "huggingface": hf.SiglipVisionModel(_config(hf.SiglipVisionConfig, *size)),
        "huggingface_siglip2": hf.Siglip2VisionModel(_config(hf.Siglip2VisionConfig, *size)),
    }


def clip_text(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    """The projection is as wide as the tower, as in CLIP's published sizes."""
    config = _config(hf.CLIPTextConfig, depth, width, heads, projection_dim=width)
    return {
        "open_clip": _open_clip_text(depth, width, heads, vocab_size=config.vocab_size),
        "huggingface": hf.CLIPTextModelWithProjection(config),
    }


def siglip_text(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    config = _config(hf.SiglipTextConfig, depth, width, heads)
    siglip2 = _config(hf.Siglip2TextConfig, depth, width, heads)
    options = {"context_length": config.max_position_embeddings, "proj_bias": True}
    return {
        "open_clip": _open_clip_text(depth, width, heads, vocab_size=config.vocab_size, **options),
        "huggingface": hf.SiglipTextModel(config),
        "huggingface_siglip2": hf.Siglip2TextModel(siglip2),
    }


def dinov2(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    config = _config(hf.Dinov2Config, depth, width, heads, patch_size=14)
    return {
        "timm": _timm("vit_base_patch14_dinov2", depth, width, heads, img_size=224),
        "huggingface": hf.Dinov2Model(config),
    }


def dinov2_with_registers(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    config = _config(hf.Dinov2WithRegistersConfig, depth, width, heads, patch_size=14)
    return {
        "timm": _timm("vit_base_patch14_reg4_dinov2", depth, width, heads, img_size=224),
        "huggingface": hf.Dinov2WithRegistersModel(config),
    }


def dinov2_without_scale(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    """As the recorded models of the authors' are built: without layer scale."""
    size = {"depth": depth, "embed_dim": width, "num_heads": heads, "patch_size": 14}
    return {"timm": VisionTransformer(**size, num_classes=0)}


def dinov2_with_registers_without_scale(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    size = {"depth": depth, "embed_dim": width, "num_heads": heads, "patch_size": 14}
    return {"timm": VisionTransformer(**size, num_classes=0, reg_tokens=4)}


def dinov3(depth: int, width: int, heads: int) -> dict[str, nn.Module]:
    config = _config(hf.DINOv3ViTConfig, depth, width, heads, num_register_tokens=4)
    return {
        "timm": _timm("vit_small_patch16_dinov3_qkvb", depth, width, heads),
        "huggingface": hf.DINOv3ViTModel(config),
    }


def swin(depths: Sequence[int], width: int, heads: int) -> dict[str, nn.Module]:
    size = _stages(depths, width, heads)
    return {
        "timm": SwinTransformer(**size),
        "torchvision": tv.SwinTransformer(patch_size=[4, 4], window_size=[7, 7], **size),
        "huggingface": hf.SwinForImageClassification(hf.SwinConfig(num_labels=CLASSES, **size)),
    }


def swin_with_positions(depths: Sequence[int], width: int, heads: int) -> dict[str, nn.Module]:
    size = _stages(depths, width, heads)
    config = hf.SwinConfig(num_labels=CLASSES, use_absolute_embeddings=True, **size)
    return {"huggingface": hf.SwinForImageClassification(config)}


def swinv2(depths: Sequence[int], width: int, heads: int) -> dict[str, nn.Module]:
    size = _stages(depths, width, heads)
    v2 = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}
    return {
        "timm": SwinTransformerV2(**size),
        "torchvision": tv.SwinTransformer(patch_size=[4, 4], window_size=[7, 7], **size, **v2),
        "huggingface": hf.Swinv2ForImageClassification(hf.Swinv2Config(num_labels=CLASSES, **size)),
    }


def swinv2_with_positions(depths: Sequence[int], width: int, heads: int) -> dict[str, nn.Module]:
    size = _stages(depths, width, heads)
    config = hf.Swinv2Config(num_labels=CLASSES, use_absolute_embeddings=True, **size)
    return {"huggingface": hf.Swinv2ForImageClassification(config)}


def convnext(depths: Sequence[int], width: int) -> dict[str, nn.Module]:
    widths = _doubling(width)
    settings = map(CNBlockConfig, widths, [*widths[1:], None], depths)
    config = hf.ConvNextConfig(depths=depths, hidden_sizes=widths, num_labels=CLASSES)
    return {
        "timm": ConvNeXt(depths=depths, dims=widths),
        "torchvision": tv.ConvNeXt(list(settings)),
        "huggingface": hf.ConvNextForImageClassification(config),
    }


def convnextv2(depths: Sequence[int], width: int) -> dict[str, nn.Module]:
    """Hugging Face's comes first: the authors' response normalisation has its shape."""
    widths = _doubling(width)
    config = hf.ConvNextV2Config(depths=depths, hidden_sizes=widths, num_labels=CLASSES)
    return {
        "huggingface": hf.ConvNextV2ForImageClassification(config),
        "timm": ConvNeXt(depths=depths, dims=widths, use_grn=True, ls_init_value=None),
    }


Builder = Callable[..., dict[str, nn.Module]]
TWINS: dict[str, tuple[Builder, str]] = {
    "vit": (vit, "vit"),
    "deit": (deit, "deit"),
    "beit": (beit, "beit"),
    "beit_with_shared_bias": (beit_with_shared_bias, "beit"),
    "clip": (clip, "clip"),
    "siglip": (siglip, "siglip"),
    "clip_text": (clip_text, "clip_text"),
    "siglip_text": (siglip_text, "siglip_text"),
    "dinov2": (dinov2, "dinov2"),
    "dinov2_with_registers": (dinov2_with_registers, "dinov2"),
    "dinov3": (dinov3, "dinov3"),
    "swin": (swin, "swin"),
    "swinv2": (swinv2, "swinv2"),
    "convnext": (convnext, "convnext"),
    "convnextv2": (convnextv2, "convnextv2"),
}
"""How to build each network in several libraries, and the map of its names."""

VARIANTS: dict[str, tuple[Builder, str]] = {
    "dinov2_without_scale": (dinov2_without_scale, "dinov2"),
    "dinov2_with_registers_without_scale": (dinov2_with_registers_without_scale, "dinov2"),
    "swin_with_positions": (swin_with_positions, "swin"),
    "swinv2_with_positions": (swinv2_with_positions, "swinv2"),
}
"""The same for options of one library; the others are stand-ins."""

FAMILIES = TWINS | VARIANTS


def network(family: str, *size, references: Mapping[str, str] | None = None) -> Network:
    """A network of some size in every library of its map.

    `references` has the recorded models to take, by library; other libraries that cannot be
    built get stand-ins.
    """
    build, names = FAMILIES[family]
    depths = (size[0],) if isinstance(size[0], int) else size[0]
    models = on_meta(build, *size)
    recorded = {library: reference(name) for library, name in (references or {}).items()}
    return with_stand_ins(Network(read_map(names), depths, models | recorded))


def small_size(family: str) -> tuple:
    """A size at which every index of the network's names takes more than one value."""
    names = FAMILIES[family][1]
    if names.startswith("convnext"):
        return (2, 2, 5, 2), 8
    return ((2, 2, 3, 2) if names.startswith("swin") else 3), 8, 2


def _timm(name: str, depth: int, width: int, heads: int, **options) -> nn.Module:
    return timm.create_model(name, depth=depth, embed_dim=width, num_heads=heads, **options)


def _open_clip_text(depth: int, width: int, heads: int, **options) -> nn.Module:
    return open_clip.transformer.TextTransformer(
        width=width, layers=depth, heads=heads, output_dim=width, **options
    )


def _config(kind: type, depth: int, width: int, heads: int, **options):
    return kind(
        num_hidden_layers=depth,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        num_labels=CLASSES,
        **options,
    )


def _stages(depths: Sequence[int], width: int, heads: int) -> dict[str, object]:
    return {"depths": list(depths), "embed_dim": width, "num_heads": _doubling(heads)}


def _doubling(first: int) -> list[int]:
    return [first, 2 * first, 4 * first, 8 * first]

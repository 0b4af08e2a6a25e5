"""Tiny models of real libraries, and one whose author chose the names of wrappers."""

import timm
import torch
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    ViTConfig,
    ViTForImageClassification,
)

from lrd_registry.rule_files.load import rule_set_from_mapping

TEXT = {"vocab_size": 30, "bos_token_id": 0, "eos_token_id": 0}

BERT = rule_set_from_mapping(
    {
        "arch": "bert",
        "layers": [
            {"stem": "bert.embeddings.**"},
            {"block": "bert.encoder.layer.{block}.**"},
            {"head": ["bert.pooler.**", "classifier.**"]},
        ],
    }
)
GPT2 = rule_set_from_mapping(
    {
        "arch": "gpt2",
        "layers": [
            {"stem": ["transformer.wte.**", "transformer.wpe.**"]},
            {"block": "transformer.h.{block}.**"},
            {"head": ["transformer.ln_f.**", "lm_head.**"]},
        ],
        "tied": "shallowest",
    }
)
NET = rule_set_from_mapping(
    {
        "arch": "net",
        "layers": [
            {"stem": ["table", "embed.*"]},
            {"block": ["blocks.{block}.weight", "blocks.{block}.bias"]},
            {"head": "head.*"},
        ],
    }
)


def timm_vit() -> nn.Module:
    """Layers: stem 0, blocks 1 to 3, norm and head 4."""
    return timm.create_model(
        "vit_tiny_patch16_224", img_size=32, embed_dim=48, depth=3, num_heads=3, num_classes=5
    )


def transformers_vit() -> nn.Module:
    """The same layers under other names."""
    sizes = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 3}
    return ViTForImageClassification(
        ViTConfig(**sizes, intermediate_size=96, image_size=32, num_labels=5)
    )


def torchvision_vit() -> nn.Module:
    """Layers: stem 0, blocks 1 and 2, norm and head 3."""
    return VisionTransformer(32, 16, num_layers=2, num_heads=3, hidden_dim=48, mlp_dim=96)


def bert() -> nn.Module:
    """Layers: embeddings 0, blocks 1 and 2, pooler and classifier 3."""
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3}
    return BertForSequenceClassification(
        BertConfig(vocab_size=30, **sizes, intermediate_size=96, max_position_embeddings=16)
    )


def gpt2() -> nn.Module:
    """Layers: embeddings 0, blocks 1 and 2, the last norm 3; the head is tied to the stem."""
    return GPT2LMHeadModel(GPT2Config(**TEXT, n_embd=48, n_layer=2, n_head=3, n_positions=16))


class Net(nn.Module):
    """Layers, by `NET`, whose patterns have no room for a wrapper: 0, blocks 1 and 2, head 3."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.ones(4, 4))
        self.embed = nn.Linear(4, 4)
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x) @ self.table
        for block in self.blocks:
            x = block(x)
        return self.head(x)

    def no_weight_decay(self):
        return {"table"}

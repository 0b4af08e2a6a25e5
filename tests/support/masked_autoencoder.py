"""A small MAE in pretraining, as the authors' repository builds it."""

import torch
from timm.layers import PatchEmbed
from timm.models.vision_transformer import Block
from torch import nn

WIDTH, DEPTH, HEADS = 8, 3, 2
DECODER_WIDTH, DECODER_DEPTH = 4, 2


class MaskedAutoencoder(nn.Module):
    """The parts of the authors' model in models_mae.py, by their names there."""

    def __init__(self):
        super().__init__()
        self.patch_embed = PatchEmbed(32, 16, 3, WIDTH)
        self.cls_token = tokens(1, WIDTH)
        self.pos_embed = tokens(5, WIDTH).requires_grad_(False)
        self.blocks = blocks(DEPTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.decoder_embed = nn.Linear(WIDTH, DECODER_WIDTH)
        self.mask_token = tokens(1, DECODER_WIDTH)
        self.decoder_pos_embed = tokens(5, DECODER_WIDTH).requires_grad_(False)
        self.decoder_blocks = blocks(DECODER_DEPTH, DECODER_WIDTH)
        self.decoder_norm = nn.LayerNorm(DECODER_WIDTH)
        self.decoder_pred = nn.Linear(DECODER_WIDTH, 16 * 16 * 3)


def tokens(number, width):
    return nn.Parameter(torch.zeros(1, number, width))


def blocks(depth, width):
    return nn.ModuleList(Block(width, HEADS, qkv_bias=True) for _ in range(depth))

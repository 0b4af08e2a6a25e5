"""Five small networks in styles that the model libraries do not have, and how each is called."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class OldVGG(nn.Module):
    """One list of convolutions, activations and poolings, so that the numbers have holes."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if width != before else []
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(widths[-1], 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 10)
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.classifier(self.features(image).mean((2, 3)))


class DoubleConv(nn.Sequential):
    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        )


class Up(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(before, after, 2, stride=2)
        self.conv = DoubleConv(2 * after, after)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([skip, self.up(x)], 1))


class UNet(nn.Module):
    """Down and up again, with skips from each level to the same level on the other side."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        widths = [8 * 2**level for level in range(depth + 1)]
        self.inc = DoubleConv(3, 8)
        steps = list(pairwise(widths))
        self.downs = nn.ModuleList(DoubleConv(*step) for step in steps)
        self.bottleneck = nn.Sequential(
            DoubleConv(widths[-1], widths[-1]), nn.Conv2d(widths[-1], widths[-1], 1)
        )
        self.ups = nn.ModuleList(Up(after, before) for before, after in reversed(steps))
        self.outc = nn.Conv2d(8, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        skips = [self.inc(image)]
        for down in self.downs:
            skips.append(down(functional.max_pool2d(skips[-1], 2)))
        x = self.bottleneck(skips.pop())
        for up in self.ups:
            x = up(x, skips.pop())
        return self.outc(x)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(width, width, (1, 3, 3), padding=(0, 1, 1), bias=False)
        self.conv2 = nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.norm = nn.BatchNorm3d(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm(self.conv2(torch.relu(self.conv1(x))))


class Stream(nn.Module):
    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, 8, 3, padding=1)
        self.blocks = nn.Sequential(*(Residual(8) for _ in range(depth)))
        self.norm = nn.LayerNorm(8)

    def forward(self, video: Tensor) -> Tensor:
        return self.norm(self.blocks(self.conv(video)).mean((2, 3, 4)))


class TwoStream(nn.Module):
    """A stream for the frames, a longer one for the flow, and a classifier of both."""

    def __init__(self, rgb: int, flow: int) -> None:
        super().__init__()
        self.rgb = Stream(3, rgb)
        self.flow = Stream(2, flow)
        self.fusion = nn.Linear(16, 16)
        self.classifier = nn.Linear(16, 5)

    def forward(self, frames: Tensor, flow: Tensor) -> Tensor:
        both = torch.cat([self.rgb(frames), self.flow(flow)], 1)
        return self.classifier(torch.relu(self.fusion(both)))


class MLSTMBlock(nn.Module):
    """A matrix memory, updated once for each token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.gates = nn.Linear(width, 2)
        self.proj = nn.Linear(width, width)
        self.skip = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        memory, outputs = torch.zeros_like(x[:, 0, :, None] * x[:, 0, None, :]), []
        for token in normed.unbind(1):
            q, k, v = self.qkv(token).chunk(3, -1)
            keep, write = self.gates(token).sigmoid().chunk(2, -1)
            memory = keep[..., None] * memory + write[..., None] * v[..., None] * k[:, None]
            outputs.append((memory @ q[..., None]).squeeze(-1))
        return x + self.proj(torch.stack(outputs, 1)) + self.skip * normed


class MLSTM(nn.Module):
    """A language model whose output layer is its embedding."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(20, 8)
        self.embedding_dropout = nn.Dropout(0.1)
        self.blocks = nn.ModuleList(MLSTMBlock(8) for _ in range(depth))
        self.post_blocks_norm = nn.LayerNorm(8)
        self.lm_head = nn.Linear(8, 20, bias=False)
        self.lm_head.weight = self.token_embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding_dropout(self.token_embedding(tokens))
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.post_blocks_norm(x))


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        weights = self.q_proj(x) @ self.k_proj(other).transpose(1, 2)
        return self.out_proj(weights.softmax(-1) @ self.v_proj(other))


class Layer(nn.Module):
    def __init__(self, width: int, has_memory: bool) -> None:
        super().__init__()
        self.self_attn = Attention(width)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        if has_memory:
            self.encoder_attn = Attention(width)
            self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        x = self.self_attn_layer_norm(x + self.self_attn(x, x))
        if memory is not None:
            x = self.encoder_attn_layer_norm(x + self.encoder_attn(x, memory))
        return self.final_layer_norm(x + self.fc2(torch.relu(self.fc1(x))))


class Coder(nn.Module):
    def __init__(self, embedding: nn.Embedding, depth: int, has_memory: bool) -> None:
        super().__init__()
        self.embed_tokens = embedding
        self.embed_positions = nn.Embedding(32, 8)
        self.layers = nn.ModuleList(Layer(8, has_memory) for _ in range(depth))
        self.layernorm_embedding = nn.LayerNorm(8)

    def forward(self, tokens: Tensor, memory: Tensor | None = None) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.layernorm_embedding(self.embed_tokens(tokens) + self.embed_positions(positions))
        for layer in self.layers:
            x = layer(x, memory)
        return x


class EncoderDecoder(nn.Module):
    """Both halves share the embedding, which is the output layer too."""

    def __init__(self, encoder: int, decoder: int) -> None:
        super().__init__()
        self.model = nn.Module()
        self.model.shared = nn.Embedding(20, 8)
        self.model.encoder = Coder(self.model.shared, encoder, has_memory=False)
        self.model.decoder = Coder(self.model.shared, decoder, has_memory=True)
        self.lm_head = nn.Linear(8, 20, bias=False)
        self.lm_head.weight = self.model.shared.weight

    def forward(self, input_ids: Tensor, decoder_input_ids: Tensor) -> Tensor:
        memory = self.model.encoder(input_ids)
        return self.lm_head(self.model.decoder(decoder_input_ids, memory))

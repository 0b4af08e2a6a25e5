"""Small networks, each with one way for parameters to meet."""

import torch
from torch import nn
from torch.nn import functional

WIDTH = 4


def linear():
    return nn.Linear(WIDTH, WIDTH, bias=False)


class Of(nn.Module):
    """Modules and parameters by name, and what the forward pass does with them."""

    def __init__(self, forward, **members):
        super().__init__()
        for name, member in members.items():
            setattr(self, name, member)
        self.passes = forward

    def forward(self, *arguments, **options):
        return self.passes(self, *arguments, **options)


def table(*shape):
    return nn.Parameter(torch.empty(shape))


def residual():
    return Of(lambda net, x: net.c(x + net.b(net.a(x))), a=linear(), b=linear(), c=linear())


def two_towers():
    def forward(net, image, text):
        return net.scale * (net.i2(net.i1(image)) * net.t1(text))

    return Of(forward, t1=linear(), i1=linear(), i2=linear(), scale=table(1))


def fusing_branches():
    """As in HRNet: two branches, both fused into both, twice."""

    def forward(net, x):
        high, low = net.high1(x), net.low1(x)
        high, low = net.high2(high + low), net.low2(high - low)
        return net.head(high + low)

    names = ["high1", "low1", "high2", "low2", "head"]
    return Of(forward, **{name: linear() for name in names})


def shared_bias():
    """A table of biases that each block looks up and adds, as relative positions in BEiT."""

    def forward(net, x):
        for block in net.blocks:
            x = block["out"](block["into"](x) + net.table[net.index])
        return net.head(x)

    blocks = nn.ModuleList(nn.ModuleDict({"into": linear(), "out": linear()}) for _ in range(2))
    net = Of(forward, table=table(9, WIDTH), blocks=blocks, head=linear())
    net.register_buffer("index", torch.zeros(2, dtype=torch.int64))
    return net


def tied():
    """An embedding that is also the head."""
    embedding, head = nn.Embedding(5, WIDTH), nn.Linear(WIDTH, 5, bias=False)
    head.weight = embedding.weight
    return Of(
        lambda net, ids: net.head(net.middle(net.embedding(ids))),
        embedding=embedding,
        middle=linear(),
        head=head,
    )


def in_place():
    """What is written into a tensor reaches all views of it."""

    def forward(net, x):
        found = net.a(x)
        view = found.view(-1)
        found.add_(net.b(x))
        return net.c(view.view(-1, WIDTH))

    return Of(forward, a=linear(), b=linear(), c=linear())


def standardised():
    """A convolution whose weight is standardised, and scaled by a gain."""

    def forward(net, x):
        std, mean = torch.std_mean(net.weight, dim=(1, 2, 3), keepdim=True)
        return functional.conv2d(net.stem(x), net.gain * (net.weight - mean) / std)

    return Of(
        forward,
        gain=table(2, 1, 1, 1),
        weight=table(2, 2, 3, 3),
        stem=nn.Conv2d(3, 2, 1, bias=False),
    )


def learnt_queries():
    """Queries that are mixed among themselves, and then asked of the encoder's output."""

    def forward(net, x):
        queries = net.mixing(net.queries)
        return net.head(net.encoder(x) @ queries.mT)

    return Of(
        forward,
        queries=table(4, WIDTH),
        mixing=linear(),
        encoder=linear(),
        head=nn.Linear(4, 2, bias=False),
    )


def batch_norm_and_dropout():
    return nn.Sequential(
        nn.Conv2d(3, WIDTH, 3, bias=False), nn.BatchNorm2d(WIDTH), nn.Dropout(0.5), nn.Flatten()
    )

"""Random networks, whose order of use is known by how they are made, and deeper siblings."""

from dataclasses import dataclass, replace

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

WIDTH = 2


@dataclass(frozen=True)
class Part:
    """A piece of a network: a single module, a list of blocks, or a list of stages.

    `depths` has the number of blocks, of each stage; `extra` is what a stage has besides.
    """

    kind: str
    depths: tuple[int, ...] = ()
    extra: str = ""
    residual: bool = False


class Block(nn.Module):
    def __init__(self, residual: bool) -> None:
        super().__init__()
        self.residual = residual
        self.norm = nn.LayerNorm(WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        out = self.fc2(torch.relu(self.fc1(self.norm(x))))
        return x + out if self.residual else out


class Stage(nn.Module):
    def __init__(self, part: Part, number: int) -> None:
        super().__init__()
        opens = part.extra == "opens" and number > 0
        self.reduce = nn.Linear(WIDTH, WIDTH) if opens else nn.Identity()
        self.blocks = nn.Sequential(*(Block(part.residual) for _ in range(part.depths[number])))
        self.leave = nn.LayerNorm(WIDTH) if part.extra == "closes" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.blocks(self.reduce(x)))


class Branches(nn.Module):
    """Two parallel modules, whose outputs are added."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.left(x) + self.right(x)


def _module(part: Part) -> nn.Module:
    if part.kind == "blocks":
        return nn.Sequential(*(Block(part.residual) for _ in range(part.depths[0])))
    if part.kind == "stages":
        return nn.Sequential(*(Stage(part, number) for number in range(len(part.depths))))
    if part.kind == "branches":
        return Branches()
    return nn.Linear(WIDTH, WIDTH)


class Network(nn.Module):
    """Parts one after another, made in an order of their own; one may be left unused."""

    def __init__(self, parts: tuple[Part, ...], made: tuple[int, ...], unused: bool) -> None:
        super().__init__()
        self.names = [f"{'abcdefgh'[n]}_{part.kind}" for n, part in enumerate(parts)]
        for number in made:
            self.add_module(self.names[number], _module(parts[number]))
        if unused:
            self.mask_token = nn.Parameter(torch.zeros(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = getattr(self, name)(x)
        return x


@dataclass(frozen=True)
class Design:
    """How a random network is built."""

    parts: tuple[Part, ...]
    made: tuple[int, ...]
    unused: bool

    def build(self) -> nn.Module:
        return Network(self.parts, self.made, self.unused)

    def deeper(self, more: int) -> "Design":
        """The same with more blocks in each list."""
        parts = tuple(
            replace(part, depths=tuple(depth + more for depth in part.depths))
            for part in self.parts
        )
        return replace(self, parts=parts)


PLAIN = st.sampled_from([Part("single"), Part("branches")])
DEPTHS = st.lists(st.integers(2, 4), min_size=2, max_size=3).map(tuple)


@st.composite
def repeated(draw) -> Part:
    residual = draw(st.booleans())
    if draw(st.booleans()):
        return Part("blocks", (draw(st.integers(2, 5)),), residual=residual)
    return Part("stages", draw(DEPTHS), draw(st.sampled_from(["", "opens", "closes"])), residual)


@st.composite
def designs(draw) -> Design:
    """One to three lists, each with something or nothing before and after it."""
    parts = draw(st.lists(PLAIN, max_size=1))
    for _ in range(draw(st.integers(1, 3))):
        parts += [draw(repeated()), *draw(st.lists(PLAIN, max_size=1))]
    made = draw(st.permutations(range(len(parts))))
    return Design(tuple(parts), tuple(made), draw(st.booleans()))

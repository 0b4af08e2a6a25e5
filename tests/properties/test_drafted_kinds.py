"""Random networks of the kinds that a draft could get wrong have the layers they were built in."""

from dataclasses import dataclass

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lrd_registry import assign_layers
from tests.support.drafting.drafting import drafted

WIDTH = 4
WORDS = 5


@dataclass(frozen=True)
class Kind:
    """What a network has.

    Attributes:
        encoder: the number of its blocks.
        decoder: the number of blocks of a second stack, with embeddings of its own.
        parts: the number of equal parts in a list inside each block.
        tied: whether the decoder's embedding is the output layer too.
        sides: before which of the encoder's blocks something leaves for the output.
        learnt: whether positions are added to the decoder's input.
    """

    encoder: int
    decoder: int
    parts: int
    tied: bool
    sides: tuple[int, ...]
    learnt: bool


def linear(out: int = WIDTH) -> nn.Linear:
    return nn.Linear(WIDTH, out)


class Step(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down, self.norm = linear(), linear(), nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.down(self.up(x)))


class Block(nn.Module):
    """Attention, or what stands for it, a list of equal parts, and an output step."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.query, self.key, self.value = linear(), linear(), linear()
        self.parts = nn.ModuleList(Step() for _ in range(parts))
        self.output = Step()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.query(x) * self.key(x) * self.value(x)
        for part in self.parts:
            x = part(x)
        return self.output(x)


class Network(nn.Module):
    """An encoder, sides that leave it for the output, and a decoder."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        self.source = nn.Embedding(WORDS, WIDTH)
        self.encoder = nn.ModuleList(Block(kind.parts) for _ in range(kind.encoder))
        self.sides = nn.ModuleDict({f"at_{place}": linear(2) for place in kind.sides})
        self.target = nn.Embedding(WORDS, WIDTH)
        self.positions = nn.Parameter(torch.zeros(1, WIDTH))
        self.decoder = nn.ModuleList(Block(kind.parts) for _ in range(kind.decoder))
        self.out = linear(WORDS)
        if kind.tied:
            self.out.weight = self.target.weight

    def forward(self, source: Tensor, target: Tensor) -> list[Tensor]:
        x, given = self.source(source), []
        for place, block in enumerate(self.encoder):
            given += [self.sides[f"at_{place}"](x)] if place in self.kind.sides else []
            x = block(x)
        y = self.target(target)
        x = x + (y + self.positions if self.kind.learnt else y)
        for block in self.decoder:
            x = block(x)
        return [self.out(x), *given]

    def layers(self) -> dict[str, int]:
        """The right layer of each parameter."""
        start, end = 1 + self.kind.encoder, 1 + self.kind.encoder + self.kind.decoder
        of_module = {"source": 0, "target": start, "positions": start, "sides": end, "out": end}
        found = {}
        for name, _ in self.named_parameters():  # each under its first name
            module, _, rest = name.partition(".")
            place = int(rest.partition(".")[0]) if module in {"encoder", "decoder"} else 0
            first = {"encoder": 1, "decoder": start}
            found[name] = first[module] + place if module in first else of_module[module]
        if not self.kind.learnt:
            del found["positions"]
        return found


KINDS = st.builds(
    Kind,
    encoder=st.integers(2, 5),
    decoder=st.integers(2, 4),
    parts=st.integers(0, 3),
    tied=st.booleans(),
    sides=st.sets(st.integers(0, 4), max_size=2).map(sorted).map(tuple),
    learnt=st.booleans(),
).filter(lambda kind: all(place < kind.encoder for place in kind.sides))


@settings(deadline=None)
@given(KINDS)
def test_each_parameter_is_where_the_network_was_built_to_use_it(kind):
    model = Network(kind)
    ids = torch.zeros(1, 3, dtype=torch.long)
    found = drafted(model, [ids, ids])
    assignment = assign_layers(model, found.rules)
    right = model.layers()
    assert {name: assignment[name].layer for name in right} == right
    assert assignment.num_layers == kind.encoder + kind.decoder + 2
    named = any("positions" in sentence for sentence in found.unsure)
    assert named == (not kind.learnt)


@settings(deadline=None)
@given(KINDS, st.sets(st.sampled_from(["source", "encoder", "target", "decoder", "out"])))
def test_a_second_name_for_a_module_changes_nothing(kind, again):
    model = Network(kind)
    model.again = nn.ModuleDict({name: model.get_submodule(name) for name in sorted(again)})
    ids = torch.zeros(1, 3, dtype=torch.long)
    assignment = assign_layers(model, drafted(model, [ids, ids]).rules)
    right = model.layers()
    assert {name: assignment[name].layer for name in right} == right


class Tower(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.embed = linear()
        self.blocks = nn.Sequential(*(Step() for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.embed(x))


class Joined(nn.Module):
    """Towers under names or in a list, perhaps a gate, and blocks that take what they give."""

    def __init__(self, depths: list[int], fusion: int, *, in_list: bool, gated: bool) -> None:
        super().__init__()
        towers = {f"tower_{number}": Tower(depth) for number, depth in enumerate(depths)}
        self.towers = nn.ModuleList(towers.values()) if in_list else nn.ModuleDict(towers)
        self.gate = nn.Parameter(torch.ones(WIDTH)) if gated else 1.0
        self.fusion = nn.Sequential(*(Step() for _ in range(fusion)))
        self.head = linear(2)

    def forward(self, *inputs: Tensor) -> Tensor:
        each = self.towers if isinstance(self.towers, nn.ModuleList) else self.towers.values()
        joined = torch.stack([tower(x) for tower, x in zip(each, inputs, strict=True)]).sum(0)
        return self.head(self.fusion(joined * self.gate))


@given(
    depths=st.lists(st.integers(2, 4), min_size=2, max_size=3),
    fusion=st.integers(2, 4),
    in_list=st.booleans(),
    gated=st.booleans(),
)
@settings(deadline=None)
def test_equal_distances_from_what_joins_towers_have_equal_scales(depths, fusion, in_list, gated):
    model = Joined(depths, fusion, in_list=in_list, gated=gated)
    inputs = [torch.zeros(2, WIDTH) for _ in depths]
    assignment = assign_layers(model, drafted(model, inputs).rules)
    steps = {"head": 0, "gate": fusion}
    steps |= {f"fusion.{n}": fusion - n for n in range(fusion)}
    for number, depth in enumerate(depths):
        tower = f"towers.{number}" if in_list else f"towers.tower_{number}"
        steps[f"{tower}.embed"] = fusion + depth + 1
        steps |= {f"{tower}.blocks.{n}": fusion + depth - n for n in range(depth)}
    for name in assignment:
        place = max((start for start in steps if name.startswith(start)), key=len)
        assert assignment.scale(name, 0.5) == 0.5 ** steps[place]

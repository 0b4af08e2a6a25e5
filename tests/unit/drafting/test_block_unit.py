"""What a draft takes for a block: the outermost thing that repeats as a residual step."""

import pytest
from torch import Tensor, nn

from lrd_registry import assign_layers
from tests.support.drafting.drafting import drafted

WIDTH = 8
TOKENS = (2, 4, WIDTH)


def linear() -> nn.Linear:
    return nn.Linear(WIDTH, WIDTH)


class Add(nn.Module):
    """A residual step around a module."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.norm = inner, nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.inner(x))


class Run(nn.Module):
    """What is in a list, one after another; a list in it likewise."""

    def __init__(self, **lists: nn.ModuleList) -> None:
        super().__init__()
        for name, modules in lists.items():
            self.add_module(name, modules)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        for module in list(self.children())[:-1]:
            x = run(module, x)
        return self.head(x)


def run(module: nn.Module, x: Tensor) -> Tensor:
    if not isinstance(module, nn.ModuleList):
        return module(x)
    for inner in module:
        x = run(inner, x)
    return x


class Stage(nn.Module):
    """Blocks, and a change of width after them; the sum is outside of a block."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(linear(), nn.LayerNorm(WIDTH)) for _ in range(depth)
        )
        self.downsample = linear()

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return self.downsample(x)


class Bottleneck(nn.Module):
    """A block with a list of equal parts of its own, as MobileBERT's."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.attention, self.output = linear(), Add(linear())
        self.ffn = nn.ModuleList(Add(nn.Sequential(linear(), linear())) for _ in range(parts))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x)
        for part in self.ffn:
            x = part(x)
        return self.output(x)


class ListedBlock(nn.Module):
    """Blocks that are lists of modules, which the network itself puts together."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([linear(), linear(), nn.LayerNorm(WIDTH)]) for _ in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        for up, down, norm in self.layers:
            x = norm(x + down(up(x)))
        return x


def listed(depth: int) -> nn.ModuleList:
    return nn.ModuleList([linear(), ListedBlock(depth)])


def parts(count: int) -> nn.ModuleList:
    return nn.ModuleList(Add(nn.Sequential(linear(), linear())) for _ in range(count))


def entries(model: nn.Module) -> list[str]:
    return [str(next(iter(entry.values()))) for entry in drafted(model, TOKENS).rules["layers"]]


def depth(model: nn.Module) -> int:
    return assign_layers(model, drafted(model, TOKENS).rules).num_layers


def test_a_stage_that_changes_the_width_is_no_block():
    stages = {f"layers{n}": nn.ModuleList([Stage(2)]) for n in range(1, 5)}
    model = Run(embed=nn.ModuleList([linear()]), **stages)
    assert depth(model) == 1 + 4 * 2 + 1


def test_blocks_that_are_lists_below_a_list_of_unlike_modules_are_found():
    model = Run(layers=nn.ModuleList(map(listed, (2, 2, 8, 2))))
    assert depth(model) == 14 + 1


@pytest.mark.parametrize("count", [2, 3])
def test_a_list_of_equal_parts_does_not_make_a_block_a_stage(count):
    blocks = nn.ModuleList(Bottleneck(count) for _ in range(6))
    model = Run(embed=nn.ModuleList([linear()]), blocks=blocks)
    assert depth(model) == 1 + 6 + 1


def test_a_block_that_is_a_list_of_residual_parts_is_one_and_the_draft_is_unsure():
    model = Run(embed=nn.ModuleList([linear()]), blocks=nn.ModuleList(parts(3) for _ in range(6)))
    assert depth(model) == 1 + 6 + 1
    assert drafted(model, TOKENS).unsure == (
        "Each blocks.{block} holds 3 modules that are alike; a layer is each blocks.{block}.**, "
        "where it could be each blocks.{stage}.{block}.**.",
    )


def test_lists_of_different_lengths_are_stages():
    model = Run(blocks=nn.ModuleList(map(parts, (1, 2, 3))))
    assert depth(model) == 6 + 1
    assert drafted(model, TOKENS).unsure == ()


def test_a_number_that_is_said_twice_is_said_once():
    stages = {
        f"stage{n}": nn.ModuleDict({f"unit{n}-{b}": Add(linear()) for b in range(n + 1)})
        for n in range(1, 4)
    }
    model = Named(**stages)
    assert entries(model)[0] == "stage{stage}.unit*-{block}.**"
    assert depth(model) == 2 + 3 + 4 + 1


@pytest.mark.parametrize(("part", "parts_of_each"), [(Add, 2), (nn.Sequential, 1)])
def test_numbered_parts_are_blocks_where_each_is_a_residual_step(part, parts_of_each):
    """As the trees in a level of DLA are, and two convolutions of a block are not."""
    levels = {
        f"level{n}": nn.ModuleDict(
            {"project": linear()}
            | {f"tree{b}": part(nn.Sequential(linear(), linear())) for b in (1, 2)}
        )
        for n in range(4)
    }
    assert depth(Named(**levels)) == 4 * parts_of_each + 1


class Named(nn.Module):
    """Stages of named blocks, one after another."""

    def __init__(self, **stages: nn.ModuleDict) -> None:
        super().__init__()
        for name, stage in stages.items():
            self.add_module(name, stage)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        for stage in list(self.children())[:-1]:
            for block in stage.children():
                x = block(x)
        return self.head(x)

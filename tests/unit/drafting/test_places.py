"""Where a draft puts what is beside the blocks: by what depends on it, and what it depends on."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from lrd_registry import assign_layers
from tests.support.building import layers_of
from tests.support.drafting.drafting import drafted

WIDTH = 8
ROW = (2, WIDTH)


def linear(out: int = WIDTH) -> nn.Linear:
    return nn.Linear(WIDTH, out)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = linear(), linear()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.up(x))


def blocks(count: int) -> nn.Sequential:
    return nn.Sequential(*(Block() for _ in range(count)))


def placed(model: nn.Module, inputs: object) -> tuple[dict[str, int], int]:
    assignment = assign_layers(model, drafted(model, inputs).rules)
    return layers_of(assignment), assignment.num_layers


class SideBranches(nn.Module):
    """A classifier beside a decoder, a skip from the input to the end, and a quantiser."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.encoder, self.decoder = linear(), blocks(4), blocks(3)
        self.out, self.classifier, self.skip = linear(2), linear(5), linear()
        self.codes = nn.Parameter(torch.zeros(4, WIDTH))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = self.encoder(self.stem(x))
        return self.out(self.decoder(y) + self.skip(x)), self.classifier(y), y @ self.codes.T


@pytest.mark.parametrize("name", ["classifier.weight", "skip.weight", "codes", "out.weight"])
def test_what_only_the_output_depends_on_is_in_the_head(name):
    layers, depth = placed(SideBranches(), ROW)
    assert (layers[name], depth) == (8, 9)


class Translator(nn.Module):
    """An encoder, and a decoder with embeddings and learnt queries of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(5, WIDTH)
        self.encoder, self.decoder = blocks(3), blocks(2)
        self.positions = nn.Parameter(torch.zeros(2, WIDTH))
        self.targets = nn.Embedding(5, WIDTH)
        self.out = linear(5)
        self.out.weight = self.targets.weight

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory = self.encoder(self.words(source))
        return self.out(self.decoder(self.targets(target) + self.positions + memory))


def test_what_enters_a_decoder_is_with_its_first_block_also_where_it_is_tied_to_the_output():
    ids = torch.zeros(1, 2, dtype=torch.long)
    layers, depth = placed(Translator(), [ids, ids])
    first = layers["decoder.0.up.weight"]
    assert (first, depth) == (4, 7)
    assert layers["targets.weight"] == layers["positions"] == first


class Encoder(nn.Module):
    """Ten convolutions with norms, and what the decoder takes of them."""

    def __init__(self) -> None:
        super().__init__()
        found: list[nn.Module] = []
        width = 3
        for wide in (8, 8, 0, 16, 16, 0, 32, 32, 32, 0):
            if wide:
                conv = nn.Conv2d(width, wide, 3, padding=1)
                found += [conv, nn.BatchNorm2d(wide), nn.ReLU()]
                width = wide
            else:
                found.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*found)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        for module in self.features:
            found += [x] if isinstance(module, nn.MaxPool2d) else []
            x = module(x)
        return [*found, x]


class Up(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv2(self.conv1(torch.cat([interpolate(x, scale_factor=2), skip], 1)))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.blocks = nn.ModuleList([Up(64, 16), Up(32, 8), Up(16, 8)])
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        *skips, x = self.encoder(x)
        for block, skip in zip(self.blocks, skips[::-1], strict=True):
            x = block(x, skip)
        return self.head(x)


def test_an_encoder_of_single_layers_below_a_decoder_has_a_layer_for_each():
    layers, depth = placed(UNet(), (1, 3, 32, 32))
    convolutions = [n for n in layers if n.startswith("encoder.") and layers_of_conv(n)]
    assert [layers[name] for name in convolutions] == list(range(7))
    assert depth == 7 + 3 + 1


def layers_of_conv(name: str) -> bool:
    return name.endswith("weight") and int(name.split(".")[2]) in {0, 3, 7, 10, 14, 17, 20}


class Attention(nn.Module):
    """A residual step with the weights of an attention."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = linear(), linear(), linear(), linear()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(self.query(x) * self.key(x) + self.value(x))


class EncoderAndDecoder(nn.Module):
    """Attention below attention; `between` is used after the first half of the encoder."""

    def __init__(self, encoder: int, decoder: int, between: bool = False) -> None:
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(Attention() for _ in range(encoder))
        self.encoder.between = linear() if between else nn.Identity()
        self.decoder = nn.ModuleList(Attention() for _ in range(decoder))
        self.head = linear(2)

    def forward(self, x: Tensor) -> Tensor:
        half = len(self.encoder.layers) // 2
        for number, layer in enumerate(self.encoder.layers):
            x = layer(self.encoder.between(x) if number == half else x)
        for layer in self.decoder:
            x = layer(x)
        return self.head(x)


def test_a_short_encoder_of_attention_below_a_long_decoder_is_no_stem():
    """Blenderbot has two blocks below 24, a twentieth of its weights."""
    layers, depth = placed(EncoderAndDecoder(2, 48), ROW)
    found = [layers[f"encoder.layers.{n}.query.weight"] for n in range(2)]
    assert (found, depth) == ([0, 1], 2 + 48 + 1)


def test_an_encoder_that_something_interrupts_has_an_entry_for_each_block():
    model = EncoderAndDecoder(8, 40, between=True)
    layers, depth = placed(model, ROW)
    found = [layers[f"encoder.layers.{n}.query.weight"] for n in range(8)]
    assert (found, layers["encoder.between.weight"]) == ([0, 1, 2, 3, 5, 6, 7, 8], 4)
    assert depth == 9 + 40 + 1
    assert drafted(model, ROW).unsure == (
        "layers_0 to layers_7 are entries by their own names; another size of the network may "
        "need other entries.",
    )


class Lists(nn.Module):
    """Weights and biases in two lists of parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.zeros(WIDTH, WIDTH) for _ in range(5))
        self.biases = nn.ParameterList(torch.zeros(WIDTH) for _ in range(5))
        self.head = linear(3)

    def forward(self, x: Tensor) -> Tensor:
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = (x @ weight + bias).relu()
        return self.head(x)


def test_lists_of_parameters_are_layers_in_the_order_of_their_use():
    assert drafted(Lists(), ROW).rules["layers"] == [
        {"block": ["weights.{block}", "biases.{block}"]},
        {"head": {"match": "head.**", "optional": True}},
    ]


class Captioner(nn.Module):
    """A tower that a pass of text alone does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.text = blocks(6), blocks(4)
        self.embed, self.head = linear(), linear(2)

    def forward(self, x: Tensor, image: Tensor | None = None) -> Tensor:
        x = self.embed(x)
        return self.head(self.text(x if image is None else x + self.image(image)))


def test_what_the_pass_does_not_use_is_named_with_its_size_and_what_to_do():
    assert drafted(Captioner(), ROW).unsure == (
        "The forward pass does not use image.**: 24 of 44 parameters, put into the first layer; "
        "give inputs that use them.",
    )


def headed(head: nn.Module) -> nn.Sequential:
    names = {"stem": linear(), "blocks": blocks(3), "head": head}
    model = nn.Sequential()
    for name, module in names.items():
        model.add_module(name, module)
    return model


def test_a_block_has_the_same_scale_with_and_without_a_head():
    with_head, _ = placed(headed(linear()), ROW)
    without, depth = placed(headed(nn.Identity()), ROW)
    assert without == {name: with_head[name] for name in without}
    assert depth == 5


class Tower(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.embed, self.blocks = linear(), blocks(depth)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.embed(x))


class Fused(nn.Module):
    """Towers, and blocks that take what they give together."""

    def __init__(self, fusion: int, *towers: int) -> None:
        super().__init__()
        self.towers = nn.ModuleDict({f"tower_{n}": Tower(depth) for n, depth in enumerate(towers)})
        self.scale = nn.Parameter(torch.ones(WIDTH))
        self.fusion, self.head = blocks(fusion), linear(2)

    def forward(self, *inputs: Tensor) -> Tensor:
        pairs = zip(self.towers.values(), inputs, strict=True)
        x = sum(tower(x) for tower, x in pairs) * self.scale
        return self.head(self.fusion(x))


class InAList(Fused):
    def __init__(self, fusion: int, *towers: int) -> None:
        super().__init__(fusion, *towers)
        self.towers = nn.ModuleList(self.towers.values())

    def forward(self, *inputs: Tensor) -> Tensor:
        x = sum(tower(x) for tower, x in zip(self.towers, inputs, strict=True)) * self.scale
        return self.head(self.fusion(x))


@pytest.mark.parametrize(("kind", "path"), [(Fused, "tower_"), (InAList, "")])
@pytest.mark.parametrize("fusion", [2, 3])
@pytest.mark.parametrize("depths", [(3, 3), (6, 2), (2, 3, 4)])
def test_towers_that_something_joins_go_on_below_it(kind, path, fusion, depths):
    model = kind(fusion, *depths)
    assignment = assign_layers(model, drafted(model, [ROW] * len(depths)).rules)
    join = assignment.scale("fusion.0.up.weight", 0.5)
    assert join == 0.5**fusion
    for number, depth in enumerate(depths):
        for block in range(depth):
            name = f"towers.{path}{number}.blocks.{block}.up.weight"
            assert assignment.scale(name, 0.5) == join * 0.5 ** (depth - block)
        embed = f"towers.{path}{number}.embed.weight"
        assert assignment.scale(embed, 0.5) == join * 0.5 ** (depth + 1)
    assert assignment.scale("head.weight", 0.5) == 1.0
    assert assignment.scale("scale", 0.5) == join


def test_the_draft_of_joined_towers_says_which_part_they_feed():
    found = drafted(Fused(2, 3, 2), [ROW, ROW])
    assert found.unsure[0] == (
        "tower_0 and tower_1 feed fusion, so their scales go on below its first layer (`before`)."
    )
    assert {name: part.get("before") for name, part in found.rules["parts"].items()} == {
        "tower_0": "fusion",
        "tower_1": "fusion",
        "fusion": None,
    }
    assert "\n    before: fusion\n" in str(found)


class Masked(nn.Module):
    """Embeddings with a token that only pretraining uses, and blocks with a bias that none uses."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Module()
        self.embed.inner, self.embed.mask = linear(), nn.Parameter(torch.ones(WIDTH))
        self.blocks, self.head = blocks(3), linear(2)
        for block in self.blocks:
            block.spare = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.embed.inner(x)))


def test_what_is_not_used_in_a_module_that_is_used_is_named():
    found = drafted(Masked(), ROW)
    assert found.unsure == (
        "The forward pass does not use embed.mask, blocks.{block}.spare: 4 of 20 parameters, put "
        "into the layers of what is around them; give inputs that use them.",
    )


class Twice(nn.Module):
    """Two weights, and no way past them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(width, WIDTH), linear()

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x))


@pytest.mark.parametrize(
    ("steps", "width", "is_stem"), [(9, 3, True), (4, 3, False), (9, WIDTH, False)]
)
def test_a_short_run_of_plain_modules_that_change_the_width_is_the_stem(steps, width, is_stem):
    plain = nn.Sequential(Twice(width), Twice(WIDTH))
    model = nn.Sequential()
    for name, module in {"plain": plain, "blocks": blocks(steps * 2), "head": linear(2)}.items():
        model.add_module(name, module)
    layers, depth = placed(model, (2, width))
    assert (layers["plain.0.one.weight"], layers["plain.1.one.weight"]) == (0, 0 if is_stem else 1)
    assert depth == 2 * steps + (2 if is_stem else 3)


def test_a_short_first_stage_of_plain_modules_is_none():
    """EfficientNet-B0 has one block in its first stage, which nothing passes by."""
    stages = [nn.Sequential(Twice(WIDTH)), *(nn.Sequential(linear(), *blocks(4)) for _ in range(3))]
    model = nn.Sequential()
    model.add_module("features", nn.Sequential(linear(), *stages))
    model.add_module("head", linear(2))
    layers, _ = placed(model, ROW)
    assert layers["features.0.weight"] == 0
    assert layers["features.1.0.one.weight"] == 1


class Stage(nn.Module):
    """Blocks, beside a short run of another kind."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.down, self.summary = linear(), nn.ModuleList(Block() for _ in range(2))
        self.steps = blocks(depth)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        for block in self.summary:
            x = block(x)
        return self.steps(x)


def test_of_two_runs_in_each_stage_the_longer_one_is_its_blocks():
    model = nn.Sequential()
    model.add_module("stages", nn.Sequential(Stage(5), Stage(6)))
    model.add_module("head", linear(2))
    layers, _ = placed(model, ROW)
    assert [layers[f"stages.1.steps.{n}.up.weight"] for n in range(6)] == [5, 6, 7, 8, 9, 10]

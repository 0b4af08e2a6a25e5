"""A module under two names is one module: it is where one of its names puts it."""

import pytest
from torch import Tensor, nn

from lrd_registry import CoverageError, assign_layers, build_param_groups, draft
from tests.support.building import layers_of

pytestmark = pytest.mark.engine

RULES = {
    "arch": "mine",
    "layers": [{"stem": "stem.**"}, {"block": "blocks.{block}.**"}, {"head": "head.**"}],
}
WIDTH = 4


def linear() -> nn.Linear:
    return nn.Linear(WIDTH, WIDTH)


class Step(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = linear(), linear()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.up(x))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = linear(), linear()
        self.blocks = nn.Sequential(*(Step() for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = Net()
        self.right = self.left
        self.last = linear()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.left(x) + self.right(-x))


class Shortcut(nn.Module):
    """Inner blocks, once more at the top, before or after the network that holds them."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        net = Net()
        modules = (
            {"blocks": net.blocks, "net": net} if first else {"net": net, "blocks": net.blocks}
        )
        for name, module in modules.items():
            self.add_module(name, module)
        self.last = linear()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.net(x))


class Loss(nn.Module):
    """A loss that holds the model, registered before it."""

    def __init__(self) -> None:
        super().__init__()
        net = Net()
        self.criterion = nn.ModuleDict({"inner": nn.ModuleDict({"net": net})})
        self.model = net

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


MODELS = [
    (Siamese, "left"),
    (Siamese, "right"),
    (lambda: Shortcut(True), "net"),
    (lambda: Shortcut(False), "net"),
    (Loss, "model"),
    (Loss, "criterion.inner.net"),
]


def of_blocks(assignment) -> list[int]:
    layers = layers_of(assignment)
    return [layer for name, layer in layers.items() if name.endswith("up.weight")]


@pytest.mark.parametrize(("make", "prefix"), MODELS)
def test_a_module_is_inside_a_prefix_by_any_of_its_names(make, prefix):
    model = make()
    assignment = assign_layers(model, RULES, prefix=prefix, outside="head")
    assert of_blocks(assignment) == [1, 2, 3]
    groups = build_param_groups(model, RULES, prefix=prefix, outside="head")
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


@pytest.mark.parametrize("make", [make for make, _ in MODELS])
def test_a_draft_is_made_of_one_path_each(make):
    model = make()
    found = draft(model, "mine", inputs=(2, WIDTH))
    assert of_blocks(assign_layers(model, found.rules)) == [1, 2, 3]
    assert not any("tensor" in sentence for sentence in found.unsure)


def test_no_pattern_of_a_draft_matches_another_path_of_a_block():
    rules = draft(Shortcut(True), "mine", inputs=(2, WIDTH)).rules
    assert rules["layers"] == [
        {"stem": "net.stem.**"},
        {"block": "blocks.{block}.**"},
        {"head": {"match": ["net.head.**", "last.**"], "optional": True}},
    ]


def test_two_names_in_two_layers_are_an_error_that_says_it_is_one_module():
    layers = [{"stem": ["net.stem.**", "blocks.**"]}, {"rest": ["net.blocks.**", "net.head.**"]}]
    rules = {"arch": "mine", "layers": [*layers, {"head": "last.**"}]}
    with pytest.raises(CoverageError, match=r"one module, as net\.blocks\.0\.up\.weight: layer 1"):
        assign_layers(Shortcut(False), rules)


def test_a_tensor_that_two_modules_share_is_still_a_tie():
    model = Net()
    model.head.weight = model.stem.weight
    with pytest.raises(CoverageError, match=r"tied as stem\.weight: layer 0"):
        assign_layers(model, RULES)


def test_a_name_that_no_pattern_matches_is_named_where_no_other_path_is_matched():
    rules = {"arch": "mine", "layers": [{"stem": "left.stem.**"}, {"head": "last.**"}]}
    with pytest.raises(CoverageError) as caught:
        assign_layers(Siamese(), rules)
    assert "left.blocks.0.up.weight" in caught.value.unmatched
    assert "left.stem.weight" not in caught.value.unmatched
    assert "right.stem.weight" not in caught.value.unmatched


def test_a_network_with_a_second_name_for_each_of_its_modules_is_drafted_the_same():
    plain, named_twice = Net(), Net()
    named_twice.again = nn.ModuleDict({"of": nn.ModuleDict(dict(named_twice.named_children()))})
    expected = layers_of(assign_layers(plain, draft(plain, "a", inputs=(2, WIDTH)).rules))
    found = assign_layers(named_twice, draft(named_twice, "a", inputs=(2, WIDTH)).rules)
    assert layers_of(found) == expected


def test_wrappers_do_not_hide_that_it_is_one_module():
    model = Siamese()
    model.right = nn.DataParallel(model.left)
    assignment = assign_layers(model, RULES, prefix="left", outside="head")
    assert of_blocks(assignment) == [1, 2, 3]

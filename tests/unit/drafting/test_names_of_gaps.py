"""What stands between stacks has a name of its own, whatever its modules are called."""

import pytest
from torch import nn

from lrd_registry import assign_layers
from lrd_registry.drafting import draft
from lrd_registry.tracing import trace

WIDTH = 8


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.b(self.a(x))


class Part(nn.Module):
    """Blocks, and after them what is too large to join one."""

    def __init__(self, name):
        super().__init__()
        self.layers = nn.ModuleList(Block() for _ in range(3))
        self.last = name
        setattr(self, name, nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(3))))

    def forward(self, x):
        for block in self.layers:
            x = block(x)
        return getattr(self, self.last)(x)


def network(names):
    return nn.Sequential(*map(Part, names), nn.Linear(WIDTH, 2))


@pytest.mark.parametrize(
    "names", [["adapter"] * 3, ["adapter"] * 5, ["stem"] * 3, ["head", "head", "mix", "mix"]]
)
def test_gaps_of_one_last_name_are_entries_of_several(names):
    model = network(names)
    drafted = draft(model, "mine", trace(model, (2, WIDTH)))
    entries = [name for layer in drafted.rules["layers"] for name in layer]
    assert len(set(entries)) == len(entries)
    layers = assign_layers(model, drafted.rule_set)
    parts = range(len(names))
    assert [layers[f"{part}.layers.0.a.weight"].layer for part in parts] == [4 * p for p in parts]

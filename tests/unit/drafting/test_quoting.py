"""Names that YAML would read as something else are in quotes, and load as they are."""

import pytest
from torch import Tensor, nn

from lrd_registry.assign.assign_layers import assign_layers
from lrd_registry.drafting import draft
from lrd_registry.rule_files.load import parse_rule_set
from lrd_registry.tracing import trace


class Odd(nn.Module):
    """Modules one after another, under names of one's choice."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.steps = nn.ModuleDict({name: nn.Linear(4, 4) for name in names})

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps.values():
            x = step(x)
        return x


class Directly(Odd):
    """The same, with the modules at the top."""

    def __init__(self, *names: str) -> None:
        nn.Module.__init__(self)
        for name in names:
            self.add_module(name, nn.Linear(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        for step in self.children():
            x = step(x)
        return x


@pytest.mark.parametrize("make", [Odd, Directly])
@pytest.mark.parametrize(
    "names",
    [("on", "off"), ("no", "yes"), ("null", "true"), ("1e3", "0x10"), ("a,b", "c]"), ("~", "=")],
)
def test_a_draft_with_odd_names_loads_as_it_is(make, names):
    model = make(*names)
    drafted = draft(model, "mine", trace(model, (1, 4)))
    assert parse_rule_set(str(drafted)) == drafted.rule_set
    assert len(assign_layers(model, parse_rule_set(str(drafted)))) == 4


@pytest.mark.parametrize("name", ["a|b", "[x]", "a*|[b]", "what?", "back\\slash"])
@pytest.mark.parametrize("make", [Odd, Directly])
def test_a_name_that_no_pattern_may_have_is_drafted_with_a_star(make, name):
    model = make("first", name, "last")
    rules = parse_rule_set(str(draft(model, "mine", trace(model, (1, 4)))))
    layers = [row.layer for row in assign_layers(model, rules).values()]
    assert layers == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("arch", ["no", "123", "1e3"])
def test_the_architecture_may_be_called_so_too(arch):
    model = Odd("a", "b")
    text = str(draft(model, arch, trace(model, (1, 4))))
    assert parse_rule_set(text).arch == arch

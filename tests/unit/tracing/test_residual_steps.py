"""Which modules are residual steps: their input reaches what comes next past all matrices."""

import torch
from torch import nn

from lrd_registry import trace


class Steps(nn.Module):
    """One module of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)
        self.gate = nn.Parameter(torch.ones(1, 4))
        self.outside = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.lists = nn.ModuleList(nn.ModuleList([nn.Linear(4, 4)]) for _ in range(3))

    def forward(self, x):
        x = self.norm(self.plain(x)) * self.gate
        for module in self.outside:
            x = x + module(x)
        x = x + self.lists[0][0](x)
        x = self.lists[1][0](x)
        return self.lists[2][0](x)


class Within(nn.Module):
    """A step that adds to its input itself, and hands out its input beside the result."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.adds, self.shows = Adds(self.inner), Shows(self.inner)

    def forward(self, x):
        x, _ = self.shows(self.adds(x=x))
        return x


class Adds(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


class Shows(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x), x


def test_a_norm_and_a_scale_are_passed_and_a_matrix_is_not():
    found = trace(Steps(), (2, 4)).residual
    assert found["norm"]
    assert not found["plain"]


def test_a_sum_outside_of_a_module_makes_it_a_step_for_its_successor():
    found = trace(Steps(), (2, 4)).residual
    assert found["outside.0"]
    assert not found["outside.1"]  # nothing comes after it that would show it


def test_a_list_that_does_not_run_takes_what_its_first_module_takes():
    traced = trace(Steps(), (2, 4))
    assert traced.residual["lists.0"]
    assert not traced.residual["lists.1"]
    assert "lists.0" not in traced.ran
    assert "lists.0.0" in traced.ran


def test_an_input_by_name_counts_and_of_several_outputs_the_first():
    found = trace(Within(), (2, 4)).residual
    assert found["adds"]
    assert not found["shows"]


class Tables(nn.Module):
    """Tables of rows that are added up, each of which takes the same numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.of_type_0, self.of_type_1, self.of_type_2 = (nn.Embedding(3, 4) for _ in range(3))
        self.side_0, self.side_1 = nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, x, kinds):
        x = self.first(x)
        for table in (self.of_type_0, self.of_type_1, self.of_type_2):
            x = x + table(kinds)
        return self.side_0(self.first(x)) + self.side_1(x)


def test_modules_side_by_side_are_no_steps_of_one_another():
    found = trace(Tables(), [torch.ones(2, 4), torch.ones(2, dtype=torch.long)]).residual
    assert {name: found[name] for name in found if name.startswith("of_type")} == {
        "of_type_0": False,
        "of_type_1": False,
        "of_type_2": False,
    }
    assert found["side_1"] is False

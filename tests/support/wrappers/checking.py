"""What wrapping must leave as it was, by the tensors themselves."""

from collections.abc import Iterable, Mapping

from torch import nn

from lrd_registry import assign_layers
from tests.support.building import layers_of

LORA = ["lora_A.default.weight", "lora_B.default.weight"]
"""What LoRA adds to a module."""


def named(start: str, names: Iterable[str], layer: int) -> dict[str, int]:
    """One layer for all of these names, each below the start."""
    return {f"{start}.{name}": layer for name in names}


class Before:
    """A model's layers by tensor, taken before it is wrapped."""

    def __init__(self, model: nn.Module, arch) -> None:
        self.arch = arch
        self.assignment = assign_layers(model, arch)
        self._tensors = list(model.parameters())  # kept, so that no other gets its id
        self._layers = {id(p): self.assignment[name].layer for name, p in model.named_parameters()}

    def expected(self, wrapped: nn.Module, new: Mapping[str, int]) -> dict[str, int]:
        """The layer of each name: for a tensor of before its own, for a new one the one given."""
        found = {
            name: self._layers[id(p)]
            for name, p in wrapped.named_parameters()
            if id(p) in self._layers
        }
        assert not found.keys() & new.keys()
        assert {*found, *new} == {name for name, _ in wrapped.named_parameters()}
        return found | new


def check(wrapped: nn.Module, before: Before, new: Mapping[str, int] | None = None) -> None:
    """All is as before: for the module, its pairs, and by an assignment of the bare model."""
    expected = before.expected(wrapped, new or {})
    check_form(wrapped, before, expected)
    check_form(wrapped.named_parameters(), before, expected)
    assert layers_of(assign_layers(wrapped, before.assignment)) == expected


def check_form(form, before: Before, expected: Mapping[str, int]) -> None:
    """Every layer is as expected, and the fingerprint that of the bare model."""
    assignment = assign_layers(form, before.arch)
    assert layers_of(assignment) == expected
    assert assignment.layers == before.assignment.layers
    assert assignment.fingerprint() == before.assignment.fingerprint()


def decays(groups) -> dict[str, float]:
    """The weight decay of each name in some groups."""
    return {name: group["weight_decay"] for group in groups for name in group["param_names"]}

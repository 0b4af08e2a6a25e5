"""One network in several libraries: whether its tensors are the same, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import nn

from lrd_registry import assign_layers, build_param_groups
from lrd_registry.rule_files.schema import RuleSet
from tests.support.name_maps import NameMap, Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """One network, of so many blocks in each stage: its model in each library."""

    names: NameMap
    depths: Sequence[int]
    models: Mapping[str, nn.Module] = field(repr=False)

    @cached_property
    def parameters(self) -> dict[str, dict[str, nn.Parameter]]:
        return {library: dict(model.named_parameters()) for library, model in self.models.items()}

    @cached_property
    def tensors(self) -> list[Tensor]:
        """The map's tensors, but for those that no library has in this network."""
        return [t for t in self.names.tensors(self.depths) if any(self.stored(t))]

    def stored(self, tensor: Tensor) -> Iterator[tuple[str, str]]:
        """The library and name of each parameter that holds this tensor, or a part of it."""
        for library, names in tensor.names.items():
            for name in names:
                if name in self.parameters.get(library, ()):
                    yield library, name

    def shape(self, tensor: Tensor, library: str) -> Shape:
        """The shape of a tensor in one library, its parts joined, without dimensions of 1."""
        names, parameters = tensor.names[library], self.parameters[library]
        found = [_squeezed(parameters[name].shape) for name in names if name in parameters]
        if len(names) == 1:
            return found[0]
        zeros = (len(names) - len(found)) * found[0][0]
        return (sum(shape[0] for shape in found) + zeros, *found[0][1:])


def name_mismatches(network: Network) -> Iterator[str]:
    """The parameters that the map does not reach exactly once, and names that are no parameter."""
    for library, parameters in network.parameters.items():
        titles: dict[str, list[str]] = {}
        for tensor in network.tensors:
            for name in filter(None, tensor.names.get(library, ())):
                titles.setdefault(name, []).append(tensor.title)
        for name in [name for name in parameters if name not in titles]:
            yield f"{library}'s {name} is in no line of the map"
        for name, lines in titles.items():
            if name not in parameters:
                yield f"{lines[0]}: {library} has no {name}"
            if len(lines) > 1:
                yield f"{library}'s {name} is in more than one line: {'; '.join(lines)}"


def shape_mismatches(network: Network) -> Iterator[str]:
    """The tensors that have not the same shape in all libraries."""
    for tensor in network.tensors:
        if tensor.kind not in network.names.shapes_differ:
            shapes = {
                library: network.shape(tensor, library) for library, _ in network.stored(tensor)
            }
            if len(set(shapes.values())) > 1:
                yield f"{tensor.title}: {_listed(tensor, shapes)}"


def layer_differences(network: Network, rules: Mapping[str, RuleSet] | None = None) -> list[str]:
    """The tensors whose layers differ between libraries, and layouts that are not the map's.

    `rules` has the rule sets to use in place of the bundled ones, by library.
    """
    arch = rules or {}
    assignments = {
        library: assign_layers(model, arch.get(library, "auto"))
        for library, model in network.models.items()
    }
    layouts = [
        f"{library}'s names fit {found.arch}/{found.layout}, not {network.names.layouts[library]}"
        for library, found in assignments.items()
        if f"{found.arch}/{found.layout}" != network.names.layouts[library]
    ]
    told = {
        library: {name: f"layer {row.layer} of {found.num_layers}" for name, row in found.items()}
        for library, found in assignments.items()
    }
    return [*layouts, *_differences(network, told)]


def decay_differences(network: Network) -> list[str]:
    """The tensors that get weight decay in one library and none in another."""
    told = {library: dict(_decays(model)) for library, model in network.models.items()}
    return list(_differences(network, told))


def _decays(model):
    for group in build_param_groups(model):
        for name in group["param_names"]:
            yield name, "weight decay" if group["weight_decay"] else "no weight decay"


def _differences(network, told):
    """The tensors of which not the same is told in all libraries, with both names."""
    for tensor in network.tensors:
        (one, its_name), *others = network.stored(tensor)
        for other, name in others:
            if told[one][its_name] != told[other][name]:
                yield (
                    f"{tensor.title}: {told[one][its_name]} as {one}'s {its_name}, "
                    f"{told[other][name]} as {other}'s {name}"
                )


def _listed(tensor, shapes):
    return ", ".join(
        f"{shape} in {library} ({' + '.join(name or 'zeros' for name in tensor.names[library])})"
        for library, shape in shapes.items()
    )


def _squeezed(shape):
    return tuple(size for size in shape if size != 1) or (1,)

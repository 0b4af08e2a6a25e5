"""Models in the names of libraries that cannot be built: recorded ones, and stand-ins by a map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from tests.support.agreement import Network
from tests.support.building import model_with, parameter
from tests.support.places import REFERENCES


def reference(name: str) -> nn.Module:
    """A model of the authors' or of mmpretrain's, from its recorded names and shapes."""
    case = json.loads((REFERENCES / f"{name}.json").read_text())
    return model_with({name: parameter(*shape) for name, shape, _ in case["params"]})


def with_stand_ins(network: Network) -> Network:
    """The network with a model in every library of its map: the map's names, the right shapes."""
    missing = [library for library in network.names.layouts if library not in network.models]
    stand_ins = {library: model_with(dict(_named(network, library))) for library in missing}
    return replace(network, models={**network.models, **stand_ins})


def _named(network: Network, library: str) -> Iterator[tuple[str, nn.Parameter]]:
    """The map's names in a library, each with a parameter in the shape that it has there.

    It is that of the first library which has the tensor in as many parts, or else an equal share.
    """
    for tensor in network.tensors:
        names = tensor.names.get(library, ())
        having = dict(network.stored(tensor))
        others = [other for other in network.models if other in having]
        alike = [other for other in others if len(tensor.names[other]) == len(names)]
        theirs = tensor.names[alike[0]] if alike else [None] * len(names)
        for name, its_name in zip(names, theirs, strict=True):
            if its_name:
                yield name, network.parameters[alike[0]][its_name]
            elif name:
                first, *rest = network.shape(tensor, others[0])
                yield name, parameter(first // len(names), *rest)

"""Hypothesis strategies: random models, each with a random rule set that is known to fit it."""

from dataclasses import dataclass

from hypothesis import strategies as st
from torch import nn

from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.rule_files.schema import RuleSet
from tests.support.building import model_with, parameter

SHAPES = st.sampled_from([(), (1,), (3,), (2, 2), (4, 1), (2, 1, 2)])
LEAVES = st.sets(
    st.sampled_from(["weight", "bias", "attn.qkv.weight", "mlp.fc1.bias", "norm.weight", "table"]),
    min_size=1,
    max_size=4,
)


@dataclass(frozen=True)
class Case:
    """A model, a rule set that covers it, and the layer of each name, known by construction."""

    rules: RuleSet
    parameters: dict[str, nn.Parameter]
    layers: dict[str, int]
    num_layers: int

    @property
    def model(self) -> nn.Module:
        return model_with(self.parameters)


@st.composite
def cases(draw) -> Case:
    """A network of one to five entries: plain ones, runs of blocks, and stages of blocks."""
    kinds = draw(st.lists(st.sampled_from(["plain", "blocks", "stages"]), min_size=1, max_size=5))
    entries, layers, next_layer = [], {}, 0
    for number, kind in enumerate(kinds):
        entry, own, used = draw(PARTS[kind](f"part{number}"))
        entries.append({f"entry{number}": entry})
        layers |= {name: next_layer + layer for name, layer in own.items()}
        next_layer += used
    order = draw(st.permutations(sorted(layers)))
    parameters = {name: draw_parameter(draw) for name in order}
    rules = {"arch": "random", "no_weight_decay": ["**.table"], "layers": entries}
    return Case(rule_set_from_mapping(rules), parameters, layers, next_layer)


def draw_parameter(draw) -> nn.Parameter:
    return parameter(*draw(SHAPES)).requires_grad_(draw(st.booleans()))


@st.composite
def plain(draw, name):
    leaves = draw(LEAVES)
    return f"{name}.**", {f"{name}.{leaf}": 0 for leaf in leaves}, 1


@st.composite
def blocks(draw, name):
    """Blocks, some of them sharing a layer, with something before the first and after the last."""
    every, depth, leaves = draw(st.integers(1, 3)), draw(st.integers(1, 12)), draw(LEAVES)
    layers = {f"{name}.{i}.{leaf}": i // every for i in range(depth) for leaf in leaves}
    last = (depth - 1) // every
    layers |= {f"{name}in.weight": 0, f"{name}out.weight": last}
    entry = {"match": f"{name}.{{block}}.**", "every": every}
    return entry | {"first": f"{name}in.*", "last": f"{name}out.*"}, layers, last + 1


@st.composite
def stages(draw, name):
    """Stages of blocks, with downsampling at the start of each but the first, as timm has it."""
    depths, leaves = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)), draw(LEAVES)
    layers, layer = {}, 0
    for stage, depth in enumerate(depths):
        if stage:
            layers[f"{name}.{stage}.down.weight"] = layer - 1
        for block in range(depth):
            layers |= {f"{name}.{stage}.blocks.{block}.{leaf}": layer for leaf in leaves}
            layer += 1
    entry = {
        "match": f"{name}.{{stage}}.blocks.{{block}}.**",
        "previous": f"{name}.{{stage}}.down.**",
    }
    return entry, layers, layer


PARTS = {"plain": plain, "blocks": blocks, "stages": stages}

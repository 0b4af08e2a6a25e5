"""Models of each layout for text, speech, several inputs and detection: all that it speaks of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import transformers
import yaml
from torch import nn

from lrd_registry.models.on_meta import build_on_meta
from tests.support.building import model_with, parameter
from tests.support.places import DATA

RECORDED = json.loads((DATA / "names_of_other_libraries.json").read_text())["models"]


class Example(NamedTuple):
    """A model that a layout is for.

    Attributes:
        model: `type:Class` of transformers; of another library, the name of what was recorded.
        config: what is set in the type's default configuration.
        under: the path that the model has in a larger one.
        at: the path of the module that is meant, in the model.
    """

    model: str
    config: Mapping[str, Any] = {}
    under: str = ""
    at: str = ""

    def build(self) -> nn.Module:
        """The model, on the meta device."""
        if self.model in RECORDED:
            recorded = RECORDED[self.model]
            tensors = {name: parameter(*shape) for name, shape in recorded["names"].items()}
            tied = {name: tensors[first] for name, first in recorded.get("tied", {}).items()}
            return model_with(tensors | tied)
        kind, class_name = self.model.split(":")
        config = transformers.CONFIG_MAPPING[kind](**self.config)
        model = build_on_meta(lambda: getattr(transformers, class_name)(config), self.model)
        model = model.get_submodule(self.at)
        for name in reversed(self.under.split(".") if self.under else []):
            model = nn.ModuleDict({name: model})
        return model


def _example(item: str | dict[str, Any]) -> Example:
    return Example(**item) if isinstance(item, dict) else Example(item)


EXAMPLES = {
    layout: [_example(item) for item in items]
    for layout, items in yaml.safe_load((DATA / "examples.yaml").read_text()).items()
}
"""Layout -> models that together have a parameter for each of its patterns and prefixes."""

"""Every model of the bundled families in every library that has them, built without weights."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn

from tests.support.building import on_meta


@dataclass(frozen=True)
class LibraryModel:
    """One model of a library, and the layout that it must fit.

    `family` is what the library calls the model's kind: a module, a model type, a builder.
    """

    library: str
    family: str
    name: str
    arch: str
    layout: str
    make: Callable[[], nn.Module] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.library}:{self.name}"

    def build(self) -> nn.Module:
        """The model, on the meta device."""
        return on_meta(self.make)


def from_table(
    library: str, table: dict[str, tuple[str, str]], models: Callable[[str], dict[str, Any]]
) -> list[LibraryModel]:
    """The models of each family in `table`, family -> (arch, layout).

    `models` tells a family's models: name -> what makes it.
    """
    return [
        LibraryModel(library, family, name, arch, layout, partial(make))
        for family, (arch, layout) in table.items()
        for name, make in models(family).items()
    ]

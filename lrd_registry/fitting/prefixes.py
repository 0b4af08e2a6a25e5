"""Where in a model a rule set fits, found by trying every place."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from lrd_registry.fitting.trying import place_where_signed
from lrd_registry.layers.assignment import Assignment
from lrd_registry.names.compared import Names
from lrd_registry.rule_files.schema import RuleSet


class Found(NamedTuple):
    """A rule set that fits what is under a prefix."""

    prefix: str
    arch: str
    layout: str


def find_prefixes(rule_sets: Iterable[RuleSet], names: Names) -> list[Found]:
    """The outermost prefixes under which a rule set fits, in the model's order."""
    rule_sets = list(rule_sets)
    found: list[Found] = []
    for prefix in _paths(names.written.values()):
        if not any(prefix.startswith(f"{outer.prefix}.") for outer in found):
            results = place_where_signed(rule_sets, names.under(prefix, joins_head=True))
            fits = [result for result in results if isinstance(result, Assignment)]
            found += [Found(prefix, fit.arch, fit.layout) for fit in fits]
    return found


def _paths(names: Iterable[str]) -> list[str]:
    """The paths of all modules that hold parameters, the outer before the inner."""
    paths: dict[str, None] = {}
    for name in names:
        *path, _ = name.split(".")
        paths.update(dict.fromkeys(accumulate(path, "{}.{}".format)))
    return list(paths)

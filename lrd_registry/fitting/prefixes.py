"""Where in a model a rule set fits, found by trying every place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lrd_registry.fitting.trying import is_signed, place_where_signed
from lrd_registry.layers.assignment import Assignment
from lrd_registry.names.compared import Names
from lrd_registry.placing.parts import FindRuleSet
from lrd_registry.rule_files.schema import RuleSet

DEEPEST = 16
"""How many modules may be around a backbone."""


class Found(NamedTuple):
    """A rule set that fits what is under a prefix."""

    prefix: str
    arch: str
    layout: str


def find_prefixes(rule_sets: Iterable[RuleSet], names: Names, find: FindRuleSet) -> list[Found]:
    """The outermost prefixes under which a rule set fits, in the model's order."""
    rule_sets = list(rule_sets)
    found: list[Found] = []
    for prefix, below in _by_path(names.written.values()).items():
        is_inside = any(prefix.startswith(f"{outer.prefix}.") for outer in found)
        if not is_inside and is_signed(rule_sets, below):
            results = place_where_signed(rule_sets, names.under(prefix, joins_head=True), find)
            fits = [result for result in results if isinstance(result, Assignment)]
            found += [Found(prefix, fit.arch, fit.layout) for fit in fits]
    return found


def _by_path(names: Iterable[str]) -> dict[str, dict[str, None]]:
    """What is below the path of each module that holds parameters, the outer before the inner."""
    below: dict[str, dict[str, None]] = {}
    for name in names:
        path, dot, rest = "", "", name
        for _ in range(min(name.count("."), DEEPEST)):
            segment, _, rest = rest.partition(".")
            path, dot = f"{path}{dot}{segment}", "."
            below.setdefault(path, {})[rest] = None
    return below

"""Names for a rule set and its entries, from the model's class and the paths of modules."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lrd_registry.model_names.wrappers import unwrap

if TYPE_CHECKING:
    from torch import nn

from lrd_registry.drafting.tree.module_tree import Node

UNUSED = "the forward pass does not use {}"
UNSEEN = (
    "The forward pass does not use {}: {:,} of {:,} parameters, put into {}; give inputs that "
    "use them."
)

ROLES = ("match", "previous", "first", "last")


@dataclass(frozen=True)
class DraftEntry:
    """One entry: its name, its patterns by role, and what a reader should know of it."""

    name: str
    patterns: dict[str, list[str]] = field(default_factory=dict)
    optional: bool = False
    comments: tuple[str, ...] = ()

    def data(self) -> Any:
        """The entry's value in a rule file."""
        values: dict[str, Any] = {
            role: patterns[0] if len(patterns) == 1 else patterns
            for role, patterns in self.patterns.items()
            if patterns
        }
        if values.keys() == {"match"} and not self.optional:
            return values["match"]
        return values | ({"optional": True} if self.optional else {})

    def below(self, prefix: str) -> DraftEntry:
        """The entry with its patterns as they stand below a prefix."""
        start = f"{prefix}." if prefix else ""
        patterns = {
            role: [text.removeprefix(start) for text in texts]
            for role, texts in self.patterns.items()
        }
        return replace(self, patterns=patterns)


NO_HEAD = "the model has no head; with one, its blocks have the same scales"


def with_head(entries: Sequence[DraftEntry], root: Node) -> list[DraftEntry]:
    """The entries with one for a head, also where the model has none: its layer is there.

    Of a model that is a list of modules itself, the last of them is the head.
    """
    outermost = entries[-1].patterns["match"][0].partition(".")[0]
    if entries[-1].name == "head" or outermost.isdigit() or outermost == "{block}":
        return list(entries)
    name = next(name for name in ("head", "fc", "classifier", "head_") if name not in root.children)
    return [*entries, DraftEntry("head", {"match": [f"{name}.**"]}, True, (NO_HEAD,))]


_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9-]+")
_NEW_WORD = re.compile(r"(?<=[^_])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z]{2}(?![a-z]))")


def class_name(model: nn.Module) -> str:
    """A name for a rule set: that of the model's class, in lower case.

    >>> from torch import nn
    >>> class_name(nn.Sequential()), class_name(nn.DataParallel(nn.BatchNorm1d(3)))
    ('sequential', 'batch_norm1d')
    """
    words = _NEW_WORD.sub("_", type(unwrap(model)).__name__)
    return _NOT_IN_A_NAME.sub("_", words).strip("_").lower() or "model"


def entry_name(path: str, taken: Collection[str]) -> str:
    """A name for what is at a path, of its last parts; not one that is taken.

    >>> entry_name("model.mid", ()), entry_name("features.3", ()), entry_name("b.norm", ["norm"])
    ('mid', 'features_3', 'b_norm')
    >>> entry_name("3", ())  # YAML would read it as a number
    'module_3'
    """
    words = _words(path)
    for count in range(1, len(words) + 1):
        name = "_".join(words[-count:])
        if not words[-count].isdigit() and name not in taken:
            return name
    name = "_".join(words) or "all"
    return _numbered(name if any(map(str.isalpha, name)) else f"module_{name}", taken)


def stack_names(paths: Sequence[str]) -> list[str]:
    """Names for stacks: `block`, or what tells their paths apart.

    >>> stack_names(["blocks.{}"])
    ['block']
    >>> stack_names(["encoder.layers.{}", "decoder.layers.{}"])
    ['encoder', 'decoder']
    >>> stack_names(["features.1.{}", "features.3.{}"])
    ['stage_0', 'stage_1']
    """
    if len(paths) == 1:
        return ["block"]
    parts = [path.replace("{}", "").strip(".").split(".") for path in paths]
    start = _common(parts)
    end = _common([part[start:][::-1] for part in parts])
    middles = [_words(".".join(part[start : len(part) - end])) for part in parts]
    names: list[str] = []
    for number, words in enumerate(middles):
        others = [other for other in middles if other is not words]
        names.append(_numbered(_told_apart(words, others, number), {*names, "stem", "head"}))
    return names


def _told_apart(words: list[str], others: list[list[str]], number: int) -> str:
    """The fewest last words that no other has; where these are numbers, `stage` and the place."""
    if not words or words[-1].isdigit():
        plain = [word for word in words if not word.isdigit()]
        return "_".join([*(plain or ["stage"]), str(number)])
    counts = (n for n in range(1, len(words)) if all(o[-n:] != words[-n:] for o in others))
    return "_".join(words[-next(counts, len(words)) :])


def _common(parts: list[list[str]]) -> int:
    """How many first parts all of these share."""
    count = 0
    for together in zip(*parts, strict=False):
        if len(set(together)) > 1:
            break
        count += 1
    return count


def _words(path: str) -> list[str]:
    """The parts of a path, as they may stand in a name."""
    return [word for part in path.split(".") if (word := _NOT_IN_A_NAME.sub("_", part).strip("_"))]


def _numbered(name: str, taken: Collection[str]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)

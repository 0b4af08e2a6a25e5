"""What is often written in place of `- NAME: patterns`, and the words that lead there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from lrd_registry.wording import clip


def no_list(items: Any) -> str | None:
    """What to say of entries that are no list; None of a list, and of what is neither.

    >>> no_list({"stem": "embed.**"})
    'expected a list of entries, found a mapping; put a `-` and a space before each name'
    """
    if not isinstance(items, Mapping) or not items:
        return None
    found = "expected a list of entries, found a mapping"
    if all(str(name).startswith("-") for name in items):
        return f"{found}; put a space after each `-`"
    return f"{found}; put a `-` and a space before each name"


def no_entry(item: Any, keys: Collection[str]) -> str | None:
    """What to say of an item that is no entry; None of one that looks like one.

    Args:
        item: an item of the list of entries.
        keys: what may stand in an entry, below its name.

    >>> no_entry("stem embed.**", ())
    'expected an entry, found `stem embed.**`; put a `:` after the name: `- stem: embed.**`'
    """
    if isinstance(item, str):
        return f"expected an entry, found `{clip(item)}`; {_without_a_key(item)}"
    if isinstance(item, (list, tuple)):
        return f"expected an entry, found a list; put a name before it: `- NAME: {_shown(item)}`"
    return _beside_each_other(item, keys) if isinstance(item, Mapping) and item else None


def _without_a_key(text: str) -> str:
    name, _, rest = text.partition(":")
    if name.strip() and rest.strip():
        return f"put a space after the `:`: `- {clip(name.strip())}: {clip(rest.strip())}`"
    words = text.split()
    if len(words) == 2:
        return f"put a `:` after the name: `- {clip(words[0])}: {clip(words[1])}`"
    return "an entry has a name and patterns: `- NAME: patterns`"


def _beside_each_other(item: Mapping[Any, Any], keys: Collection[str]) -> str | None:
    """Of a mapping whose keys are not the entry's name alone."""
    first, *others = item
    name = item.get("name")
    if isinstance(name, str) and (others or not set(name) & set(".*{")):
        patterns = next((item[key] for key in others if key in {"match", "patterns"}), None)
        return (
            "an entry's name is its key, and its patterns are the value: "
            f"`- {clip(name)}: {_shown(patterns)}`"
        )
    if others and item[first] is None and set(others) <= set(keys):
        return f"`{others[0]}` stands beside `{clip(str(first))}`, not below it; indent it further"
    return None


def _shown(patterns: Any) -> str:
    """Patterns as they are written, where these are any."""
    if isinstance(patterns, str):
        return clip(patterns)
    if isinstance(patterns, (list, tuple)) and all(isinstance(text, str) for text in patterns):
        return clip(f"[{', '.join(patterns)}]")
    return "patterns"

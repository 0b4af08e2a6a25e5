"""Names as their author wrote them, told from names alone: in a checkpoint, no module says more.

Some components are no author's; `module` and `base_model` may be one's, so there are several
readings of names that all begin with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lrd_registry.model_names.flattened_lists import unflattened
from lrd_registry.model_names.peft_names import is_pefts, without_peft
from lrd_registry.model_names.reading import Reading

_ADDED = {
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
    "_original_module",
}
_PARAMETRIZED = re.compile(r"(?:^|(?<=\.))parametrizations\.([^.]+)\.(?:original\d*|(\d+\..+))$")
_MODULE = "module."
_AROUND_FEATURES = ("model.", "body.")


def readings_of_names(names: Sequence[str]) -> list[Reading]:
    """How names may have been written, the most literal reading first.

    >>> for reading in readings_of_names(["module.a._orig_mod.w", "module.b"]):
    ...     print(list(reading.written.values()))
    ['module.a.w', 'module.b']
    ['a.w', 'b']

    What timm's wrappers for features add can be an author's too, so it is a guess.

    >>> readings_of_names(["stages_0.w", "stages_1.w"])[-1].written["stages_0.w"]
    'stages.0.w'
    """
    written = [_without_added(name) for name in names]
    adapters: dict[int, tuple[str, ...]] = {
        place: (written[place],)
        for place, name in enumerate(names)
        if _is_parametrizations_own(name)
    }
    readings = [_reading(names, written, adapters)]
    while written:
        if all(name.startswith(_MODULE) for name in written):
            written = [name.removeprefix(_MODULE) for name in written]
        elif is_pefts(written):
            written, more = without_peft(written)
            adapters |= more
        else:
            break
        readings.append(_reading(names, written, adapters))
    if (whole := _without_features(written)) != written:
        readings.append(replace(_reading(names, whole, adapters), is_guess=True))
    return readings


def _without_features(names: Sequence[str]) -> list[str]:
    """The names without what timm's wrappers for features add."""
    for added in _AROUND_FEATURES:
        if all(name.startswith(added) for name in names):
            return [name.removeprefix(added) for name in names]
    split = (name.partition(".") for name in names)
    return [f"{unflattened(first)}{dot}{rest}" for first, dot, rest in split]


def _reading(
    names: Sequence[str], written: Sequence[str], adapters: Mapping[int, tuple[str, ...]]
) -> Reading:
    pairs = dict(zip(names, written, strict=True))
    return Reading(pairs, {names[place]: adapted for place, adapted in adapters.items()})


def _without_added(name: str) -> str:
    parts = [part for part in name.split(".") if part not in _ADDED]
    return _PARAMETRIZED.sub(r"\1", ".".join(parts))


def _is_parametrizations_own(name: str) -> bool:
    found = _PARAMETRIZED.search(name)
    return found is not None and found.group(2) is not None

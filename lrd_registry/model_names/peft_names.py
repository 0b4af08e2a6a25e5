"""Names inside a model of PEFT's, without its modules.

Copies go by their originals, adapters by what they adapt, and prompt tokens are told as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lrd_registry.model_names.reading import INPUT

MODEL, TUNER, PROMPTS, BASE = "base_model.", "model.", "prompt_encoder.", "base_layer"
_COPY = re.compile(r"(?:^|(?<=\.))(?:original_module|token_adapter|modules_to_save\.[^.]+)\.")


def is_pefts(names: list[str]) -> bool:
    """Whether names may be those of a model of PEFT's, or of one that it has put adapters into."""
    return bool(_start(names)) or any(BASE in name.split(".") for name in names)


def _start(names: list[str]) -> str:
    """What the names of the model within begin with; around one with prompts is no tuner."""
    inside = [name for name in names if not name.startswith(PROMPTS)]
    starts = (start for start in (MODEL + TUNER, MODEL) if inside and _all_start(inside, start))
    return next(starts, "")


def _all_start(names: list[str], start: str) -> bool:
    return all(name.startswith(start) for name in names)


def without_peft(names: list[str]) -> tuple[list[str], dict[int, tuple[str, ...]]]:
    """The names as they were before PEFT; and the places of adapters, with what each may adapt."""
    start = _start(names)
    inner = [_COPY.sub("", name.removeprefix(start)) for name in names]
    owners = set(_owners(inner))
    owned = [_owner(name, owners) for name in inner]
    held: dict[str, list[str]] = {}
    for name, owner in zip(inner, owned, strict=True):
        for base in _owners([name]) if owner is None else ():
            held.setdefault(base, []).append(_without_base(name))
    adapters = {
        place: _candidates(owner, held[owner])
        for place, owner in enumerate(owned)
        if owner is not None and owner in held
    }
    written = [
        INPUT if name.startswith(PROMPTS) else adapters.get(place, [_without_base(name)])[0]
        for place, name in enumerate(inner)
    ]
    return written, adapters


def _candidates(owner: str, held: list[str]) -> tuple[str, ...]:
    """What an adapter of a module may adapt: its own parameters, if it has any."""
    module = _without_base(owner)
    own = [name for name in held if name.rpartition(".")[0] == module]
    return tuple(own or held)


def _owners(names: Iterable[str]) -> Iterator[str]:
    """The modules that have a `base_layer`, by the names of what is in it."""
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:end]) for end, part in enumerate(parts) if part == BASE)


def _owner(name: str, owners: set[str]) -> str | None:
    """The innermost of these modules that a parameter is an adapter of."""
    parts = name.split(".")
    for end in reversed(range(len(parts))):
        if parts[end] != BASE and (owner := ".".join(parts[:end])) in owners:
            return owner
    return None


def _without_base(name: str) -> str:
    return ".".join(part for part in name.split(".") if part != BASE)

"""The `config.json` of a transformers model, which says all of its structure."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lrd_registry.errors import ModelError
from lrd_registry.models.files import read_text

CONFIG = "config.json"


def is_path(text: str) -> bool:
    """Whether `hf:` is followed by the path of a file or a folder, and not by a model type.

    >>> is_path("vit"), is_path("runs/my_vit"), is_path("config.json:ViTModel")
    (False, True, True)
    """
    path, _ = split_class(text)
    return path.endswith(".json") or "/" in path or os.sep in path


def split_class(text: str) -> tuple[str, str | None]:
    """A path and the class after it, if there is one.

    >>> split_class("runs/my_vit:ViTModel"), split_class("runs/my_vit")
    (('runs/my_vit', 'ViTModel'), ('runs/my_vit', None))
    """
    path, colon, last = text.rpartition(":")
    return (path, last) if colon and last.isidentifier() else (text, None)


def read_config(path: Path) -> dict[str, Any]:
    """What a configuration says, by the path of its file or of the file's folder.

    Raises:
        ModelError: it cannot be read, or is no configuration of transformers.
    """
    path = path if path.suffix == ".json" else path / CONFIG
    if not path.exists():
        raise ModelError(
            f"{path}: there is no such file; nothing is downloaded, so give the path of a "
            f"{CONFIG}, or of its folder"
        )
    try:
        data = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON: {error}") from None
    match data:
        case {"model_type": str()}:
            return dict(data)
    raise ModelError(
        f"{path}: expected a configuration of transformers, with its model_type; found none"
    )


def class_in(data: dict[str, Any]) -> str | None:
    """The model class that a configuration names, if it does."""
    match data:
        case {"architectures": [str(name), *_]}:
            return name
    return None

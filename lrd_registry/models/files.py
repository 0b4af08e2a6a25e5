"""Reading the files that models are named by."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from lrd_registry.errors import ModelError


def open_file(path: Path) -> BinaryIO:
    """Open a file to read its bytes.

    Raises:
        ModelError: it is not there, or cannot be read.
    """
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelError(f"{path}: cannot be read: {why}") from None


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        ModelError: it cannot be read, or is not UTF-8.
    """
    with open_file(path) as file:
        raw = file.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{path}: byte 0x{raw[error.start]:02x} at offset {error.start} is not UTF-8; "
            "expected a text file"
        ) from None

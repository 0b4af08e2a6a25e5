"""An error of ours as the command line shows it: a message or JSON, and an exit status."""

from __future__ import annotations

from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from lrd_registry.errors import (
    AmbiguousArchitectureError,
    CoverageError,
    LrdError,
    Needs,
    TraceError,
)

FALLS_SHORT, MISUSE = 1, 2
"""Exit status where the model or the rule falls short; where the call or a file is at fault."""

CALL = "lrd_registry.draft(model, NAME, lrd_registry.trace(model, inputs))"
WORDS: dict[Needs, str] = {
    "inputs": "give it --input 1,3,224,224, once for each input, or --input NAME=1,77 by name",
    "data": f"the command line gives shapes alone; in Python, pass real tensors: {CALL}",
    "weights": (
        "the command line builds no weights; in Python, pass real tensors to a model that has "
        f"its weights: {CALL}"
    ),
}
"""What a pass lacks, in the words of the command line."""


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    Attributes:
        error: the name of the exception.
        message: what a reader is told.
        status: the exit status.
        details: the attributes of the exception, such as `unmatched`.
    """

    error: str
    message: str
    status: int
    details: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The failure as plain data, ready for JSON."""
        return {"error": self.error, "message": self.message, **self.details}


def failure_of(error: LrdError) -> Failure:
    """What the command line says of an error.

    >>> failure_of(AmbiguousArchitectureError("two fit", candidates=["a/x", "b/y"])).to_dict()
    {'error': 'AmbiguousArchitectureError', 'message': 'two fit', 'candidates': ['a/x', 'b/y']}
    """
    falls_short = isinstance(error, CoverageError | AmbiguousArchitectureError)
    own = {key: value for key, value in vars(error).items() if not key.startswith("_")}
    details = {key: _plain(value) for key, value in own.items()}
    return Failure(
        type(error).__name__, _message(error), FALLS_SHORT if falls_short else MISUSE, details
    )


def _message(error: LrdError) -> str:
    if isinstance(error, TraceError) and error.needs:
        return f"{error.why}; {WORDS[error.needs]}"
    return str(error)


def _plain(value: Any) -> Any:
    """Plain data; a range as its numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | range):
        return [_plain(each) for each in value]
    return value

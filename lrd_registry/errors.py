"""The exceptions that lrd-registry raises: one family, rooted in `LrdError`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Needs: TypeAlias = Literal["inputs", "data", "weights"]
"""What a pass lacks: inputs, inputs that hold data, or also a model that holds its weights."""


class LrdError(Exception):
    """Anything that lrd-registry refuses; catch this to catch all of them."""


class InvalidArgumentError(LrdError, ValueError):
    """An argument outside its range, such as `layer_decay=0`."""


class ModelError(LrdError):
    """A model that cannot be built from its name, or that has nothing to train."""


class TraceError(ModelError):
    """A model whose forward pass fails, or that does not say what it takes.

    Attributes:
        why: what went wrong; the whole message also says what to do.
        needs: what would help, which each place says in its own words; None where nothing would.
    """

    def __init__(self, message: str, *, why: str, needs: Needs | None = None) -> None:
        super().__init__(message)
        self.why = why
        self.needs = needs


class ResumeError(LrdError):
    """A saved optimizer state that does not belong to the optimizer as it is now.

    Attributes:
        moved: parameters at another position, which would get another parameter's state.
        appeared: parameters that nothing was saved for.
        vanished: parameters that were saved and are gone.
        assignments: the fingerprints that were saved, and those of now, where they differ.
    """

    def __init__(
        self,
        message: str,
        *,
        moved: Sequence[str] = (),
        appeared: Sequence[str] = (),
        vanished: Sequence[str] = (),
        assignments: Sequence[tuple[str, ...]] = (),
    ) -> None:
        super().__init__(message)
        self.moved = tuple(moved)
        self.appeared = tuple(appeared)
        self.vanished = tuple(vanished)
        self.assignments = tuple(assignments)


class RankMismatchError(LrdError):
    """Processes of one training with different groups; `ranks` are those that differ from most."""

    def __init__(self, message: str, *, ranks: Sequence[int]) -> None:
        super().__init__(message)
        self.ranks = tuple(ranks)


@dataclass(frozen=True)
class Problem:
    """One fault of a rule file. `line` and `column` count from 1; data has neither."""

    source: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = "" if self.line is None else f":{self.line}:{self.column}"
        return f"{self.source}{place}: {self.message}"


class RuleFileError(LrdError):
    """A rule file that cannot be used; `problems` lists all of its faults in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line or 0, p.column or 0)))
        super().__init__("\n".join(map(str, self.problems)))


class RegistrationError(LrdError):
    """Two rule sets of one name, or an installed package without the rule files it names."""


@dataclass(frozen=True)
class LearningRateFault:
    """One thing that is wrong with the learning rates of an optimizer.

    Attributes:
        kind: `ignored` or `twice` (the scale), `other` (another learning rate), `floor` (lifted by
            the schedule), `together` (layers in one group), `unnamed`, `layer missing`, `missing`,
            `duplicate`, `unassigned` (parameters), `assignment` (another one than the groups').
        message: what was expected, what was found, where, and the likely fix.
        groups: the indices of the groups.
        names: the parameters.
    """

    kind: str
    message: str
    groups: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


class LearningRateError(LrdError):
    """An optimizer that does not give each parameter the learning rate asked for, with `faults`."""

    def __init__(self, faults: Sequence[LearningRateFault]) -> None:
        self.faults = tuple(faults)
        messages = [f"\n{fault.message}" for fault in self.faults]
        super().__init__("the learning rates are not those asked for:" + "".join(messages))


class UnknownArchitectureError(LrdError):
    """No rule set has this name; `nearest` holds the names that come close."""

    def __init__(self, message: str, *, nearest: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.nearest = tuple(nearest)


class AmbiguousArchitectureError(LrdError):
    """Several layouts fit one model; `candidates` names them as `arch/layout`."""

    def __init__(self, message: str, *, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


@dataclass(frozen=True)
class Gap:
    """A hole in a run of indices: `pattern` matches nothing at `index` in any `missing` range."""

    entry: str
    pattern: str
    index: str
    missing: tuple[range, ...]


class CoverageError(LrdError):
    """A layout and a model that do not fit each other, with every reason at once.

    Attributes:
        unmatched: names that no pattern matches.
        overlapping: name -> the `entry: pattern` pairs that claim it.
        missing: required entries, and signature patterns, that match nothing.
        gaps: holes in runs of indices.
    """

    def __init__(
        self,
        message: str,
        *,
        unmatched: Sequence[str] = (),
        overlapping: Mapping[str, tuple[str, ...]] | None = None,
        missing: Sequence[str] = (),
        gaps: Sequence[Gap] = (),
    ) -> None:
        super().__init__(message)
        self.unmatched = tuple(unmatched)
        self.overlapping = dict(overlapping or {})
        self.missing = tuple(missing)
        self.gaps = tuple(gaps)


class NoFittingArchitectureError(CoverageError, UnknownArchitectureError):
    """`arch="auto"` found no rule set that covers the model.

    The four kinds of fault are those of the nearest rule set, which `nearest` names; it is empty
    where none comes near.
    """

    def __init__(self, message: str, nearest: str | None, faults: CoverageError) -> None:
        super().__init__(
            message,
            unmatched=faults.unmatched,
            overlapping=faults.overlapping,
            missing=faults.missing,
            gaps=faults.gaps,
        )
        self.nearest = () if nearest is None else (nearest,)

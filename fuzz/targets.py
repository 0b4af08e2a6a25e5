"""What is fuzzed: functions of bytes that let no error pass but the documented ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fuzz.documents import document
from lrd_registry import LrdError, RuleFileError, assign_layers, load_rule_set
from lrd_registry.patterns.matching import Matcher
from lrd_registry.patterns.syntax import PatternError, parse_pattern

NAME_LIMIT = 200
ARCHS = ("auto", "vit", "swin", "convnext", "clip", "clip_text", "mae")


class Parameter:
    """Stands for a parameter where only its name counts, so that torch need not be there."""

    requires_grad = True
    shape = (2, 2)
    ndim = 2


def rule_file(data: bytes) -> None:
    """A file of any bytes is a rule set, or is refused with a place for each problem."""
    _load(data)


def mutated_file(data: bytes) -> None:
    """So is a rule file that was valid until somebody edited it."""
    _load(document(data).encode("utf-8", "surrogatepass"))


def parameter_names(data: bytes) -> None:
    """Each parameter gets exactly one layer, or the error says why not."""
    arch, names = ARCHS[data[0] % len(ARCHS)] if data else "auto", _names(data[1:])
    try:
        assignment = assign_layers([(name, Parameter()) for name in names], arch)
    except LrdError as error:
        assert str(error)
        return
    assert list(assignment) == names
    assert all(0 <= row.layer < assignment.num_layers for row in assignment.values())


def patterns(data: bytes) -> None:
    """A text is a pattern, or the reason is told; one pattern matches alone as among others."""
    first, *others = data.decode("utf-8", "replace").split("\n")
    try:
        pattern = parse_pattern(first)
    except PatternError as error:
        assert str(error)
        return
    assert parse_pattern(str(pattern)) == pattern
    every = parse_pattern("**")
    matcher = Matcher([pattern, every])
    for name in others[:NAME_LIMIT]:
        captures = pattern.match(name)
        hits = [hit.captures for hit in matcher.match(name) if hit.pattern == 0]
        assert hits == ([] if captures is None else [captures])
        assert len(captures or ()) in (0, len(pattern.indices))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "rule_file": rule_file,
    "mutated_file": mutated_file,
    "parameter_names": parameter_names,
    "patterns": patterns,
}


def _load(content: bytes) -> None:
    path = _scratch()
    path.write_bytes(content)
    try:
        rules = load_rule_set(path)
    except RuleFileError as error:
        assert error.problems
        assert all(problem.line and problem.column for problem in error.problems)
        return
    assert rules.layouts


@cache
def _scratch() -> Path:
    """A file of this process, in memory where there is such a place."""
    shared = "/dev/shm"
    directory = shared if os.access(shared, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="lrd-fuzz-", dir=directory)) / "x.yaml"


def _names(data: bytes) -> list[str]:
    lines = data.decode("utf-8", "replace").split("\n")[:NAME_LIMIT]
    return list(dict.fromkeys(lines))

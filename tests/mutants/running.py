"""One mutant after the other, each in a process forked from one that has the libraries already."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import Any, NamedTuple

import pytest

from tests.mutants.covering import ROOT
from tests.mutants.mutant import Mutant

LIBRARIES = (
    *("torch", "numpy", "yaml", "pydantic", "rich.table", "typer", "hypothesis"),
    *("timm", "torchvision", "transformers", "peft", "safetensors", "jsonschema"),
)
QUICKEST = 20
"""How many tests are tried first: most mutants end here, before all files are collected."""

GRACE = 60.0
"""The seconds that a mutant has in any case."""

SLOWDOWN = 5.0
"""How many times what its tests take without it a mutant has on top."""

MEMORY = 6 * 2**30
ALIVE = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


class Task(NamedTuple):
    """A mutant, and the tests that could notice it."""

    mutant: Mutant | None
    tests: Sequence[str]
    seconds: float


class Outcome(NamedTuple):
    """What became of a mutant: killed, timed out, alive or uncovered."""

    mutant: Mutant | None
    state: str
    seconds: float


def run(tasks: Iterable[Task], jobs: int) -> Iterator[Outcome]:
    """What becomes of each mutant, in the order in which they end."""
    for library in LIBRARIES:
        importlib.import_module(library)
    waiting, running = list(reversed(list(tasks))), dict[int, tuple[Task, float]]()
    with TemporaryDirectory() as storage:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = storage
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop()
                running[_start(task)] = (task, time.monotonic())
            yield from _ended(running)
            time.sleep(0.01)


def _ended(running: dict[int, tuple[Task, float]]) -> Iterator[Outcome]:
    for pid, (task, start) in list(running.items()):
        seconds = time.monotonic() - start
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del running[pid]
            code = os.waitstatus_to_exitcode(status)
            yield Outcome(task.mutant, "alive" if code in ALIVE else "killed", seconds)
        elif seconds > GRACE + SLOWDOWN * task.seconds:
            del running[pid]
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            yield Outcome(task.mutant, "timed out", seconds)


def _start(task: Task) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = _child(task)
    finally:
        os._exit(status)


def _child(task: Task) -> int:
    os.setpgid(0, 0)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if task.mutant is not None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "lrd_registry"]:
            del sys.modules[name]
        _import(task.mutant)
    options = ["-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
    quickest, rest = task.tests[:QUICKEST], task.tests[QUICKEST:]
    status = int(pytest.main([*options, *quickest]))
    return int(pytest.main([*options, *rest])) if rest and status in ALIVE else status


def _import(mutant: Mutant) -> None:
    """Import the mutant before pytest does, which finds files with doctests by itself."""
    finder = _Finder(mutant)
    sys.meta_path.insert(0, finder)
    importlib.import_module(finder.module)


class _Finder(MetaPathFinder):
    """Finds the mutant in place of the module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self.module = mutant.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """The specification of the mutated module; None for any other."""
        if fullname != self.module:
            return None
        file = ROOT / self._mutant.path
        loader = _Loader(fullname, str(file), self._mutant.applied(file.read_text()))
        return spec_from_file_location(fullname, file, loader=loader)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        """The code of the mutated text, which is kept nowhere."""
        return compile(self._text, self.path, "exec", dont_inherit=True)


def relative(path: Path) -> str:
    """A file's path from the project's root."""
    return str(path.relative_to(ROOT))

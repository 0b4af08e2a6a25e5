"""Which tests run through which lines, and how long each takes."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import coverage
import pytest

import lrd_registry

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".mutants"
MARKED = "engine and not slow"
WHOLE = ("tests/unit/test_data_and_defaults.py", "tests/unit/test_json_schema.py")
"""Look at what stands when a module has been imported, and run through no line of it."""


@dataclass(frozen=True)
class Covering:
    """Tests by the lines that they run through.

    Attributes:
        lines: file -> line -> the tests that run through it.
        seconds: how long each test takes.
    """

    lines: Mapping[str, Mapping[int, Sequence[str]]]
    seconds: Mapping[str, float]

    def tests_of(self, path: str, line: int) -> list[str]:
        """The tests for a line, the quickest first.

        A line that runs when its module is imported, and in no test, is for every test of the
        file, and for those that look at all files; in a file of such lines, for every test.
        """
        of_file = self.lines.get(path, {})
        found = set(of_file.get(line, ()))
        of_file = {n: tests for n, tests in of_file.items() if tests}
        if not found:
            found = {test for tests in of_file.values() for test in tests}
            found |= {test for test in self.seconds if not of_file or test.startswith(WHOLE)}
        return sorted(found, key=lambda test: (self.seconds[test], test))

    def time_of(self, tests: Iterable[str]) -> float:
        """The seconds that tests take together."""
        return sum(self.seconds[test] for test in tests)


def measure_coverage(files: Sequence[Path]) -> Covering:
    """Run the tests of the engine once, but for what was measured on these very sources."""
    kept = KEPT / f"covering-{_digest()}.json"
    if not kept.exists():
        KEPT.mkdir(exist_ok=True)
        kept.write_text(json.dumps(_measured(files)))
    data = json.loads(kept.read_text())
    lines = {
        path: {int(line): tests for line, tests in of_file.items()}
        for path, of_file in data["lines"].items()
    }
    return Covering(lines, data["seconds"])


def _measured(files: Sequence[Path]) -> dict[str, Any]:
    watch = _Watch(coverage.Coverage(include=[*map(str, files)], data_file=None))
    with redirect_stdout(StringIO()) as printed:
        status = pytest.main(["-m", MARKED, "-p", "no:cacheprovider", "tests"], plugins=[watch])
        doctests = ["-p", "no:cacheprovider", *map(str, files)]
        status = status or pytest.main(doctests, plugins=[watch])
    if status:
        raise SystemExit(f"the tests fail without any mutant:\n{printed.getvalue()[-3000:]}")
    return {"lines": watch.lines(), "seconds": watch.seconds}


class _Watch:
    """A plugin of pytest's that tells the tests apart."""

    def __init__(self, watched: coverage.Coverage) -> None:
        self._watched = watched
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self) -> Iterator[None]:
        self._watched.start()
        for module in pkgutil.walk_packages(lrd_registry.__path__, "lrd_registry."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)  # in no test's name, whoever is the first
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._watched.switch_context(item.nodeid)
        start = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = round(time.perf_counter() - start, 4)
        self._watched.switch_context("")
        return result

    def pytest_sessionfinish(self) -> None:
        self._watched.stop()

    def lines(self) -> dict[str, dict[int, list[str]]]:
        data = self._watched.get_data()
        return {
            str(Path(path).relative_to(ROOT)): {
                line: tests
                for line, contexts in data.contexts_by_lineno(path).items()
                if (tests := [test for test in contexts if test])
            }
            for path in data.measured_files()
        }


def _digest() -> str:
    digest = hashlib.sha256()
    for pattern in ("lrd_registry/**/*.py", "rules/*.yaml", "tests/**/*.py", "conftest.py"):
        for path in sorted(ROOT.glob(pattern)):
            if "mutants" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

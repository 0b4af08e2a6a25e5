"""Measuring many models in parallel, with a progress bar; what was measured is kept."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO

from rich.progress import track

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / ".zoo"
SOURCES = ("lrd_registry/**/*.py", "rules/*.yaml", "zoo/*.py", "tests/support/libraries/*.py")

Results = dict[str, dict[str, Any]]


def run(
    subject: str, tasks: Mapping[str, Any], measure: Callable[[Any], dict[str, Any]], jobs: int
) -> Results:
    """Measure all, but for what these very sources have measured before.

    Args:
        subject: what is measured, for the file of results.
        tasks: each model's name -> what `measure` is given.
        measure: what comes of it; it runs in another process.
        jobs: how many processes.
    """
    kept = RESULTS / f"{subject}-{_digest()}.jsonl"
    results = read(kept)
    left = [(name, task) for name, task in tasks.items() if name not in results]
    RESULTS.mkdir(exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    with kept.open("w") as file, get_context("spawn").Pool(jobs, _prepare) as pool:
        for name, result in results.items():  # without a line that was cut short
            _write(file, name, result)
        done = pool.imap_unordered(_Named(measure), left)
        for name, result in track(done, description=subject, total=len(left)):
            results[name] = result
            _write(file, name, result)
    return {name: results[name] for name in tasks}


def _write(file: TextIO, name: str, result: Mapping[str, Any]) -> None:
    file.write(json.dumps({"name": name, **result}) + "\n")
    file.flush()


def read(path: Path) -> Results:
    """The results in a file, by name; of a line that was cut short, nothing."""
    results: Results = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            result = json.loads(line)
        except json.JSONDecodeError:
            continue
        results[result.pop("name")] = result
    return results


class _Named:
    """A measurement that says which model it is of."""

    def __init__(self, measure: Callable[[Any], dict[str, Any]]) -> None:
        self._measure = measure

    def __call__(self, named: tuple[str, Any]) -> tuple[str, dict[str, Any]]:
        name, task = named
        return name, self._measure(task)


def _prepare() -> None:
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)


def _digest() -> str:
    """What the measurements depend on, in short: the sources, not the libraries."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

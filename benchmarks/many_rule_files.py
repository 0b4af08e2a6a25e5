"""`arch="auto"` beside the same with 150 more rule files in a directory of `LRD_RULES_PATH`.

Half of the files have a signature, and half do not; all speak of blocks and a head as a ViT does.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import timm
import torch

from lrd_registry import build_param_groups
from lrd_registry.registry.default import RULES_PATH

MANY = 150
BATCH, UNCOUNTED = 15, 3
"""Calls with one set of files before the other's turn; the first ones find their caches cold."""

LAYERS = """[stem: stem_{n}.**, block: "blocks.{{i}}.**", head: [norm.**, head.**]]"""
UNSIGNED = f"arch: net_{{n}}\nlayers: {LAYERS}\n"
SIGNED = f"""
arch: net_{{n}}
layouts:
  net:
    signature: ["blocks.{{{{i}}}}.norm.weight", stem_{{n}}.weight]
    layers: {LAYERS}
"""


def report_many_rule_files(batches: int = 12) -> None:
    """Print the first call among many files, and the ratio of later calls."""
    with torch.device("meta"):
        model = timm.create_model("vit_base_patch16_224")
    with TemporaryDirectory() as directory:
        for n in range(MANY):
            text = (SIGNED, UNSIGNED)[n % 2].format(n=n)
            (Path(directory) / f"net_{n}.yaml").write_text(text)
        few, many = _times(lambda: build_param_groups(model), ["", directory], batches)
    ratio = statistics.median(_counted(many)) / statistics.median(_counted(few))
    print(f'\n`arch="auto"` with {MANY} more rule files: {many[0]:.2f} s the first time')
    print(f"then {ratio:.2f} times a call without them")


def _times(call: Callable[[], object], places: list[str], batches: int) -> list[list[float]]:
    """Seconds of all calls, for each directory of rule files; the directories take turns."""
    times: list[list[float]] = [[] for _ in places]
    call()
    for _ in range(batches):
        for place, found in zip(places, times, strict=True):
            os.environ[RULES_PATH] = place
            for _ in range(BATCH):
                start = time.perf_counter()
                call()
                found.append(time.perf_counter() - start)
    del os.environ[RULES_PATH]
    return times


def _counted(times: list[float]) -> list[float]:
    return [seconds for n, seconds in enumerate(times) if n % BATCH >= UNCOUNTED]


if __name__ == "__main__":
    report_many_rule_files()

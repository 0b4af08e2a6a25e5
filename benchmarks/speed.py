"""`build_param_groups` beside timm's grouping and beside the bare walk (`make bench`).

Each round times the three in turn, so that a change in the machine's speed touches all of them
alike; what counts is the median of the rounds' ratios to the bare walk,
`list(model.named_parameters())`. The rule set is loaded and every check is on.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import timm
import torch
from timm.optim import param_groups_layer_decay
from torch import nn

from lrd_registry import build_param_groups
from lrd_registry.loading import rule_set_from_mapping

REAL = {
    "vit_tiny_patch16_224": "vit",
    "vit_base_patch16_224": "vit",
    "vit_giant_patch14_224": "vit",
    "swin_base_patch4_window7_224": "swin",
    "convnext_base": "convnext",
    "convnext_xlarge": "convnext",
}
GENERATED = (1_000, 10_000, 100_000)
STACK = rule_set_from_mapping({"arch": "stack", "layers": [{"block": "blocks.{block}.**"}]})


def stack(parameters: int) -> nn.Module:
    """Blocks shaped as a ViT's, with twelve small parameters each."""

    def block() -> nn.Module:
        attention = nn.ModuleDict({"qkv": nn.Linear(4, 12), "proj": nn.Linear(4, 4)})
        mlp = nn.ModuleDict({"fc1": nn.Linear(4, 16), "fc2": nn.Linear(16, 4)})
        norms = {"norm1": nn.LayerNorm(4), "norm2": nn.LayerNorm(4)}
        return nn.ModuleDict({**norms, "attn": attention, "mlp": mlp})

    return nn.ModuleDict({"blocks": nn.ModuleList(block() for _ in range(parameters // 12))})


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(calls: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The times of each round, one per call, after one round that does not count."""
    return [[seconds(call) for call in calls] for _ in range(rounds + 1)][1:]


def report(name: str, model: nn.Module, groups: Callable[[], object], *, timms: bool) -> None:
    """Print one row: the bare walk's time, and the two ratios to it."""
    count = sum(1 for _ in model.parameters())
    calls = [lambda: list(model.named_parameters()), groups]
    calls += [lambda: param_groups_layer_decay(model)] if timms else []
    rounds = measure(calls, rounds=max(11, min(300, 100_000 // count)))
    walk = statistics.median(times[0] for times in rounds) * 1e6
    ratios = [
        statistics.median(times[i] / times[0] for times in rounds) for i in (1, 2)[: len(calls) - 1]
    ]
    columns = [f"{ratio:.2f}" for ratio in ratios] + ([] if timms else ["–"])
    print(f"| {name} | {count:,} | {walk:,.0f} µs | {' | '.join(columns)} |", flush=True)


def import_seconds(statement: str) -> float:
    """The time of a fresh interpreter that runs an import, start included."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", statement], check=True))


def report_imports(rounds: int = 7) -> None:
    """Print what importing this package adds to importing torch."""
    torch_alone, package, public = (
        "import torch",
        "import torch, lrd_registry",
        ("import torch; from lrd_registry import *"),
    )
    times = [
        [import_seconds(code) for code in (torch_alone, package, public)] for _ in range(rounds)
    ]
    print(f"\nimport torch: {statistics.median(row[0] for row in times):.2f} s")
    for column, code in ((1, package), (2, public)):
        added = statistics.median(row[column] / row[0] - 1 for row in times)
        print(f"{code}: {added:+.1%}")


def main() -> None:
    """Print the tables, in Markdown."""
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, timm {timm.__version__}\n"
    )
    print("| model | parameters | bare walk | lrd-registry | timm |")
    print("|---|---:|---:|---:|---:|")
    for name, arch in REAL.items():
        with torch.device("meta"):
            model = timm.create_model(name)
        report(name, model, lambda m=model, a=arch: build_param_groups(m, a), timms=True)
    for size in GENERATED:
        with torch.device("meta"):
            model = stack(size)
        groups = lambda m=model: build_param_groups(m, STACK)  # noqa: E731
        report(f"generated, {size:,}", model, groups, timms=size <= 10_000)
    report_imports()


if __name__ == "__main__":
    main()

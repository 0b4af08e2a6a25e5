"""Lightning's Trainer, with groups of convention "torch" and a scheduler stepped at each step."""

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor
from lightning.pytorch.loggers.logger import DummyLogger
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from tests.support.trainers.tiny import (
    LR,
    MLP,
    STEPS,
    Record,
    check,
    check_fault,
    factor,
    mlp,
    mlp_groups,
)

pytestmark = [
    pytest.mark.library,
    pytest.mark.filterwarnings("ignore"),  # advice on speed
]


class Module(lightning.LightningModule):
    def __init__(self, **options):
        super().__init__()
        self.model, self.options = mlp(), options

    def training_step(self, batch, _):
        return self.model(batch).square().mean()

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(mlp_groups(self.model, **self.options), lr=LR)
        scheduler = {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


class Watch(Callback):
    def __init__(self, seen):
        self.seen = seen

    def on_before_optimizer_step(self, trainer, module, optimizer):
        (config,) = trainer.lr_scheduler_configs
        self.seen.see(optimizer, module.model, config.scheduler)


def train(folder, seen, *callbacks, max_steps=STEPS, resume=None, logger=False, **options):
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_steps=max_steps,
        callbacks=[Watch(seen), *callbacks],
        logger=logger,
        log_every_n_steps=1,
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(**options), DataLoader(torch.ones(40, 4), batch_size=4), ckpt_path=resume)
    return trainer


def test_every_step_is_taken_at_the_base_times_the_scale(tmp_path):
    seen = Record()
    train(tmp_path, seen, lr=LR)
    check(seen, MLP)


@pytest.mark.parametrize(("options", "power"), [({}, 0), ({"lr": LR, "layer_decay": 0.25}, 2)])
def test_a_scale_that_is_dropped_or_applied_twice_is_seen(tmp_path, options, power):
    seen = Record()
    train(tmp_path, seen, **options)
    check_fault(seen, MLP, power)


def test_the_rates_go_on_where_a_checkpoint_left_them(tmp_path):
    seen = Record()
    trainer = train(tmp_path, seen, max_steps=4, lr=LR)
    trainer.save_checkpoint(tmp_path / "at_4.ckpt")
    assert len(seen.steps) == 4
    trainer = train(tmp_path, seen, resume=tmp_path / "at_4.ckpt", lr=LR)
    check(seen, MLP)
    names = [name for group in trainer.optimizers[0].param_groups for name in group["param_names"]]
    assert sorted(names) == sorted(MLP)


def test_the_monitor_shows_each_group_under_its_name(tmp_path):
    monitor = LearningRateMonitor("step")
    train(tmp_path, Record(), monitor, logger=DummyLogger(), lr=LR)
    kinds = [f"layer_{layer:02}_{kind}" for layer in range(4) for kind in ("decay", "no_decay")]
    assert set(monitor.lrs) == {f"lr-AdamW/{kind}" for kind in kinds}
    stem = [LR * 0.125 * factor(step) for step in range(STEPS)]
    assert monitor.lrs["lr-AdamW/layer_00_decay"] == pytest.approx(stem)

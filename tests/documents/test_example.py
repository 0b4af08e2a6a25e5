"""The example trains at the learning rates that it shows, and its page shows what it prints."""

import re
import sys

import pytest
import torch

from tests.support.places import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/example.md").read_text()
DECAYS = (1.0, 0.75, 0.5)
LAYERS = 8


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    import finetune_digits

    monkeypatch.setattr(finetune_digits, "PRETRAIN_STEPS", 3)
    monkeypatch.setattr(finetune_digits, "FINETUNE_STEPS", 20)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield finetune_digits
    torch.set_num_threads(threads)


def tables(text):
    """The cells of each table: its header, then its rows."""
    found = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    lines = [table.splitlines() for table in found]
    return [[line[2:-2].split(" | ") for line in (head, *rows)] for head, _, *rows in lines]


def rates_of(table, kind):
    return {float(row[0]): [float(cell) for cell in row[2:]] for row in table if row[1] == kind}


def test_each_layer_peaks_at_the_base_times_the_decay_to_the_power_of_its_distance(example):
    torch.manual_seed(0)
    model = example.small_vit()
    for decay in DECAYS:
        rates = example.finetune(model, seed=0, layer_decay=decay).rates
        assert rates.shape == (20, LAYERS)
        peak = [example.LR * decay**distance for distance in reversed(range(LAYERS))]
        assert rates.amax(0).tolist() == pytest.approx(peak, rel=1e-6)


def test_the_schedule_warms_up_to_the_peak_and_ends_near_zero(example):
    shares = [example.warm_up_and_cosine(step, 20) for step in range(20)]
    assert shares[:3] == [0.5, 1.0, 1.0]
    assert shares[2:] == sorted(shares[2:], reverse=True)
    assert 0 < shares[-1] < 0.01


def test_a_task_holds_each_image_of_its_digits_once(example):
    task = example.load_task(5, 10)
    assert torch.bincount(task.labels).tolist() == [10] * 5
    images = torch.cat([task.images, task.test_images]).flatten(1)
    assert images.shape == (896, 64)
    assert len(images.unique(dim=0)) == 896


def test_a_seed_gives_the_same_run_again(example):
    torch.manual_seed(0)
    model = example.small_vit()
    once, again = (example.finetune(model, 0, 0.5).accuracy for _ in range(2))
    assert once == again


def test_the_script_prints_a_row_for_each_decay_and_saves_a_png(
    example, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "plot.png"
    monkeypatch.setattr(sys, "argv", ["example", "--seeds", "1", "--output", str(output)])
    example.main()
    accuracies, rates = tables(capsys.readouterr().out)
    assert [float(row[0]) for row in accuracies[1:]] == list(DECAYS)
    assert [(float(row[0]), row[1]) for row in rates[1:]] == [
        (decay, kind) for decay in DECAYS for kind in ("peak", "mean")
    ]
    assert output.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [table[0] for table in tables(PAGE)] == [accuracies[0], rates[0]]


def test_the_page_shows_the_learning_rates_of_the_settings(example):
    rates = rates_of(tables(PAGE)[1], "peak")
    assert rates.keys() == set(DECAYS)
    for decay, shown in rates.items():
        peak = [example.LR * decay**distance for distance in reversed(range(LAYERS))]
        assert shown == pytest.approx(peak, rel=5e-3)


def test_the_page_shows_means_of_the_seeds_that_it_lists():
    _, *rows = tables(PAGE)[0]
    assert [float(row[0]) for row in rows] == list(DECAYS)
    for _, mean, _, seeds in rows:
        each = [float(share.rstrip("%")) for share in seeds.split(", ")]
        assert float(mean.rstrip("%")) == pytest.approx(sum(each) / len(each), abs=0.1)

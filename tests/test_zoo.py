"""`make zoo`: what was measured is kept, and the table says what was found."""

import json

from zoo import order, running

RESULTS = {
    "timm/vit/beit/a": {"traced": True, "in_order": True, "move": [], "waived": ["so"], "idle": []},
    "timm/vit/beit/b": {"traced": True, "in_order": False, "move": ["x", "y"], "waived": []},
    "timm/swin/swin/c": {"traced": False, "why": "it needs data"},
    "timm/swin/swin/d": {"traced": True, "in_order": True, "waived": [], "idle": ["why not"]},
}


def test_the_table_counts_and_the_rest_is_named():
    text = order.text(RESULTS)
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in text.splitlines()[2:4]]
    assert rows == [["`vit`", "2", "2", "1", "1"], ["`swin`", "2", "1", "1", "0"]]
    assert text.splitlines()[-3:] == [
        "- timm/vit/beit/b: out of order; 2 would have to move: x, y",
        "- timm/swin/swin/c: it needs data",
        "- timm/swin/swin/d: a waiver is not needed (why not)",
    ]


def double(number):
    return {"doubled": 2 * number}


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "RESULTS", tmp_path)
    tasks = {"a": 0, "b": 1, "c": 2}
    (kept,) = [tmp_path / f"subject-{running._digest()}.jsonl"]
    kept.write_text('{"name": "b", "doubled": "kept"}\n{"name": "c", "dou')
    results = running.run("subject", tasks, double, jobs=1)
    assert list(results.items()) == [
        ("a", {"doubled": 0}),
        ("b", {"doubled": "kept"}),
        ("c", {"doubled": 4}),
    ]
    lines = kept.read_text().splitlines()
    assert json.loads(lines[0]) == {"name": "b", "doubled": "kept"}
    assert running.read(kept) == results


def test_every_model_has_a_name_of_its_own():
    assert list(order.tasks().values()) == list(range(len(order.MODELS)))

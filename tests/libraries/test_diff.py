"""What changes between two sides: the rows, their wording, and how `lrd diff` ends."""

import json
import re
import sys
from functools import partial

import pytest
import torch
from torch import nn

from lrd_registry.assignment import Placement
from lrd_registry.diff.difference import Side, compare
from lrd_registry.diff.report import change_rows, difference_data, difference_text
from lrd_registry.diff.sides import apply_layout, find_side, parse_side
from lrd_registry.diff.timm_grouping import timm_side
from lrd_registry.errors import CoverageError, InvalidArgumentError, ModelError
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.default import default_catalog
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import model_with, timm_model
from tests.support.places import ROOT
from tests.support.releases import only_as_pinned

pytestmark = pytest.mark.library

SWIN_TINY = "swin_tiny_patch4_window7_224"
COLUMNS = ("pattern", "entry", "parameters", "layer", "shift", "scale", "factor")


def side(layers, num_layers=4, layer_decay=0.5, patterns=None, entries=None):
    """A side from name -> layer; a pattern is the name without its last part, if not given."""
    places = {
        name: Placement(
            layer, (entries or {}).get(name, "e"), (patterns or {}).get(name, name[:-2])
        )
        for name, layer in layers.items()
    }
    return Side("side", "mine", "default", {"": num_layers}, layer_decay, places)


def rows(a, b):
    return [tuple(row.values()) for row in change_rows(compare(a, b).changes)]


def diff(a, b, model):
    """The rows for two sides in words, on one of timm's models."""
    built = timm_model(model)
    parameters = collect_parameters(built)
    catalog = default_catalog()
    side_a = find_side(parse_side(a, 0.75), parameters, catalog)
    if b == "timm":
        return rows(side_a, timm_side(built, side_a.layer_decay))
    return rows(side_a, find_side(parse_side(b, 0.75), parameters, catalog))


@pytest.fixture
def run_diff(lrd):
    """Runs `lrd diff`; gives exit status, standard output and standard error."""
    return partial(lrd, "diff")


def test_rows_have_these_columns():
    (row,) = change_rows(compare(side({"a.x": 0}), side({"a.x": 1})).changes)
    assert tuple(row) == COLUMNS


def test_parameters_of_one_pattern_share_a_row():
    a = side({"a.x": 0, "a.y": 0, "b.x": 1})
    b = side({"a.x": 2, "a.y": 2, "b.x": 1})
    assert rows(a, b) == [("a", "e", "2 of 2", "0 → 2", "+2", "0.125 → 0.5", "4")]


def test_a_row_of_several_layers_has_ranges():
    a = side({"a.0": 0, "a.1": 1, "a.2": 3})
    b = side({"a.0": 1, "a.1": 3, "a.2": 4}, num_layers=5)
    assert rows(a, b) == [("a", "e", "3 of 3", "0–1, 3 → 1, 3–4", "+1 to +2", "0.125–1", "1–2")]


def test_a_long_list_of_layers_leaves_out_its_middle():
    a = side({f"a.{i}": i for i in (0, 2, 4, 6)}, num_layers=8, layer_decay=1.0)
    b = side({f"a.{i}": 7 for i in (0, 2, 4, 6)}, num_layers=8, layer_decay=1.0)
    assert rows(a, b) == [("a", "e", "4 of 4", "0, 2, …, 6 → 7", "+1 to +7", "1", "1")]


def test_scales_that_rise_and_scales_that_fall_are_apart_and_one_of_a_part_is_named():
    a = side({"a.0": 1, "a.1": 1, "a.2": 1, "a.3": 1})
    b = side({"a.0": 1, "a.1": 2, "a.2": 0, "a.3": 2})
    assert rows(a, b) == [
        ("a", "e", "2 of 4: a.1 …", "1 → 2", "+1", "0.25 → 0.5", "2"),
        ("a", "e", "1 of 4: a.2 …", "1 → 0", "-1", "0.25 → 0.125", "0.5"),
    ]


def test_scales_that_stay_go_with_those_that_rise():
    a = side({"a.0": 1, "a.1": 2})
    b = side({"a.0": 2, "a.1": 3}, num_layers=5)
    c = side({"a.0": 3, "a.1": 3}, num_layers=5)
    assert rows(a, b) == [("a", "e", "2 of 2", "1–2 → 2–3", "+1", "0.25–0.5", "1")]
    assert rows(a, c) == [("a", "e", "2 of 2", "1–2 → 3", "+1 to +2", "0.25–0.5 → 0.5", "1–2")]


def test_other_patterns_and_entries_on_side_b_are_shown():
    a = side({"a.x": 0, "a.y": 0})
    b = side(
        {"a.x": 1, "a.y": 1},
        patterns={"a.x": "a.x", "a.y": "a.y"},
        entries={"a.x": "stem", "a.y": "e"},
    )
    scale = ("0 → 1", "+1", "0.125 → 0.25", "2")
    assert rows(a, b) == [
        ("a → a.x", "e → stem", "1 of 2: a.x …", *scale),
        ("a → a.y", "e", "1 of 2: a.y …", *scale),
    ]


def test_rows_come_in_forward_order_of_side_a():
    a = side({"head.x": 3, "stem.x": 0, "block.x": 1})
    b = side({"head.x": 2, "stem.x": 1, "block.x": 0})
    assert [row[0] for row in rows(a, b)] == ["stem", "block", "head"]


def test_another_number_of_layers_changes_scales_and_not_layers():
    a, b = side({"a.x": 0, "b.x": 3}), side({"a.x": 0, "b.x": 2}, num_layers=3)
    assert rows(a, b) == [
        ("a", "e", "1 of 1", "0", "0", "0.125 → 0.25", "2"),
        ("b", "e", "1 of 1", "3 → 2", "-1", "1", "1"),
    ]


def test_equal_sides_have_no_changes():
    a = side({"a.x": 0, "b.x": 3})
    assert compare(a, a).changes == ()
    assert difference_text(compare(a, a)) == (
        "A (side): mine, layout default, 4 layers, layer decay 0.5\n"
        "B (side): mine, layout default, 4 layers, layer decay 0.5\n"
        "no difference: 2 parameters in the same layers at the same scales"
    )


def test_a_parameter_that_one_side_leaves_out_is_not_compared():
    difference = compare(side({"a.x": 0, "b.x": 3}), side({"b.x": 2}))
    assert difference.parameters == 1
    assert [move.name for change in difference.changes for move in change.moves] == ["b.x"]


def test_the_data_has_every_name_with_its_layers_and_scales():
    a, b = side({"a.x": 0, "a.y": 0}), side({"a.x": 0, "a.y": 2}, layer_decay=0.25)
    sides = {"spec": "side", "arch": "mine", "layout": "default", "num_layers": 4}
    about = {"pattern": {"a": "a", "b": "a"}, "entry": {"a": "e", "b": "e"}, "of": 2}
    assert difference_data(compare(a, b)) == {
        "a": {**sides, "layer_decay": 0.5},
        "b": {**sides, "layer_decay": 0.25},
        "parameters": 2,
        "changes": [
            {
                **about,
                "names": ["a.y"],
                "layers": {"a": [0], "b": [2]},
                "scales": {"a": [0.125], "b": [0.25]},
            },
            {
                **about,
                "names": ["a.x"],
                "layers": {"a": [0], "b": [0]},
                "scales": {"a": [0.125], "b": [0.25**3]},
            },
        ],
    }


@pytest.mark.parametrize(
    ("text", "rule", "layout", "decay"),
    [
        ("vit", "vit", None, 0.9),
        ("vit@0.65", "vit", None, 0.65),
        ("swin:microsoft", "swin", "microsoft", 0.9),
        ("swin:timm@1", "swin", "timm", 1.0),
        ("auto@5e-1", "auto", None, 0.5),
        ("./my.yaml:timm@0.8", "./my.yaml", "timm", 0.8),
        ("./v1@2/my.yaml", "./v1@2/my.yaml", None, 0.9),
        ("a:b/my.yaml@0.5", "a:b/my.yaml", None, 0.5),
        ("my:v1.yaml", "my:v1.yaml", None, 0.9),
        ("my@v1.yaml:timm", "my@v1.yaml", "timm", 0.9),
        ("my@1.yaml", "my@1.yaml", None, 0.9),
    ],
)
def test_a_side_is_taken_apart(text, rule, layout, decay):
    spec = parse_side(text, 0.9)
    assert (spec.text, spec.rule, spec.layout, spec.layer_decay) == (text, rule, layout, decay)


@pytest.mark.parametrize("decay", ["0", "-1", "1.01", "nan", "inf", "x", ""])
def test_a_bad_decay_is_refused(decay):
    message = f"vit@{decay}: a layer decay is a number above 0 and at most 1; found '{decay}'"
    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(message)}$"):
        parse_side(f"vit@{decay}", 0.75)


def test_a_decay_too_small_for_floating_point_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"layer decay 1e-200, layer 0 of 4 has a scale"):
        side({"a.x": 0}, layer_decay=1e-200)


TWO_PREFIXES = {
    "arch": "mine",
    "layouts": {
        "one": {"signature": "nowhere", "layers": [{"stem": "a.**"}, {"head": "b.**"}]},
        "two": {"prefix": ["net", "body"], "layers": [{"stem": "a.**"}, {"head": "b.**"}]},
    },
}


def test_a_layout_is_forced_without_its_signature():
    parameters = collect_parameters(model_with(["a.x", "b.x"]))
    assignment = apply_layout(
        rule_set_from_mapping(TWO_PREFIXES), "one", parameters, default_catalog()
    )
    assert (assignment.layout, assignment["b.x"].layer) == ("one", 1)


def test_a_forced_layout_is_tried_under_its_prefixes():
    rules = rule_set_from_mapping(TWO_PREFIXES)
    parameters = collect_parameters(model_with(["body.a.x", "body.b.x"]))
    assert apply_layout(rules, "two", parameters, default_catalog())["body.b.x"].layer == 1
    parameters = collect_parameters(model_with(["body.a.x", "body.b.x", "body.c.x"]))
    with pytest.raises(CoverageError) as caught:
        apply_layout(rules, "two", parameters, default_catalog())
    assert caught.value.unmatched == ("body.c.x",)


def test_timms_layers_are_those_of_its_scales():
    model = timm_model("vit_tiny_patch16_224", depth=2)
    found = timm_side(model, 0.5)
    assert (found.num_layers, found.layout) == (4, "group_matcher")
    assert {name: place.layer for name, place in found.places.items() if "blocks" not in name} == {
        "cls_token": 0,
        "pos_embed": 0,
        "patch_embed.proj.weight": 0,
        "patch_embed.proj.bias": 0,
        "norm.weight": 2,
        "norm.bias": 2,
        "head.weight": 3,
        "head.bias": 3,
    }
    assert found.places["blocks.1.norm1.weight"] == Placement(2, "", "")


def test_a_model_without_a_group_matcher_is_cut_into_slices_of_12_tensors():
    model = nn.ModuleList([nn.Linear(2, 2, bias=False) for _ in range(26)])
    model.pretrained_cfg = {"classifier": "25"}
    found = timm_side(model, 0.75)
    assert (found.num_layers, found.layout) == (4, "slices of 12 tensors")
    assert [place.layer for place in found.places.values()] == [0] * 12 + [1] * 12 + [2, 3]


def test_frozen_parameters_have_timms_layer_and_stay_frozen():
    model, thawed = (timm_model("vit_tiny_patch16_224", depth=1) for _ in range(2))
    model.blocks.requires_grad_(False)
    model.head.requires_grad_(False)
    assert timm_side(model, 0.75) == timm_side(thawed, 0.75)
    frozen = {n.split(".")[0] for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {"blocks", "head"}


def test_a_parameter_that_can_never_train_has_no_layer_in_timm():
    model = timm_model("vit_tiny_patch16_224", depth=1)
    numbers = torch.zeros(2, dtype=torch.uint8, device="meta")
    model.norm.register_parameter("numbers", nn.Parameter(numbers, requires_grad=False))
    assert "norm.numbers" not in timm_side(model, 0.75).places


@pytest.mark.parametrize("model", [model_with(["a.x"]), nn.LazyLinear(2)])
def test_timm_cannot_group_a_model_without_a_class_or_shapes(model):
    with pytest.raises(ModelError, match=r"goes by a model's class and the shapes of its param"):
        timm_side(model, 0.75)


def test_a_missing_timm_is_named_with_the_line_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm.optim", None)
    with pytest.raises(ModelError, match=r"needs timm 1\.0\.20 or newer.*: pip install --upgrade"):
        timm_side(nn.Linear(2, 2), 0.75)


@only_as_pinned("timm")
@pytest.mark.parametrize(
    ("a", "b", "model", "expected"),
    [
        (
            "swin:timm",
            "swin:microsoft",
            SWIN_TINY,
            [
                (
                    "layers.{stage}.downsample.**",
                    "stage_0 → block",
                    "3 of 3",
                    "2 → 4",
                    "+2",
                    "0.0422 → 0.0751",
                    "1.78",
                ),
                (
                    "layers.{stage}.downsample.**",
                    "block",
                    "6 of 6",
                    "4, 10 → 10, 12",
                    "+2 to +6",
                    "0.0751–0.422 → 0.422–0.75",
                    "1.78–5.62",
                ),
            ],
        ),
        (
            "auto",
            "timm",
            SWIN_TINY,
            [
                (
                    "layers.{stage}.downsample.**",
                    "stage_0",
                    "3 of 3",
                    "2 → 3",
                    "+1",
                    "0.0422 → 0.0563",
                    "1.33",
                ),
                (
                    "layers.{stage}.downsample.**",
                    "block",
                    "6 of 6",
                    "4, 10 → 5, 11",
                    "+1",
                    "0.0751–0.422 → 0.1–0.562",
                    "1.33",
                ),
                ("norm.**", "head", "2 of 2", "13 → 12", "-1", "1 → 0.75", "0.75"),
            ],
        ),
        (
            "vit@0.75",
            "vit@0.65",
            "vit_tiny_patch16_224",
            [
                ("cls_token", "stem", "1 of 1", "0", "0", "0.0238 → 0.0037", "0.156"),
                ("pos_embed", "stem", "1 of 1", "0", "0", "0.0238 → 0.0037", "0.156"),
                ("patch_embed.proj.**", "stem", "2 of 2", "0", "0", "0.0238 → 0.0037", "0.156"),
                (
                    "blocks.{block}.**",
                    "block",
                    "144 of 144",
                    "1–12",
                    "0",
                    "0.0317–0.75 → 0.00569–0.65",
                    "0.18–0.867",
                ),
            ],
        ),
        (
            "vit",
            "timm",
            "vit_base_patch16_clip_224",
            [("norm.**", "head", "2 of 2", "13 → 12", "-1", "1 → 0.75", "0.75")],
        ),
        ("vit", "timm", "vit_relpos_base_patch16_224", []),
        ("vit", "timm", "beit_base_patch16_224", []),
    ],
)
def test_real_models(a, b, model, expected):
    assert diff(a, b, model) == expected


def test_timms_convnext_has_a_layer_for_every_block():
    assert [(row[0], *row[2:5], row[6]) for row in diff("auto", "timm", "convnext_tiny")] == [
        ("stem.**", "4 of 4", "0", "0", "0.0317"),
        ("stages.0.blocks.{block}.**", "27 of 27", "1 → 1–3", "0 to +2", "0.0317–0.0563"),
        ("stages.1.downsample.**", "4 of 4", "2 → 4", "+2", "0.0563"),
        ("stages.1.blocks.{block}.gamma", "3 of 3", "2 → 4–6", "+2 to +4", "0.0563–0.1"),
        ("stages.1.blocks.{block}.conv_dw.**", "6 of 6", "2 → 4–6", "+2 to +4", "0.0563–0.1"),
        ("stages.1.blocks.{block}.norm.**", "6 of 6", "2 → 4–6", "+2 to +4", "0.0563–0.1"),
        ("stages.1.blocks.{block}.mlp.**", "12 of 12", "2 → 4–6", "+2 to +4", "0.0563–0.1"),
        ("stages.2.downsample.**", "4 of 4", "3 → 7", "+4", "0.1"),
        ("stages.2.blocks.{block}.**", "81 of 81", "3–5 → 7–15", "+4 to +10", "0.1–0.562"),
        ("stages.3.downsample.**", "4 of 4", "6 → 16", "+10", "0.562"),
        ("stages.3.blocks.{block}.**", "27 of 27", "6 → 16–18", "+10 to +12", "0.562–1"),
        ("head.**", "4 of 4", "7 → 19", "+12", "1"),
    ]


def test_a_pattern_moved_in_a_copy_of_a_rule_file(tmp_path):
    stem = re.compile(r"^ +- norm_pre\.\*\*.*\n", re.MULTILINE)
    text = stem.sub("", (ROOT / "rules/vit.yaml").read_text(), count=1)
    moved = text.replace(
        "            - norm.**\n", "            - norm.**\n            - norm_pre.**\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(moved)
    assert diff("auto", str(path), "vit_base_patch16_clip_224") == [
        ("norm_pre.**", "stem → head", "2 of 2", "0 → 13", "+13", "0.0238 → 1", "42.1")
    ]


def test_the_command_prints_what_its_page_shows(run_diff):
    page = (ROOT / "docs/diff.md").read_text()
    shown = [line[4:] for line in page.splitlines() if line.startswith("    ")]
    status, out, _ = run_diff("swin:timm", "swin:microsoft", SWIN_TINY)
    assert (status, [line.rstrip() for line in out.splitlines()]) == (0, shown)


def test_no_difference_has_no_table(run_diff):
    status, out, _ = run_diff("vit", "auto", "vit_tiny_patch16_224", "--layer-decay", "0.5")
    assert (status, out) == (
        0,
        "vit_tiny_patch16_224\n"
        "A (vit): vit, layout timm, 14 layers, layer decay 0.5\n"
        "B (auto): vit, layout timm, 14 layers, layer decay 0.5\n"
        "no difference: 152 parameters in the same layers at the same scales\n",
    )


def test_against_timm_takes_side_as_decay(run_diff):
    data = json.loads(
        run_diff("auto@0.5", "vit_tiny_patch16_224", "--against", "timm", "--json")[1]
    )
    assert (data["model"], data["parameters"]) == ("vit_tiny_patch16_224", 152)
    assert data["b"] == {
        "spec": "timm",
        "arch": "timm's own grouping",
        "layout": "group_matcher",
        "num_layers": 14,
        "layer_decay": 0.5,
    }
    assert data["changes"] == [
        {
            "pattern": {"a": "norm.**", "b": None},
            "entry": {"a": "head", "b": None},
            "of": 2,
            "names": ["norm.weight", "norm.bias"],
            "layers": {"a": [13, 13], "b": [12, 12]},
            "scales": {"a": [1.0, 1.0], "b": [0.5, 0.5]},
        }
    ]


def test_names_are_enough(run_diff, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\n".join(name for name, _ in timm_model(SWIN_TINY).named_parameters()))
    assert "\n9 of 173 parameters change" in run_diff("swin:timm", "swin:microsoft", path)[1]
    status, _, err = run_diff("swin:timm", path, "--against", "timm")
    assert status == 2
    assert err.startswith("lrd: timm's own grouping goes by ")


def test_a_rule_set_that_does_not_fit_ends_with_1(run_diff):
    status, out, err = run_diff("vit", "swin", "vit_tiny_patch16_224")
    assert (status, out) == (1, "")
    assert err.startswith("lrd: rule set 'swin' (layout ")
    status, _, err = run_diff("vit:mmpretrain", "vit", "vit_tiny_patch16_224")
    assert status == 1
    assert err.startswith("lrd: rule set 'vit' (layout 'mmpretrain') does not fit this model:\n")


EXPECTED = "diff takes A B MODEL, or A MODEL --against timm; found "


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vit"], EXPECTED + "'vit'"),
        (["vit", "swin"], EXPECTED + "'vit swin'"),
        (["a", "b", "c", "d"], EXPECTED + "'a b c d'"),
        (
            ["a", "b", "c", "--against", "timm"],
            "diff takes A MODEL with --against timm; found 'a b c'",
        ),
        ([], "Missing argument 'A [B] MODEL'"),
        (["vit", "x", "--against", "tim"], "'tim' is not "),
        (
            ["vit@2", "vit", "x"],
            "vit@2: a layer decay is a number above 0 and at most 1; found '2'",
        ),
        (["vit", "vit", "x", "--layer-decay", "0"], "vit: a layer decay is a number above 0 and"),
        (["auto:timm", "vit", "x"], "auto:timm: auto finds the layout itself; name the rule set"),
        (
            ["vitt", "vit", "vit_tiny_patch16_224"],
            "no rule set is called 'vitt'; did you mean 'vit'",
        ),
        (["vit", "vit", "vit_tiny_patch16_24"], "did you mean 'vit_tiny_patch16_224'?"),
        (["swin:microsft", "swin", SWIN_TINY], "); did you mean 'microsoft'?"),
        (
            ["swin:", "swin", SWIN_TINY],
            "rule set 'swin' has no layout '' (it has microsoft, timm, ",
        ),
        (["./none.yaml:timm", "swin", SWIN_TINY], "none.yaml: cannot be read"),
    ],
)
def test_misuse_ends_with_2_and_a_message(run_diff, arguments, message):
    status, out, err = run_diff(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in out + err


def test_help_is_printed(run_diff):
    status, out, _ = run_diff("--help")
    assert status == 0
    assert out.startswith("Usage: lrd diff")

"""The command line: what it prints, and how it ends."""

import json
import subprocess
import sys

import pytest

from lrd_registry import get_rule_set, list_architectures

TINY = "arch: tiny\nsummary: two layers\nlayers: [stem: weight, head: bias]\n"


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def process(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.usefixtures("six_rule_sets")
def test_list_names_the_rule_sets_by_kind(lrd, tiny, monkeypatch):
    monkeypatch.setenv("LRD_RULES_PATH", str(tiny.parent))
    status, out, _ = lrd("list")
    assert status == 0
    layouts = {arch: str(len(get_rule_set(arch).layouts)) for arch in list_architectures()}
    assert [line.split()[: 3 if line[0] != " " else 2] for line in out.splitlines()] == [
        ["kind", "arch", "layouts"],
        ["convolution", "convnext", layouts["convnext"]],
        ["hierarchical", "swin", layouts["swin"]],
        ["language", "clip_text", layouts["clip_text"]],
        ["towers", "clip", layouts["clip"]],
        ["transformer", "mae", layouts["mae"]],
        ["vit", layouts["vit"]],
        ["other", "tiny", "1"],
    ]


def test_list_leaves_out_where_bundled_rule_sets_are(lrd, tiny, monkeypatch):
    monkeypatch.setenv("LRD_RULES_PATH", str(tiny.parent))
    lines = {line[14:].split()[0]: line for line in lrd("list")[1].splitlines()}
    assert lines["tiny"].endswith(str(tiny))
    assert "rules" not in lines["resnet"]


def test_list_as_json(lrd, tiny, monkeypatch):
    monkeypatch.setenv("LRD_RULES_PATH", str(tiny.parent))
    rows = json.loads(lrd("list", "--json")[1])
    assert rows[-1] == {
        "kind": "",
        "arch": "tiny",
        "layouts": ["default"],
        "summary": "two layers",
        "source": str(tiny),
        "problems": [],
    }


def test_show_prints_sources_and_layers(lrd):
    status, out, _ = lrd("show", "swin")
    assert status == 0
    assert out.startswith("swin: Swin Transformer, V1 and V2\n\nsources\n  numbering; ")
    assert "    layers.{stage}.downsample.** joins the previous layer\n" in out


def test_show_as_json_is_a_rule_file(lrd, tmp_path):
    path = tmp_path / "copy.yaml"
    path.write_text(lrd("show", "convnext", "--json")[1])
    assert lrd("show", path, "--json") == lrd("show", "convnext", "--json")


def test_explain_has_a_line_per_layer(lrd):
    status, out, _ = lrd("explain", "vit_tiny_patch16_224", "--layer-decay", "0.5")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "vit_tiny_patch16_224: vit (layout timm), 14 layers, layer decay 0.5"
    assert lines[1].split() == [
        *("layer", "entry", "parameters", "elements", "scale", "weight", "decay", "decayed")
    ]
    assert lines[2].split() == ["0", "stem", "4", "185,664", "0.00012207", "0.05", "147,456"]
    assert lines[15].split() == ["13", "head", "4", "193,384", "1", "0.05", "192,000"]
    assert len(lines) == 16


def test_explain_has_a_line_per_parameter_on_request(lrd):
    _, out, _ = lrd("explain", "swin_tiny_patch4_window7_224", "--parameters")
    (line,) = [line for line in out.splitlines() if "layers.1.downsample.norm.bias" in line]
    assert line.split() == [
        *("2", "layers.1.downsample.norm.bias", "stage_0", "layers.{stage}.downsample.**"),
        *("384", "0.0422351", "0"),
    ]


def test_explain_as_json(lrd):
    data = json.loads(lrd("explain", "convnext_small", "--json")[1])
    assert (data["arch"], data["layout"], data["num_layers"]) == ("convnext", "timm", 14)
    assert data["layers"][13]["scale"] == 1.0
    data = json.loads(lrd("explain", "convnext_small", "--json", "--parameters")[1])
    assert data["parameters"][0] == {
        "layer": 0,
        "name": "stem.0.weight",
        "entry": "stem",
        "pattern": "stem.**",
        "elements": 4608,
        "scale": 0.75**13,
        "weight_decay": 0.05,
    }


@pytest.mark.usefixtures("six_rule_sets")
def test_explain_of_a_model_that_does_not_fit_ends_with_1(lrd):
    status, out, err = lrd("explain", "resnet18")
    assert (status, out) == (1, "")
    tried = "clip, clip_text, convnext, mae, swin, vit"
    assert err.startswith(f"lrd: no rule set fits this model completely (tried: {tried}")
    status, _, err = lrd("explain", "convnext_atto", "--arch", "vit")
    assert status == 1
    assert "    stem.0.weight  (closest: " in err


def test_check_says_what_fits_and_what_does_not(lrd):
    status, out, _ = lrd("check", "vit", "vit_tiny_patch16_224")
    explained = lrd("explain", "vit_tiny_patch16_224")[1].splitlines()
    assert (status, out.splitlines()) == (
        0,
        [
            "vit: the rule file is valid",
            "vit_tiny_patch16_224: fits, layout timm, 14 layers, layer decay 0.75",
            *explained[1:],
            "the order was not checked; --trace checks it",
        ],
    )
    status, out, _ = lrd("check", "vit", "vit_tiny_patch16_224", "convnext_atto")
    assert status == 1
    assert "\nconvnext_atto: does not fit\nrule set 'vit' (layout 'timm') does not fit" in out


def test_check_as_json(lrd):
    status, out, _ = lrd("check", "vit", "vit_tiny_patch16_224", "convnext_atto", "--json")
    fits, fails = json.loads(out)["models"]
    explained = json.loads(lrd("explain", "vit_tiny_patch16_224", "--json")[1])
    assert fits == {
        "model": "vit_tiny_patch16_224",
        "fits": True,
        "layout": "timm",
        "num_layers": 14,
        "layer_decay": 0.75,
        "layers": explained["layers"],
        "warnings": [],
        "in_order": None,
        "order": "the order was not checked; --trace checks it",
    }
    assert (status, fails["fits"]) == (1, False)
    assert "matched by no pattern" in fails["message"]


def test_check_without_a_model_validates_the_file(lrd, tiny):
    assert lrd("check", tiny) == (0, "tiny: the rule file is valid\n", "")


def test_a_faulty_rule_file_ends_with_2_and_its_place(lrd, tiny):
    tiny.write_text("arch: tiny\nlayrs: []\n")
    status, _, err = lrd("check", tiny)
    assert status == 2
    assert f"{tiny}:2:1: unknown key `layrs`; did you mean `layers`?\n" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "vitt"], "no rule set is called 'vitt'; did you mean 'vit'?"),
        (["show", "./none.yaml"], "none.yaml: cannot be read: No such file or directory"),
        (["explain", "vit_tiny_patch16_24"], "did you mean 'vit_tiny_patch16_224'?"),
        (["explain", "vit_tiny_patch16_224", "--layer-decay", "0"], "layer_decay must be finite"),
        (["explain", "torch.nn:Identity"], "the model has no parameters"),
        (["explain"], "Missing argument 'MODEL'"),
        (["explain", "vit_tiny_patch16_224", "--layer-decay", "x"], "--layer-decay"),
        (["lst"], "No such command 'lst'. Did you mean 'list'?"),
    ],
)
def test_misuse_ends_with_2_and_a_message(lrd, arguments, message):
    status, out, err = lrd(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in out + err


def test_schema_prints_the_json_schema(lrd):
    assert json.loads(lrd("schema")[1])["title"] == "RuleSet"


@pytest.mark.parametrize(
    "command", [[], ["list"], ["show"], ["explain"], ["check"], ["diff"], ["schema"]]
)
def test_help_is_printed(lrd, command):
    status, out, _ = lrd(*command, "--help")
    assert status == 0
    assert out.startswith(f"Usage: lrd {' '.join(command)}".rstrip())


@pytest.mark.parametrize("arguments", [["list"], ["--help"]])
def test_it_starts_without_torch_and_without_pydantic(arguments):
    code = (
        "import sys; from lrd_registry.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'torch', 'timm', 'pydantic'} & set(sys.modules)))"
    )
    done = process("-c", code, *arguments)
    assert done.stdout.endswith("\n[]\n"), done.stderr


def test_the_module_runs_as_the_command_does(tmp_path):
    done = process("-m", "lrd_registry", "show", str(tmp_path / "none.yaml"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"lrd: {tmp_path}/none.yaml: cannot be read")


def test_a_failure_as_json_has_what_is_at_fault(lrd, tiny):
    tiny.write_text("arch: tiny\nlayers: [stem: 'patch_embed.**', block: 'blocks.{i}.attn.**']\n")
    status, out, err = lrd("explain", "vit_tiny_patch16_224", "--arch", tiny, "--json")
    failure = json.loads(out)
    assert (status, err) == (1, "")
    assert list(failure) == ["error", "message", "unmatched", "overlapping", "missing", "gaps"]
    assert failure["error"] == "CoverageError"
    assert failure["message"].startswith("rule set 'tiny' (layout 'default') does not fit")
    assert failure["unmatched"][:2] == ["cls_token", "pos_embed"]


def test_a_file_at_fault_as_json_has_its_lines(lrd, tiny):
    tiny.write_text("arch: tiny\nlayer: []\n")
    status, out, _ = lrd("show", tiny, "--json")
    problems = json.loads(out)["problems"]
    assert status == 2
    assert [(problem["source"], problem["line"]) for problem in problems] == [
        (str(tiny), 1),
        (str(tiny), 2),
    ]


def test_check_says_the_same_of_a_failure_as_explain(lrd, tiny):
    (failed,) = json.loads(lrd("check", tiny, "vit_tiny_patch16_224", "--json")[1])["models"]
    explained = json.loads(lrd("explain", "vit_tiny_patch16_224", "--arch", tiny, "--json")[1])
    assert failed == {"model": "vit_tiny_patch16_224", "fits": False, **explained}

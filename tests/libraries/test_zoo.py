"""`make zoo`: what was measured is kept, and the table says what was found."""

import json

import pytest

from lrd_registry import assign_layers
from tables.libraries import library_version
from tests.support.building import model_with, parameter, timm_model
from tests.support.releases import HAS_NEW_NAMES, need_type
from zoo import drafts, drafts_table, models, order, running
from zoo.declared_blocks import declared_blocks

pytestmark = pytest.mark.library

WITHOUT_WEIGHTS = pytest.mark.skipif(
    not HAS_NEW_NAMES, reason="older detectors are built with the weights of their backbones"
)

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
    examples = [e for several in order.EXAMPLES.values() for e in several]
    built = [example for example in examples if example.model not in order.RECORDED]
    assert len(order.tasks()) == len(order.MODELS) + len(built)


def test_a_draft_is_measured_beside_timms_own_grouping():
    found = drafts.measure("timm:test_vit")
    assert found["traced"]
    draft = found["draft"]
    rules = draft.pop("rules")
    assert draft == {
        "complete": True,
        "in_order": True,
        "blocks": 6,
        "silent": [],
        "unsure": 0,
        "equals": True,
    }
    assert found["blocks"] == 6
    assert found["timm"] == {"complete": True, "in_order": True, "equals": False}
    assert drafts.fits((rules, "timm:vit_tiny_patch16_224"))["fits"]
    assert not drafts.fits((rules, "timm:resnet18"))["fits"]


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet18", 8),
        ("swin_tiny_patch4_window7_224", 12),
        ("coatnet_0_rw_224", 14),  # its patterns group by stage
        ("mvitv2_tiny", 10),
        ("pvt_v2_b0", 8),
        ("vit_tiny_r_s16_p8_224", 12),  # no stages in its ResNet
        ("vit_small_r26_s32_224", 12 + 8),
        ("vit_small_resnet26d_224", 8 + 8),
        ("vgg11", 8),
        ("dpn48b", 16),
        ("volo_d1_224", 18 + 2),
        ("coat_tiny", 4 * 2 + 6),
        ("selecsls42", 6),  # its head has no number
    ],
)
def test_the_blocks_that_a_model_of_timms_declares(name, blocks):
    assert declared_blocks(timm_model(name)) == blocks


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("hf:swin:SwinForImageClassification", 12),
        ("hf:bert:BertForSequenceClassification", 12),
        ("hf:fsmt:FSMTForConditionalGeneration", 12 + 12),
        pytest.param("hf:detr:DetrForObjectDetection", 16 + 6 + 6, marks=WITHOUT_WEIGHTS),
        pytest.param(
            "hf:table-transformer:TableTransformerForObjectDetection",
            16 + 6 + 6,
            marks=WITHOUT_WEIGHTS,
        ),
        ("hf:clip:CLIPModel", 12 + 12),
        ("hf:wav2vec2:Wav2Vec2ForSequenceClassification", 12),  # its convolutions are the stem
    ],
)
def test_the_blocks_that_a_model_of_transformers_declares(name, blocks):
    assert declared_blocks(models.build(name)) == blocks


def test_the_blocks_of_joined_towers_are_counted_in_all_parts():
    part = {"layers": [{"stem": "stem.**"}, {"block": {"match": "blocks.{block}.**"}}]}
    rules = {"parts": {"a": {"prefix": "a", **part}, "b": {"prefix": "b", **part}}}
    names = [
        f"{tower}.{name}.weight" for tower in "ab" for name in ("stem", "blocks.0", "blocks.1")
    ]
    model = model_with({name: parameter(2) for name in names})
    assert drafts._blocks(rules, assign_layers(model, {"arch": "mine", **rules})) == 4


def test_the_next_size_is_the_next_larger_of_the_same_kinds_in_one_family(monkeypatch):
    def sized(kinds, tensors):
        return {"traced": True, "kinds": kinds, "tensors": tensors}

    results = {
        "base": sized("a", 20),
        "tiny": sized("a", 10),
        "also tiny": sized("a", 10),
        "other kinds": sized("b", 15),
        "elsewhere": sized("a", 15),
        "broken": {"traced": False},
    }
    monkeypatch.setattr(models, "family", lambda name: "g" if name == "elsewhere" else "f")
    assert drafts.next_sizes(results) == {"tiny": "base", "also tiny": "base"}


def test_a_type_of_transformers_has_the_same_with_more_blocks_as_its_next_size():
    name = "hf:resnet:ResNetForImageClassification"
    result = {"traced": True, "kinds": "a", "tensors": 1}
    assert drafts.next_sizes({name: result}) == {name: f"{name}:deeper"}
    assert drafts.next_sizes({name: {"traced": False}}) == {}


DEEPER = [
    "hf:bert:BertForSequenceClassification",
    "hf:clip:CLIPForImageClassification",
    "hf:convnext:ConvNextForImageClassification",
    "hf:cvt:CvtForImageClassification",
    "hf:efficientnet:EfficientNetForImageClassification",
    "hf:hgnet_v2:HGNetV2ForImageClassification",
    "hf:imagegpt:ImageGPTForImageClassification",
    "hf:perceiver:PerceiverForImageClassificationLearned",
    "hf:pp_lcnet:PPLCNetForImageClassification",
    "hf:swin:SwinForImageClassification",
    "hf:textnet:TextNetForImageClassification",
]


@pytest.mark.parametrize("name", DEEPER)
def test_what_is_deeper_has_the_same_kinds_of_parameters_and_more_of_them(name):
    need_type(name)
    deeper = models.deeper(name)
    model, more = models.build(name), models.build(deeper)
    assert drafts._kinds(model) == drafts._kinds(more)
    assert len(list(model.parameters())) < len(list(more.parameters()))


@pytest.mark.parametrize(
    "name",
    [
        "hf:mobilenet_v1:MobileNetV1ForImageClassification",  # says nothing of its depth
        "hf:funnel:FunnelForSequenceClassification",  # refuses another depth
        "hf:reformer:ReformerForSequenceClassification",  # has a kind for each layer
        "timm:resnet18",
    ],
)
def test_what_cannot_simply_be_made_deeper_has_no_next_size(name):
    need_type(name)
    assert models.deeper(name) is None


def test_each_row_has_models_and_none_is_in_two():
    rows = models.names()
    names = [name for row in rows.values() for name in row]
    assert len(set(names)) == len(names) > 1400
    assert any(name in names for name in DEEPER)


def test_the_type_that_counts_tokens_is_run_on_real_ones():
    found = drafts.measure("hf:shieldgemma2:ShieldGemma2ForImageClassification")
    assert (found["draft"]["complete"], found["draft"]["in_order"]) == (True, True)


def test_the_table_of_drafts_has_a_row_for_timms_own_grouping():
    good = {"complete": True, "in_order": True, "equals": True, "blocks": 12, "silent": []}
    lump = {**good, "equals": None, "blocks": 4, "silent": ["mask_token"]}
    results = {
        "timm:a": {"traced": True, "draft": good, "timm": {**good, "equals": False}, "blocks": 12},
        "timm:b": {"traced": True, "draft": lump, "timm": {"complete": False}, "blocks": 18},
        "timm:c": {"traced": True, "draft": {**good, "in_order": False}, "timm": good},
        "hf:d": {"traced": False, "why": "it needs data"},
    }
    sizes = {
        "timm:a": {"fits": False, "other": "timm:b"},
        "timm:b": {"fits": True, "other": "timm:c"},
    }
    rows = {"timm": ["timm:a", "timm:b", "timm:c"], "transformers, texts": ["hf:d"]}
    text = drafts_table.text(rows, results, sizes)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:5]]
    timm, transformers = library_version("timm"), library_version("transformers")
    assert cells == [
        [timm, "draft", "3", "3", "3", "2", "1 of 2", "2 of 2", "1 of 2"],
        [f"{transformers}, texts", "draft", "1", "0", "0", "0", "0 of 0", "0 of 0", "0 of 0"],
        [timm, "its own grouping", "3", "3", "2", "2", "1 of 2", "1 of 2", ""],
    ]
    assert text.splitlines()[-5:] == [
        "- hf:d: no draft: it needs data",
        "- out of order, 1: timm:c",
        "- does not fit the next size, 1: timm:a (timm:b)",
        "- other blocks than the model declares, 1: timm:b (4 for 18)",
        "- unused parameters that no sentence names, 1: timm:b",
    ]

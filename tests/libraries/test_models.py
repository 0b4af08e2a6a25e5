"""A model from its name; every way in which that can fail is a message."""

import json
import subprocess
import sys

import pytest
import torch
import torchvision
import transformers
from transformers import DebertaV2Config

from lrd_registry import ModelError
from lrd_registry.models import build_model
from tests.support.releases import need_type

pytestmark = pytest.mark.library

MODULE = """
from torch import nn
import torch
class Tiny(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
    @classmethod
    def bigger(cls):
        return nn.Linear(3, 3)
def broken():
    raise RuntimeError("no weights here")
def nothing():
    return 3
constant = 7
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "my_models"
    sys.modules.pop("my_models", None)


@pytest.mark.parametrize("name", ["timm:vit_giant_patch14_224", "vit_giant_patch14_224"])
def test_a_timm_model_takes_no_memory_for_weights(name):
    model = build_model(name)
    assert sum(p.numel() for p in model.parameters()) > 10**9
    assert {p.device for p in model.parameters()} == {torch.device("meta")}


def test_a_timm_name_with_a_tag_is_a_timm_name():
    assert build_model("vit_tiny_patch16_224.augreg_in21k").embed_dim == 192


def test_a_callable_of_a_module_in_the_working_directory(module):
    model = build_model(f"{module}:Tiny")
    assert (type(model).__name__, model.weight.device.type) == ("Tiny", "meta")
    assert build_model(f"{module}:Tiny.bigger").weight.shape == (3, 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vit_bse_patch16_224", "has no model 'vit_bse_patch16_224'; did you mean 'vit_base_"),
        ("timm:vit_bse_patch16_224", "did you mean 'vit_base_patch16_224'?"),
        ("my_modls:Tiny", "cannot import 'my_modls': ModuleNotFoundError: No module named"),
        ("my_models:Tinny", "'my_models' has no 'Tinny'; did you mean 'Tiny'?"),
        ("my_models:Tiny.biger", "'my_models' has no 'Tiny.biger'; did you mean 'bigger'?"),
        ("my_models:constant", "my_models:constant is a int, not a callable"),
        ("my_models:broken", "building my_models:broken on the meta device failed: RuntimeErr"),
        ("my_models:nothing", "my_models:nothing gave a int, not a torch.nn.Module"),
    ],
)
@pytest.mark.usefixtures("module")
def test_what_cannot_be_built_is_named(name, message):
    with pytest.raises(ModelError) as caught:
        build_model(name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("hf:vit", "ViTModel"),
        ("hf:data2vec-vision", "Data2VecVisionModel"),
        ("hf:clip_vision_model", "CLIPVisionModel"),
        ("hf:vit:ViTForImageClassification", "ViTForImageClassification"),
        ("hf:aimv2_text_model:Aimv2TextModel", "Aimv2TextModel"),
    ],
)
def test_a_type_of_transformers_decides_the_configuration(name, class_name):
    need_type(name)
    model = build_model(name)
    assert type(model).__name__ == class_name
    assert model.config.to_dict() == type(model.config)().to_dict()
    assert {p.device.type for p in model.parameters()} == {"meta"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:vitt", f"transformers {transformers.__version__} has no model type 'vitt' (as con"),
        ("hf:vitt", "; did you mean 'vit'?"),
        ("hf:vit:ViTModl", f"{transformers.__version__} has no class 'ViTModl'; did you mean 'ViT"),
        ("hf:vit:", "has no class ''"),
        ("hf:vit:ViTConfig", "transformers' ViTConfig is not a model class, such as ViTModel"),
        ("hf:aimv2_text_model", "AutoModel has no class for 'aimv2_text_model'; name one: hf:aim"),
        (
            "hf:clip:CLIPVisionModel",
            "CLIPVisionModel takes a CLIPVisionConfig, and the configuration of 'clip' is a "
            "CLIPConfig; write hf:clip_vision_model:CLIPVisionModel",
        ),
        ("hf:beit:BeitForSemanticSegmentation", "building hf:beit:BeitForSemanticSegmentation on"),
    ],
)
def test_what_transformers_does_not_have_is_named(name, message):
    if "vitt" not in name:
        need_type(name)
    with pytest.raises(ModelError) as caught:
        build_model(name)
    assert message in str(caught.value)


@pytest.fixture
def config(tmp_path):
    DebertaV2Config(
        relative_attention=True,
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_size=32,
        intermediate_size=64,
    ).save_pretrained(tmp_path)
    return tmp_path / "config.json"


def test_a_configuration_builds_its_own_model_and_not_the_default_one(config):
    for name in (f"hf:{config}", f"hf:{config.parent}"):
        model = build_model(name)
        assert type(model).__name__ == "DebertaV2Model"
        assert len(model.encoder.layer) == 2
        assert model.encoder.rel_embeddings.weight.is_meta


def test_the_class_is_the_one_asked_for_or_the_file_s_own(config):
    name = f"hf:{config}:DebertaV2ForTokenClassification"
    assert type(build_model(name)).__name__ == "DebertaV2ForTokenClassification"
    data = json.loads(config.read_text())
    config.write_text(json.dumps({**data, "architectures": ["DebertaV2ForMaskedLM"]}))
    assert type(build_model(f"hf:{config}")).__name__ == "DebertaV2ForMaskedLM"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "config.json: there is no such file; nothing is downloaded, so give the path of a "),
        ("{", "config.json: not valid JSON: "),
        ("[]", "config.json: expected a configuration of transformers, with its model_type; found"),
        ('{"model_type": "vitt"}', "has no model type 'vitt'"),
        ('{"model_type": "vit", "architectures": ["ViTModl"]}', "has no class 'ViTModl'; did you"),
    ],
)
def test_a_file_that_is_no_configuration_is_said(tmp_path, text, message):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        build_model(f"hf:{tmp_path}")
    assert message in str(caught.value)


def test_a_configuration_given_as_a_checkpoint_is_told_how_it_is_meant(config):
    with pytest.raises(ModelError) as caught:
        build_model(str(config))
    assert str(caught.value) == (
        f"{config}: a configuration of transformers, without tensors; a model is built from it as "
        f"hf:{config}"
    )


@pytest.mark.slow
def test_transformers_prints_nothing_and_speaks_again_afterwards():
    code = (
        "from lrd_registry.models import build_model; build_model('hf:blip')\n"
        "import transformers; print(transformers.logging.get_verbosity())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("30\n", "")


@pytest.mark.parametrize(
    "name",
    ["vit_b_16", "regnet_y_400mf", "googlenet", "fasterrcnn_resnet50_fpn", "quantized_resnet18"],
)
def test_a_torchvision_model_has_no_weights(name, monkeypatch, recwarn):
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", None)
    model = build_model(f"torchvision:{name}")
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert not recwarn.list


def test_a_torchvision_model_is_the_one_torchvision_builds():
    built, ours = torchvision.models.regnet_y_400mf(), build_model("torchvision:regnet_y_400mf")
    assert shapes(ours) == shapes(built)


def shapes(model):
    return {name: parameter.shape for name, parameter in model.named_parameters()}


def test_an_unknown_torchvision_model_is_named():
    message = rf"torchvision {torchvision.__version__} has no model 'swn_t'; did you mean 'swin_t'?"
    with pytest.raises(ModelError) as caught:
        build_model("torchvision:swn_t")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("vit_tiny_patch16_224", "timm"),
        ("timm:vit_tiny_patch16_224", "timm"),
        ("hf:vit", "transformers"),
        ("torchvision:vit_b_16", "torchvision"),
        ("model.safetensors", "safetensors"),
    ],
)
def test_a_missing_library_is_named_with_the_line_that_brings_it(monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModelError) as caught:
        build_model(name)
    assert str(caught.value).endswith(
        f"needs {library}, which is not installed: pip install 'lrd-registry[{library}]'"
    )


def test_a_library_that_does_not_work_says_why(monkeypatch, tmp_path):
    (tmp_path / "timm.py").write_text("raise RuntimeError('built for another torch')")
    monkeypatch.delitem(sys.modules, "timm")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=r"cannot import 'timm': RuntimeError: built for another"):
        build_model("vit_tiny_patch16_224")


def test_only_the_library_that_is_asked_for_is_imported():
    code = (
        "import sys; from lrd_registry.models import build_model\n"
        "libraries = {'torch', 'timm', 'transformers', 'torchvision', 'safetensors'}\n"
        "print(sorted(libraries & set(sys.modules)))\n"
        "build_model('torch.nn:Identity'); print(sorted(libraries & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n['torch']\n"

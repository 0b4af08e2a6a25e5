"""What a model is given: by the caller, or by what it says of itself."""

import open_clip
import pytest
import timm
import torch
import torchvision
import transformers
from torch import nn

from lrd_registry import InvalidArgumentError, ModelError
from lrd_registry.tracing import trace
from lrd_registry.tracing.example_inputs import arguments_of, given_arguments
from tests.support.building import on_meta

pytestmark = pytest.mark.library

IMAGE = {"image_size": 32, "patch_size": 16, "num_channels": 4}
SIZE = {
    "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8
}  # fmt: skip
TEXT = SIZE | {"vocab_size": 20, "max_position_embeddings": 6}

WHISPER = {
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
}


def shapes(arguments):
    positional, by_name = arguments
    return (
        [tuple(tensor.shape) for tensor in positional],
        {name: tuple(tensor.shape) for name, tensor in by_name.items()},
    )


def said(make, *arguments, **options):
    return shapes(arguments_of(on_meta(make, *arguments, **options)))


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("resnet18", {}, (2, 3, 224, 224)),
        ("resnet18", {"in_chans": 1}, (2, 1, 224, 224)),
        ("tresnet_m", {}, (2, 3, 224, 224)),
        ("inception_v3", {}, (2, 3, 299, 299)),
        ("vit_tiny_patch16_224", {"img_size": (32, 64), "in_chans": 4}, (2, 4, 32, 64)),
        ("naflexvit_base_patch16_gap", {}, (2, 3, 384, 384)),
    ],
)
def test_timms_models_take_an_image_of_their_size(name, options, shape):
    assert said(timm.create_model, name, **options) == ([shape], {})


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("resnet18", (2, 3, 224, 224)),
        ("inception_v3", (2, 3, 299, 299)),
        ("r3d_18", (2, 3, 16, 224, 224)),
    ],
)
@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
def test_torchvisions_models_take_an_image_or_a_clip(name, shape):
    assert said(torchvision.models.get_model, name, weights=None) == ([shape], {})


def test_torchvisions_vit_takes_an_image_of_its_size():
    make = torchvision.models.vit_b_16
    assert said(make, weights=None, image_size=32) == ([(2, 3, 32, 32)], {})


def of_transformers(name, **options):
    model = getattr(transformers, name)
    return said(lambda: model(model.config_class(**options)))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("ViTModel", SIZE | IMAGE, {"pixel_values": (2, 4, 32, 32)}),
        (
            "PerceiverForImageClassificationLearned",
            {"d_latents": 8, "image_size": 16, "num_blocks": 1},
            {"pixel_values": (2, 3, 16, 16)},
        ),
        (
            "BeitForMaskedImageModeling",
            SIZE | IMAGE | {"use_mask_token": True},
            {"pixel_values": (2, 4, 32, 32), "bool_masked_pos": (2, 4)},
        ),
        ("BeitModel", SIZE | IMAGE, {"pixel_values": (2, 4, 32, 32)}),
        ("BertModel", TEXT, {"input_ids": (2, 6)}),
        ("CLIPTextModel", TEXT, {"input_ids": (2, 6)}),
        (
            "CLIPModel",
            {"vision_config": SIZE | IMAGE, "text_config": TEXT},
            {"input_ids": (2, 6), "pixel_values": (2, 4, 32, 32)},
        ),
        (
            "Siglip2VisionModel",
            SIZE | {"num_patches": 12},
            {
                "pixel_values": (2, 12, 768),
                "pixel_attention_mask": (2, 12),
                "spatial_shapes": (2, 2),
            },
        ),
        (
            "VideoMAEModel",
            SIZE | {"image_size": 32, "num_frames": 4},
            {"pixel_values": (2, 4, 3, 32, 32)},
        ),
        ("T5Model", {"d_model": 8, "num_layers": 1, "d_kv": 4, "num_heads": 2},
         {"input_ids": (2, 16), "decoder_input_ids": (2, 16)}),
        ("Wav2Vec2Model", SIZE | {"hidden_size": 16}, {"input_values": (2, 19200)}),
        ("WhisperModel", WHISPER,
         {"input_features": (2, 80, 3000), "decoder_input_ids": (2, 16)}),
        ("ASTModel", SIZE, {"input_values": (2, 1024, 128)}),
    ],
)  # fmt: skip
def test_transformers_models_take_what_their_configuration_says(name, options, expected):
    assert of_transformers(name, **options) == ([], expected)


def test_the_sides_of_patches_have_values():
    """SigLIP 2 reads them."""
    config = transformers.Siglip2VisionConfig(**SIZE, num_patches=12)
    _, by_name = arguments_of(on_meta(transformers.Siglip2VisionModel, config))
    assert by_name["spatial_shapes"].tolist() == [[3, 4], [3, 4]]


def test_open_clips_models_take_an_image_and_a_text():
    model = on_meta(open_clip.create_model, "ViT-B-32", pretrained=None, device="meta")
    assert shapes(arguments_of(model)) == ([(2, 3, 224, 224), (2, 77)], {})
    assert shapes(arguments_of(model.visual)) == ([(2, 3, 224, 224)], {})
    text = on_meta(open_clip.model._build_text_tower, 8, {"layers": 1, "width": 8, "heads": 2})
    assert shapes(arguments_of(text)) == ([(2, 77)], {})


def test_numbers_are_of_the_models_kind():
    model = on_meta(timm.create_model, "resnet18").half()
    (image,), _ = arguments_of(model)
    assert image.dtype == torch.float16
    assert trace(model).unused == ()
    (image,), _ = given_arguments((2, 3), model)
    assert image.dtype == torch.float16


def test_wrapped_models_say_the_same():
    model = nn.DataParallel(on_meta(timm.create_model, "resnet18"))
    assert shapes(arguments_of(model)) == ([(2, 3, 224, 224)], {})


def test_a_model_that_says_nothing():
    with pytest.raises(ModelError, match=r"^Linear does not say what it takes, .*pass inputs: a s"):
        trace(nn.Linear(2, 2))


def test_inputs_of_each_form():
    tensor = torch.ones(2, 3)
    net = nn.Linear(3, 3)
    assert shapes(given_arguments((2, 3), net)) == ([(2, 3)], {})
    assert shapes(given_arguments(torch.Size([2, 3]), net)) == ([(2, 3)], {})
    assert shapes(given_arguments(tensor, net)) == ([(2, 3)], {})
    assert shapes(given_arguments([(2, 3), tensor], net)) == ([(2, 3), (2, 3)], {})
    assert shapes(given_arguments((tensor, (4,)), net)) == ([(2, 3), (4,)], {})
    assert shapes(given_arguments({"x": (2, 3)}, net)) == ([], {"x": (2, 3)})


def test_what_is_no_tensor_is_handed_on():
    positional, by_name = given_arguments([(1,), None, {"patches": (2, 3)}], nn.ReLU())
    assert (positional[1], positional[2]["patches"].shape, by_name) == (None, (2, 3), {})
    _, by_name = given_arguments({"return_dict": False, "mode": "full", "n": 3}, nn.ReLU())
    assert by_name == {"return_dict": False, "mode": "full", "n": 3}


def test_ids_are_integers():
    _, by_name = given_arguments({"input_ids": (2, 3), "image": (2, 3)}, nn.ReLU())
    assert [tensor.dtype for tensor in by_name.values()] == [torch.int64, torch.float32]


@pytest.mark.parametrize("inputs", [3, "image", nn.ReLU()])
def test_inputs_of_no_form(inputs):
    with pytest.raises(InvalidArgumentError, match=f"; found {type(inputs).__name__}$"):
        trace(nn.Linear(3, 3), inputs)

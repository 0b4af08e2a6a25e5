"""Models of transformers that take several kinds of input are given all of them."""

import warnings

import pytest
import torch
import transformers

from lrd_registry import assign_layers
from lrd_registry.tracing import trace
from lrd_registry.tracing.example_inputs import arguments_of, arguments_to_try
from tests.support.building import on_meta
from tests.support.releases import HAS_NEW_NAMES

pytestmark = [
    pytest.mark.library,
    pytest.mark.skipif(not HAS_NEW_NAMES, reason="older ones have other names"),
]

SIZE = {
    "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 8
}  # fmt: skip
TEXT = SIZE | {"vocab_size": 20, "max_position_embeddings": 64}
VISION = SIZE | {"image_size": 32, "patch_size": 16}
LLAMA = TEXT | {"model_type": "llama", "num_key_value_heads": 2}
CLIP = VISION | {"model_type": "clip_vision_model"}


def built(name, **options):
    model = getattr(transformers, name)
    return on_meta(lambda: model(model.config_class(**options)))


def shapes(name, **options):
    _, by_name = arguments_of(built(name, **options))
    return {argument: tuple(value.shape) for argument, value in by_name.items()}


QWEN = TEXT | {"model_type": "qwen2", "num_key_value_heads": 2}
SOUND = SIZE | {"num_mel_bins": 8, "max_source_positions": 16}
LLAVA = {"vision_config": CLIP, "text_config": LLAMA, "image_token_index": 19}
KINDS = [
    (
        "GitForCausalLM",
        TEXT | {"vision_config": VISION},
        {"input_ids": (2, 16), "pixel_values": (2, 3, 32, 32)},
    ),
    (
        "BlipForQuestionAnswering",
        {"vision_config": VISION, "text_config": TEXT | {"encoder_hidden_size": 8}},
        {"input_ids": (2, 16), "pixel_values": (2, 3, 32, 32), "decoder_input_ids": (2, 16)},
    ),
    (
        "LayoutLMModel",
        TEXT,
        {"input_ids": (2, 16), "bbox": (2, 16, 4)},
    ),
    (
        "ViltModel",
        TEXT | VISION | {"modality_type_vocab_size": 2},
        {"input_ids": (2, 16), "pixel_values": (2, 3, 32, 32)},
    ),
    ("BertForMultipleChoice", TEXT, {"input_ids": (2, 2, 16)}),
    (
        "Wav2Vec2BertModel",
        SIZE | {"feature_projection_input_dim": 6, "num_attention_heads": 2},
        {"input_features": (2, 128, 6)},
    ),
    (
        # a token for each of an image's four patches, and its class token left away
        "LlavaForConditionalGeneration",
        LLAVA,
        {"input_ids": (2, 20), "pixel_values": (2, 3, 32, 32)},
    ),
    (
        # what makes features of the sound asks for a mask beside it; a token for two frames of four
        "AudioFlamingo3ForConditionalGeneration",
        {"text_config": QWEN, "audio_config": SOUND, "audio_token_id": 19},
        {
            "input_ids": (2, 16 + 8),
            "input_features": (2, 8, 32),
            "input_features_mask": (2, 32),
        },
    ),
    (
        # 8 x 8 patches an image, of which none is merged
        "VideoLlama3ForConditionalGeneration",
        {"text_config": QWEN, "vision_config": VISION, "image_token_id": 19},
        {
            "input_ids": (2, 16 + 64),
            "pixel_values": (2 * 64, 3 * 16 * 16),
            "image_grid_thw": (2, 3),
            "image_merge_sizes": (2,),
        },
    ),
    (
        # the patches of both images in one row, of which 4 x 4 make a token
        "MiniCPMV4_6ForConditionalGeneration",
        {"image_token_id": 19},
        {
            "input_ids": (2, 16 + 4),
            "pixel_values": (1, 3, 16, 2 * 64 * 16),
            "target_sizes": (2, 2),
        },
    ),
    (
        # of the forms in which patches come, the one that the model can take
        "PaddleOCRVLForConditionalGeneration",
        {"image_token_id": 19},
        {
            "input_ids": (2, 16 + 4 * 4),
            "pixel_values": (2 * 64, 3, 14, 14),
            "image_grid_thw": (2, 3),
            "position_ids": (2, 16 + 4 * 4),
        },
    ),
    (
        "DeepseekVLHybridForConditionalGeneration",
        {"text_config": LLAMA, "image_token_id": 19},
        {
            "input_ids": (2, 16 + 14 * 14),
            "pixel_values": (2, 3, 224, 224),
            "high_res_pixel_values": (2, 3, 1024, 1024),
        },
    ),
    (
        "Kosmos2_5ForConditionalGeneration",
        {},
        {
            "input_ids": (2, 16 + 2048),
            "flattened_patches": (2, 16, 2 + 3 * 16 * 16),
            "image_embeds_position_mask": (2, 16 + 2048),
        },
    ),
]
KINDS = [kind for kind in KINDS if hasattr(transformers, kind[0])]


@pytest.mark.parametrize(("name", "options", "expected"), KINDS, ids=[name for name, *_ in KINDS])
def test_all_that_a_model_takes_is_made(name, options, expected):
    assert shapes(name, **options) == expected


def test_images_stand_in_the_text_as_tokens_of_their_own():
    _, by_name = arguments_of(built("LlavaForConditionalGeneration", **LLAVA))
    assert (by_name["input_ids"] == 19).sum(1).tolist() == [4, 4]


ONLY_TRAINED = ("masked_spec_embed", "post_layernorm.weight", "post_layernorm.bias")
"""What masks in training, and the last norm of CLIP's tower, which LLaVA takes no features from."""


@pytest.mark.parametrize("kind", KINDS, ids=[name for name, *_ in KINDS])
def test_no_tower_is_left_out(kind):
    name, options, _ = kind
    unused = trace(built(name, **options)).unused
    assert [parameter for parameter in unused if not parameter.endswith(ONLY_TRAINED)] == []


def test_the_image_tower_of_git_has_its_layers():
    model = built("GitForCausalLM", **TEXT, vision_config=VISION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layers = assign_layers(model, "infer")
    first, second = (
        row.layer
        for name, row in layers.items()
        if "image_encoder" in name and name.endswith(".mlp.fc1.weight")
    )
    assert 0 < first < second


def test_after_the_fullest_comes_the_least():
    asked = arguments_to_try(built("LlavaForConditionalGeneration", **LLAVA))
    assert [sorted(by_name) for _, by_name in asked] == [
        ["input_ids", "pixel_values"],
        ["input_ids"],
    ]


SPEECH = {
    "hidden_size": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "vocab_size": 20,
}  # fmt: skip


def test_speech_with_the_decoders_tokens():
    model = built("SpeechT5ForSpeechToText", **SPEECH)
    assert trace(model).unused == ("speecht5.encoder.prenet.masked_spec_embed",)


def depth_model():
    sizes = SIZE | {"num_hidden_layers": 4, "image_size": 32, "patch_size": 8}
    neck = {"backbone_out_indices": [0, 1, 2, 3], "neck_hidden_sizes": [8] * 4}
    config = transformers.DPTConfig(**sizes, **neck, fusion_hidden_size=8)
    return transformers.DPTForDepthEstimation(config).eval()


def test_a_model_that_has_run_is_traced_like_a_fresh_one():
    """The hooks that collect its hidden states are installed at its first pass."""
    fresh, run = depth_model(), depth_model()
    run(torch.randn(1, 3, 32, 32))
    hooks = [len(module._forward_hooks) for module in run.modules()]
    assert trace(run) == trace(fresh)
    assert [len(module._forward_hooks) for module in run.modules()] == hooks


def test_a_mixture_of_experts_in_float32():
    options = LLAMA | {"num_local_experts": 4, "num_experts_per_tok": 2, "pad_token_id": 0}
    del options["model_type"]
    assert trace(built("MixtralForCausalLM", **options)).unused == ()


def test_token_ids_as_a_shape_are_real_ones():
    options = {"attention_window": 4, "pad_token_id": 1}
    model = built("LongformerForSequenceClassification", **TEXT, **options)
    used = trace(model, {"input_ids": (2, 16)}).uses
    assert "longformer.encoder.layer.1.attention.self.query.weight" in used

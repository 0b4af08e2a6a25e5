"""One network in transformers and in the library that it is from: each tensor in the same layer."""

import re

import pytest
from transformers import (
    BertConfig,
    BertModel,
    EsmConfig,
    EsmForMaskedLM,
    Wav2Vec2Config,
    Wav2Vec2ForCTC,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from lrd_registry import assign_layers
from tests.support.building import on_meta
from tests.support.libraries.examples import RECORDED, Example
from tests.support.releases import need_new_names

pytestmark = pytest.mark.library

BERT = BertConfig(num_hidden_layers=6, hidden_size=384, intermediate_size=1536)
ESM = EsmConfig(
    vocab_size=33,
    pad_token_id=1,
    mask_token_id=32,
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=256,
    position_embedding_type="rotary",
)
WHISPER = WhisperConfig(
    vocab_size=100,
    d_model=64,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=256,
    decoder_ffn_dim=256,
    pad_token_id=0,
)
IN_WHISPER = [
    (r"\.blocks\.", ".layers."),
    (r"\.cross_attn_ln\.", ".encoder_attn_layer_norm."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.cross_attn\.", ".encoder_attn."),
    (r"\.attn\.", ".self_attn."),
    (r"\.query\.", ".q_proj."),
    (r"\.key\.", ".k_proj."),
    (r"\.value\.", ".v_proj."),
    (r"\.out\.", ".out_proj."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"\.(ln_post|ln)\.", ".layer_norm."),
    (r"token_embedding", "embed_tokens"),
    (r"positional_embedding", "embed_positions.weight"),
    (r"^", "model."),
]
IN_ESM = [
    (r"^embed_tokens\.", "esm.embeddings.word_embeddings."),
    (r"^layers\.", "esm.encoder.layer."),
    (r"\.self_attn\.out_proj\.", ".attention.output.dense."),
    (r"\.self_attn\.k_proj\.", ".attention.self.key."),
    (r"\.self_attn\.q_proj\.", ".attention.self.query."),
    (r"\.self_attn\.v_proj\.", ".attention.self.value."),
    (r"\.self_attn_layer_norm\.", ".attention.LayerNorm."),
    (r"\.fc1\.", ".intermediate.dense."),
    (r"\.fc2\.", ".output.dense."),
    (r"\.final_layer_norm\.", ".LayerNorm."),
    (r"^emb_layer_norm_after\.", "esm.encoder.emb_layer_norm_after."),
    (r"^contact_head\.", "esm.contact_head."),
    (r"^lm_head\.weight$", "lm_head.decoder.weight"),
]
IN_WAV2VEC2 = [
    (r"^encoder\.feature_projection\.", "wav2vec2.feature_projection."),
    (r"^encoder\.transformer\.", "wav2vec2.encoder."),
    (r"^feature_extractor\.", "wav2vec2.feature_extractor."),
    (r"^aux\.", "lm_head."),
]


def wav2vec2(*, is_stable):
    return Wav2Vec2Config(
        vocab_size=8,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        conv_dim=(64, 64),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        conv_bias=is_stable,
        feat_extract_norm="layer" if is_stable else "group",
        do_stable_layer_norm=is_stable,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )


TWINS = {
    "sentence-transformers/MiniLM": (BertModel, BERT, [(r"^0\.model\.", "")]),
    "sentence-transformers 5/MiniLM": (BertModel, BERT, [(r"^0\.auto_model\.", "")]),
    "fair-esm/ESM2": (EsmForMaskedLM, ESM, IN_ESM),
    "openai-whisper/small": (WhisperForConditionalGeneration, WHISPER, IN_WHISPER),
    "torchaudio/wav2vec2 group_norm": (Wav2Vec2ForCTC, wav2vec2(is_stable=False), IN_WAV2VEC2),
    "torchaudio/wav2vec2 layer_norm": (Wav2Vec2ForCTC, wav2vec2(is_stable=True), IN_WAV2VEC2),
}
"""What was recorded -> the class and the configuration of its twin, and how its names change."""

ALONE = {
    "sentence-transformers/MiniLM": {"3.linear.weight", "3.linear.bias"},
}
"""What the twin has not."""


@pytest.mark.parametrize("name", TWINS)
def test_each_tensor_has_the_same_layer_as_in_transformers(name):
    need_new_names()
    kind, config, changes = TWINS[name]
    theirs = Example(name).build()
    twin = on_meta(lambda: kind(config))
    shapes = {n: tuple(p.shape) for n, p in twin.named_parameters(remove_duplicate=False)}
    layers, twin_layers = assign_layers(theirs), assign_layers(twin)
    assert layers.num_layers == twin_layers.num_layers
    for own, shape in RECORDED[name]["names"].items():
        if own in ALONE.get(name, ()):
            assert layer_of(layers, own) == layers.num_layers - 1
            continue
        renamed = own
        for pattern, new in changes:
            renamed = re.sub(pattern, new, renamed)
        assert shapes[renamed] == tuple(shape)
        assert layer_of(layers, own) == layer_of(twin_layers, renamed), own


def layer_of(layers, name):
    """The layer of a tensor by any of its names."""
    first = next(n for n in layers if name in (n, *layers.aliases.get(n, ())))
    return layers[first].layer

"""The texts that models of transformers are given: real tokens, which they may look at."""

import pytest
import transformers

from lrd_registry.tracing import trace
from lrd_registry.tracing.example_inputs import arguments_of
from tests.support.building import on_meta
from tests.support.releases import HAS_NEW_NAMES, release

pytestmark = pytest.mark.library

SIZE = {
    "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8
}  # fmt: skip
TEXT = SIZE | {"vocab_size": 20, "max_position_embeddings": 6}


def tokens_of(name, **options):
    model = getattr(transformers, name)
    _, arguments = arguments_of(on_meta(lambda: model(model.config_class(**options))))
    return arguments["input_ids"].tolist()


def test_a_text_is_of_real_tokens_that_are_no_special_ones_and_ends():
    special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    assert tokens_of("BertModel", **TEXT, **special) == [[3, 3, 3, 3, 3, 2]] * 2
    assert tokens_of("BertModel", **TEXT, pad_token_id=0, eos_token_id=None) == [[1] * 6] * 2


def test_a_model_that_knows_no_padding_takes_one_text():
    assert tokens_of("BertModel", **TEXT, pad_token_id=None, eos_token_id=None) == [[1] * 6]


def test_texts_beside_images_are_as_many():
    text = TEXT | {"pad_token_id": None}
    assert len(tokens_of("CLIPModel", vision_config=SIZE, text_config=text)) == 2


def test_a_model_without_a_longest_text_takes_one_of_usual_length():
    sizes = {"d_model": 8, "n_layer": 1, "n_head": 2, "d_inner": 8, "vocab_size": 20}
    assert [len(text) for text in tokens_of("XLNetModel", **sizes)] == [16, 16]


SMALL = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
         "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("BartForSequenceClassification", SMALL),  # picks the states at the texts' ends
        ("DebertaV2ForSequenceClassification", TEXT),  # looks for padding
        ("RobertaForSequenceClassification", TEXT),  # counts positions by what is no padding
        ("T5ForSequenceClassification", {"d_model": 8, "num_layers": 1, "d_kv": 4, "num_heads": 2}),
        ("GPT2ForSequenceClassification", {"n_embd": 8, "n_layer": 1, "n_head": 2}),  # no padding
        ("MixtralForCausalLM", TEXT | {"num_key_value_heads": 2, "num_local_experts": 2}),
    ],
)
def test_models_of_text_that_look_at_their_tokens_are_traced(name, options):
    if release("torch") < (2, 7) or not HAS_NEW_NAMES:
        pytest.skip("older ones tie after the weights are there, or cannot autocast without data")
    model = getattr(transformers, name)
    assert trace(on_meta(lambda: model(model.config_class(**options)))).unused == ()

"""PEFT: prompts and prefixes join the input; tokens trained in an embedding stay with it.

No ViT can have them: PEFT asks the model for a vocabulary.
"""

import peft
import pytest

from lrd_registry import assign_layers, build_param_groups
from tests.support.building import layers_of
from tests.support.wrappers.checking import Before, check, check_form
from tests.support.wrappers.tiny import BERT, GPT2, bert, gpt2, timm_vit, transformers_vit

pytestmark = [pytest.mark.engine, pytest.mark.library]

HEAD = [f"base_model.classifier.modules_to_save.default.{name}" for name in ("weight", "bias")]
MLP = [f"{i}.{name}" for i in (0, 2, 4) for name in ("weight", "bias")]
SIZES = {"num_virtual_tokens": 4}
METHODS = {
    "prompt": (peft.PromptTuningConfig, {}, ["embedding.weight"]),
    "prefix": (peft.PrefixTuningConfig, {}, ["embedding.weight"]),
    "projected prefix": (
        peft.PrefixTuningConfig,
        {"prefix_projection": True, "encoder_hidden_size": 8},
        ["embedding.weight"]
        + [f"transform.{i}.{name}" for i in (0, 2) for name in ("weight", "bias")],
    ),
    "p-tuning": (
        peft.PromptEncoderConfig,
        {"encoder_hidden_size": 8},
        ["embedding.weight"] + [f"mlp_head.{name}" for name in MLP],
    ),
    "multitask": (
        peft.MultitaskPromptTuningConfig,
        {"num_tasks": 2},
        ["prefix_task_cols", "prefix_task_rows", "embedding.weight"],
    ),
}


def prompts(names):
    return {f"prompt_encoder.default.{name}": 0 for name in names}


@pytest.mark.parametrize("method", METHODS)
def test_prompts_of_a_classifier_join_the_stem(method):
    make, options, names = METHODS[method]
    model = bert()
    before = Before(model, BERT)
    wrapped = peft.get_peft_model(model, make(task_type="SEQ_CLS", **SIZES, **options))
    new = prompts(names) | dict.fromkeys(HEAD, 3)
    check(wrapped, before, new)
    groups = build_param_groups(wrapped, BERT)
    assert {n: g["layer"] for g in groups for n in g["param_names"]} == new


@pytest.mark.parametrize("method", METHODS)
def test_prompts_of_a_language_model_join_the_stem(method):
    make, options, names = METHODS[method]
    model = gpt2()
    before = Before(model, GPT2)
    config = make(task_type="CAUSAL_LM", **SIZES, **options)
    check(peft.get_peft_model(model, config), before, prompts(names))


@pytest.mark.parametrize("build", [timm_vit, transformers_vit])
@pytest.mark.parametrize("method", METHODS)
def test_peft_gives_no_vit_a_prompt(build, method):
    make, options, _ = METHODS[method]
    with pytest.raises(AttributeError, match=r"has no attribute '(config|vocab_size)'"):
        peft.get_peft_model(build(), make(task_type="SEQ_CLS", **SIZES, **options))


def test_trained_tokens_stay_with_their_embedding():
    model = bert()
    before = Before(model, BERT)
    config = peft.TrainableTokensConfig(token_indices=[1], target_modules=["word_embeddings"])
    wrapped = peft.get_peft_model(model, config)
    start = "base_model.model.bert.embeddings.word_embeddings"
    check(wrapped, before, {f"{start}.trainable_tokens_delta.default": 0})


def test_trained_tokens_beside_lora():
    model = bert()
    before = Before(model, BERT)
    config = peft.LoraConfig(
        target_modules=r".*\.1\..*query", trainable_token_indices={"word_embeddings": [1]}
    )
    wrapped = peft.get_peft_model(model, config)
    start = "base_model.model.bert"
    query = f"{start}.encoder.layer.1.attention.self.query"
    tokens = f"{start}.embeddings.word_embeddings.token_adapter.trainable_tokens_delta.default"
    adapters = {f"{query}.lora_{side}.default.weight": 2 for side in "AB"}
    check(wrapped, before, {tokens: 0} | adapters)


def test_prompts_inside_the_attention_have_its_layer():
    model = gpt2()
    before = Before(model, GPT2)
    config = peft.AdaptionPromptConfig(task_type="CAUSAL_LM", adapter_len=4, adapter_layers=1)
    wrapped = peft.get_peft_model(model, config)
    start = "base_model.model.transformer.h.1.attn"
    new = {f"{start}.adaption_prompt": 2, f"{start}.adaption_gate": 2}
    expected = before.expected(wrapped, new)
    check_form(wrapped, before, expected)
    assert layers_of(assign_layers(wrapped.named_parameters(), GPT2)) == expected

"""Where a draft puts what is not a block, on models of timm, torchvision and transformers."""

import pytest
import torch
from torch import nn

from lrd_registry.assign.assign_layers import assign_layers
from lrd_registry.drafting import draft
from lrd_registry.models import build_model
from lrd_registry.tracing.result import Trace
from tests.support.building import layers_of, timm_model
from tests.support.drafting.drafting import drafted

pytestmark = pytest.mark.library


def layers_in(text: str) -> list[str]:
    """The lines of a text's entries."""
    return text.partition("layers:\n")[2].splitlines()


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("vit_tiny_patch16_224", "vit"),
        ("beit_base_patch16_224", "vit"),
        ("swin_tiny_patch4_window7_224", "swin"),
        ("swinv2_cr_tiny_224", "swin"),
        ("torchvision:swin_t", "swin"),
        ("hf:swin:SwinForImageClassification", "swin"),
        ("hf:swinv2:Swinv2ForImageClassification", "swin"),  # whose name ends in a number
    ],
)
def test_a_draft_gives_the_layers_of_the_bundled_rules(name, rules):
    model = build_model(name)
    assert layers_of(assign_layers(model, drafted(model).rule_set)) == layers_of(
        assign_layers(model, rules)
    )


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ("resnet18", "resnet34"),
        ("convnext_tiny", "convnext_small"),
        ("vit_tiny_patch16_224", "vit_large_patch16_224"),
        ("densenet121", "densenet201"),
        ("mobilenetv3_small_100", "mobilenetv3_large_100"),
        ("regnety_002", "regnety_032"),
    ],
)
def test_the_file_of_a_small_model_fits_a_large_one(small, large):
    rules = drafted(timm_model(small)).rule_set
    model = timm_model(large)
    assert set(assign_layers(model, rules)) == {name for name, _ in model.named_parameters()}


def test_two_kinds_of_blocks_that_take_turns_are_blocks():
    rules = drafted(build_model("hf:levit:LevitForImageClassification")).rules
    assert rules["layers"][1] == {"block": "levit.encoder.stages.{stage}.layers.{block}.**"}


def test_a_single_module_with_a_number_is_opened_however_small():
    rules = drafted(timm_model("hrnet_w18_small_v2")).rules
    assert rules["layers"][1] == {
        "layer1": {"match": "layer1.{block}.**", "last": "transition1.**"}
    }


def test_what_opens_a_stage_shares_the_layer_before():
    text = str(drafted(timm_model("convnext_atto")))
    assert layers_in(text) == [
        "  - stem: stem.**",
        "  - block:",
        "      match: stages.{stage}.blocks.{block}.**",
        "      previous: stages.{stage}.downsample.**",
        "  - head: {match: head.**, optional: true}",
    ]
    assert (
        "# - stages.{stage}.downsample.** opens its stage, and shares the layer of the block "
        "before it\n#   (`previous`); with `first`, it would share that of the stage's first "
        "block.\n" in text
    )


def test_lists_beside_the_stages_join_them_by_number():
    assert layers_in(str(drafted(timm_model("twins_svt_small")))) == [
        "  - stem: patch_embeds.0.**",
        "  - block:",
        "      match: blocks.{stage}.{block}.**",
        "      previous: patch_embeds.{stage}.**",
        "      first: pos_block.{stage}.**",
        "  - head: {match: [norm.**, head.**], optional: true}",
    ]


def test_what_follows_a_stage_shares_its_last_layer():
    assert layers_in(str(drafted(timm_model("densenet121"))))[1:4] == [
        "  - block:",
        "      match: features.denseblock{stage}.denselayer{block}.**",
        "      last: features.transition{stage}.**",
    ]


def test_a_token_that_enters_at_the_second_stack_is_with_its_first_block():
    assert layers_in(str(drafted(timm_model("cait_xxs24_224"))))[1:5] == [
        "  - blocks: blocks.{block}.**",
        "  - blocks_token_only:",
        "      match: blocks_token_only.{block}.**",
        "      first: cls_token",
    ]


def test_a_class_token_that_enters_in_the_middle_of_the_blocks_is_in_the_stem():
    layers = drafted(timm_model("convit_tiny")).rules["layers"]
    assert layers == [
        {"stem": ["cls_token", "pos_embed", "patch_embed.**"]},
        {"block": "blocks.{block}.**"},
        {"head": {"match": ["norm.**", "head.**"], "optional": True}},
    ]


def test_a_list_of_unlike_stages_is_opened_by_position():
    assert layers_in(str(drafted(build_model("torchvision:swin_t"))))[:5] == [
        "  - stem: features.0.**",
        "  - stage_0:",
        "      match: features.1.{block}.**",
        "      last: features.2.**",
        "  - stage_1:",
    ]


def test_a_bias_that_later_blocks_use_again_is_in_the_block_that_holds_it():
    model = build_model("hf:t5:T5ForConditionalGeneration")
    found = drafted(model)
    layers = layers_of(assign_layers(model, found.rules))
    block = "decoder.block.0.layer.0.SelfAttention."
    assert "waivers" not in found.rules
    assert layers[f"{block}relative_attention_bias.weight"] == layers[f"{block}q.weight"]


def mlps(count: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)) for _ in range(count))
    )


class Masked(nn.Module):
    """A token that only pretraining uses, and a head that only training does."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(2, 2)
        self.mask_token = nn.Parameter(torch.zeros(2))
        self.blocks = mlps(3)
        self.aux_head = nn.Linear(2, 2)
        self.head = nn.Linear(2, 2)

    def forward(self, x):
        return self.head(self.blocks(self.embed(x)))


def test_what_is_not_used_goes_where_its_siblings_are():
    assert layers_in(str(drafted(Masked(), (1, 2)))) == [
        "  # the forward pass does not use mask_token",
        "  - stem: [mask_token, embed.**]",
        "  - block: blocks.{block}.**",
        "  # the forward pass does not use aux_head.**",
        "  - head: {match: [aux_head.**, head.**], optional: true}",
    ]


class Towers(nn.Module):
    """Two towers; the text's embedding is at the top, and what is shared before them, if it is."""

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.shared = nn.Linear(2, 2) if shared else nn.Identity()
        self.token_embedding = nn.Linear(2, 2)
        self.text, self.image = nn.ModuleDict(), nn.ModuleDict()
        self.text["blocks"], self.image["layers"] = mlps(2), mlps(2)
        self.scale = nn.Parameter(torch.zeros(2, 2))

    def forward(self, text, image):
        text = self.text["blocks"](self.token_embedding(self.shared(text)))
        return text @ self.scale @ self.image["layers"](self.shared(image)).T


def test_towers_are_parts_also_where_one_begins_at_the_top():
    rules = drafted(Towers(shared=False), [(1, 2), (1, 2)]).rules
    assert rules["parts"] == {
        "text": {"layers": [{"stem": "token_embedding.**"}, {"block": "text.blocks.{block}.**"}]},
        "image": {"prefix": "image", "layers": [{"block": "layers.{block}.**"}]},
    }
    assert rules["outside"] == {"scale": "scale"}


def test_towers_after_something_shared_are_no_parts():
    rules = drafted(Towers(shared=True), [(1, 2), (1, 2)]).rules
    assert rules["layers"][0] == {"stem": ["shared.**", "token_embedding.**"]}


class Middle(nn.Module):
    """A token that comes in after the second of four blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = mlps(4)
        self.token = nn.Parameter(torch.zeros(2, 2))

    def forward(self, x):
        for number, block in enumerate(self.blocks):
            x = block(x @ self.token if number == 2 else x)
        return x


def test_what_is_used_inside_a_stack_is_put_there_by_position():
    found = drafted(Middle(), (2, 2))
    assert found.rules["layers"] == [
        {"blocks_0": "blocks.0.**"},
        {"blocks_1": "blocks.1.**"},
        {"token": "token"},
        {"blocks_2": "blocks.2.**"},
        {"blocks_3": "blocks.3.**"},
        {"head": {"match": "head.**", "optional": True}},
    ]
    assert found.unsure == (
        "No run of blocks without holes was found, so each module is an entry by its own name; "
        "another size of the network may need other entries.",
    )


def test_without_any_order_all_is_one_layer():
    model = nn.ParameterDict({"a": torch.zeros(2, 2), "b": torch.zeros(2, 2)})
    unused = Trace({}, ("a", "b"), {}, {})
    assert layers_in(str(draft(model, "flat", unused))) == ['  - all: "**"']

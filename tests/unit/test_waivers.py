"""Waivers: parameters that a rule file numbers out of the order of use, for a reason."""

import json

import pytest
import torch
from torch import nn

from lrd_registry import RuleFileError, assign_layers
from lrd_registry.rule_files.load import parse_rule_set
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import Contradiction, check_order

pytestmark = pytest.mark.engine

LAYERS = "layers: [stem: embed.*, block: 'blocks.{i}.*', head: [bias, head.*]]\n"
WAIVED = LAYERS + "waivers: [{parameters: bias, why: its authors number it with the head}]\n"


class Net(nn.Module):
    """A bias that all blocks share, as BEiT's; without it, a chain."""

    def __init__(self, *, shares_bias=True):
        super().__init__()
        self.embed = nn.Linear(2, 2, bias=False)
        self.blocks = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(2)) if shares_bias else None
        self.head = nn.Linear(2, 2, bias=False)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x + self.bias if self.bias is not None else x).relu()
        return self.head(x)


def check(text, model, **place):
    assignment = assign_layers(model, parse_rule_set(f"arch: mine\n{text}"), **place)
    return check_order(assignment, trace(model, (1, 2)))


def test_a_contradiction_names_the_pair_and_the_smallest_move():
    found = check(LAYERS, Net())
    assert found.contradictions == (Contradiction("bias", "blocks.1.weight", 3, 2),)
    assert found.move == ("bias",)
    assert (found.waived, found.idle) == ((), ())


def test_a_waiver_covers_it_and_says_why():
    found = check(WAIVED, Net())
    assert (found.contradictions, found.move, found.idle) == ((), (), ())
    assert [waiver.why for waiver in found.waived] == ["its authors number it with the head"]


def test_a_waiver_covers_nothing_else():
    wrong = WAIVED.replace(
        "[stem: embed.*, block: 'blocks.{i}.*', head: [bias, head.*]]",
        "[stem: head.*, block: 'blocks.{i}.*', head: [bias, embed.*]]",
    )
    found = check(wrong, Net())
    names = {name for pair in found.contradictions for name in (pair.before, pair.after)}
    assert names == {"embed.weight", "blocks.0.weight", "blocks.1.weight", "head.weight"}


def test_a_waiver_that_is_not_needed_is_reported():
    """Only where the model has its parameters."""
    in_order = WAIVED.replace("stem: embed.*", "stem: [embed.*, bias]").replace("[bias, ", "[")
    assert [w.why for w in check(in_order, Net()).idle] == ["its authors number it with the head"]
    assert check(WAIVED, Net(shares_bias=False)).idle == ()


def test_a_waiver_counts_under_a_prefix_and_in_a_part():
    model = nn.Sequential(Net())
    assert check(WAIVED, model, prefix="0").contradictions == ()
    part = "parts: {net: {prefix: '0', " + LAYERS.strip().replace("layers: ", "layers: ") + "}}\n"
    assert check(part + "waivers: [{parameters: '*.bias', why: so}]", model).contradictions == ()
    assert check(part, model).move == ("0.bias",)


@pytest.mark.parametrize(
    ("waivers", "message"),
    [
        ("[{parameters: bias}]", "missing key `why`"),
        ("[{parameters: [], why: so}]", "must not be empty"),
        ("[{parameters: bias, why: ''}]", "should have at least 1 character"),
        ("[{parametrs: bias, why: so}]", "unknown key `parametrs`; did you mean `parameters`?"),
    ],
)
def test_a_waiver_without_parameters_or_reason_is_refused(waivers, message):
    with pytest.raises(RuleFileError, match=message.replace("?", r"\?")):
        parse_rule_set(f"arch: mine\n{LAYERS}waivers: {waivers}")


def test_beits_shared_bias_is_waived():
    from tests.support.building import timm_model

    model = timm_model(
        "beit_base_patch16_224", depth=2, use_rel_pos_bias=False, use_shared_rel_pos_bias=True
    )
    found = check_order(assign_layers(model), trace(model))
    assert (found.contradictions, len(found.waived), found.idle) == ((), 1, ())


RULES = {
    "right": "arch: right\nlayers: [stem: [cls_token, pos_embed, patch_embed.**], "
    "block: 'blocks.{i}.**', head: [norm.*, head.*]]\n",
    "wrong": "arch: wrong\nlayers: [stem: [cls_token, patch_embed.**], "
    "block: 'blocks.{i}.**', head: [norm.*, head.*, pos_embed]]\n",
}


@pytest.fixture
def rules(tmp_path):
    for name, text in RULES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def test_the_command_says_what_is_out_of_order_where_and_what_would_mend_it(lrd, rules):
    status, out, _ = lrd("trace", "test_vit", "--arch", rules / "right.yaml")
    assert (status, out.splitlines()[-1]) == (0, "the layers are in the order of use")
    status, out, _ = lrd("trace", "test_vit", "--arch", rules / "wrong.yaml")
    assert status == 1
    *_, summary, move = out.splitlines()
    assert summary.startswith("the layers contradict the order of use, in pairs of parameters: ")
    assert summary.endswith("; to move these (1) would mend all:")
    assert move.startswith("  pos_embed (layer 7, head), used at step ")
    assert "; it comes before " in move


def test_the_command_gives_json(lrd, rules):
    status, out, _ = lrd("trace", "test_vit", "--arch", rules / "wrong.yaml", "--json")
    data = json.loads(out)
    assert (status, data["in_order"], data["smallest_move"]) == (1, False, ["pos_embed"])
    assert {pair["before"] for pair in data["contradictions"]} == {"pos_embed"}
    _, out, _ = lrd("trace", "test_vit", "--parameters", "--json")
    assert json.loads(out)["parameters"][0]["name"] == "patch_embed.proj.weight"


def test_check_traces_too(lrd, rules):
    assert lrd("check", rules / "right.yaml", "test_vit", "--trace")[0] == 0
    status, out, _ = lrd("check", rules / "wrong.yaml", "test_vit", "--trace")
    assert status == 1
    assert "the layers contradict the order of use, in pairs of parameters: " in out
    assert lrd("check", rules / "wrong.yaml", "test_vit")[0] == 0

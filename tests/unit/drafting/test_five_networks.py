"""Drafts of five networks, word for word as a reader sees them, and of their deeper siblings."""

import pytest

from lrd_registry.assign.assign_layers import assign_layers
from lrd_registry.rule_files.load import parse_rule_set
from tests.support.building import layers_of
from tests.support.drafting.drafting import IMAGE, VIDEO, built, drafted, out_of_order, tokens
from tests.support.drafting.networks import MLSTM, EncoderDecoder, OldVGG, TwoStream, UNet

START = """\
# A draft, made from the model's module tree and a trace of its forward pass: the entries are in
# the order of use."""

OLD_VGG = f"""\
{START}
format: 1
arch: mine

layers:
  - block: features.{{block}}.**
  - head: {{match: classifier.**, optional: true}}
"""

U_NET = f"""\
{START}
format: 1
arch: mine

layers:
  - stem: inc.**
  - downs: downs.{{block}}.**
  - bottleneck: bottleneck.**
  - ups: ups.{{block}}.**
  - head: {{match: outc.**, optional: true}}
"""

TWO_STREAM = f"""\
{START} Look at these choices:
# - The parts have a depth of their own each, as nothing in one depends on another.
format: 1
arch: mine

parts:
  rgb:
    prefix: rgb
    layers:
      - stem: conv.**
      - block: blocks.{{block}}.**
      - head: norm.**
  flow:
    prefix: flow
    layers:
      - stem: conv.**
      - block: blocks.{{block}}.**
      - head: norm.**

outside:   # one layer each, at the full learning rate
  head: [fusion.**, classifier.**]
"""

M_LSTM = f"""\
{START} Look at these choices:
# - token_embedding.weight = lm_head.weight: one tensor in several layers; the one nearest to
#   the input counts.
format: 1
arch: mine
tied: shallowest

layers:
  - stem: token_embedding.**
  - block: blocks.{{block}}.**
  - head: {{match: [post_blocks_norm.**, lm_head.**], optional: true}}
"""

ENCODER_DECODER = f"""\
{START} Look at these choices:
# - model.shared.weight = lm_head.weight: one tensor in several layers; the one nearest to the
#   input counts.
format: 1
arch: mine
tied: shallowest

layers:
  - stem:
      - model.shared.**
      - model.encoder.embed_positions.**
      - model.encoder.layernorm_embedding.**
  - encoder: model.encoder.layers.{{block}}.**
  - decoder:
      match: model.decoder.layers.{{block}}.**
      first: [model.decoder.embed_positions.**, model.decoder.layernorm_embedding.**]
  - head: {{match: lm_head.**, optional: true}}
"""

CASES = {
    "old_vgg": (OldVGG, (8, 8, 16, 16), lambda: IMAGE, OLD_VGG),
    "u_net": (UNet, (3,), lambda: IMAGE, U_NET),
    "two_stream": (TwoStream, (2, 3), lambda: VIDEO, TWO_STREAM),
    "m_lstm": (MLSTM, (3,), tokens, M_LSTM),
    "encoder_decoder": (EncoderDecoder, (2, 3), lambda: [tokens(), tokens()], ENCODER_DECODER),
}
DEEPER = {
    "old_vgg": ((8, 8, 16, 16, 32, 32), {"": 7}),
    "u_net": ((4,), {"": 11}),
    "two_stream": ((4, 5), {"rgb": 6, "flow": 7, "head": 1}),
    "m_lstm": ((7,), {"": 9}),
    "encoder_decoder": ((6, 4), {"": 12}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_network_is_drafted_as_one_would_write_it(name):
    make, sizes, inputs, expected = CASES[name]
    assert str(drafted(built(make, *sizes), inputs())) == expected


@pytest.mark.parametrize("name", CASES)
def test_the_text_loads_as_the_draft(name):
    make, sizes, inputs, expected = CASES[name]
    found = drafted(built(make, *sizes), inputs())
    assert parse_rule_set(expected) == found.rule_set


@pytest.mark.parametrize("name", DEEPER)
def test_the_same_file_fits_a_deeper_network_in_order(name):
    make, _, inputs, text = CASES[name]
    sizes, depths = DEEPER[name]
    model = built(make, *sizes)
    assignment = assign_layers(model, parse_rule_set(text))
    assert assignment.depths == depths
    assert out_of_order(model, assignment, inputs()) == 0


def test_layers_follow_the_forward_pass():
    model = built(EncoderDecoder, 2, 2)
    layers = layers_of(assign_layers(model, parse_rule_set(ENCODER_DECODER)))
    assert layers["model.shared.weight"] == 0
    assert layers["model.encoder.layers.1.fc2.weight"] == 2
    assert layers["model.decoder.layers.0.fc1.weight"] == 3
    assert "lm_head.weight" not in layers

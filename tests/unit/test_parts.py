"""Rule files composed of parts: each with a depth of its own, and a decay of its own."""

from hashlib import sha256

import pytest

from lrd_registry import (
    CoverageError,
    InvalidArgumentError,
    RuleFileError,
    assign_layers,
    build_param_groups,
    register_rules,
    verify_learning_rates,
)
from lrd_registry.rule_files.load import parse_rule_set
from tests.support.building import model_with, timm_model

pytestmark = pytest.mark.engine

RULES = parse_rule_set(
    """
    arch: pair
    no_weight_decay: [scale.*]
    parts:
      visual:
        prefix: [visual, visual.trunk]
        layers: [stem: embed.*, block: "blocks.{i}.*", head: norm.*]
      text:
        layers: [stem: token.*, block: "layers.{i}.*"]
    outside:
      projections: ["proj.*"]
      scale: scale.*
    """
)
VISUAL = {"embed.w": 0, "blocks.0.w": 1, "blocks.1.w": 2, "blocks.2.w": 3, "norm.w": 4}
TEXT = {"token.w": 0, "layers.0.w": 1}
NAMES = [*(f"visual.{name}" for name in VISUAL), *TEXT, "proj.w", "scale.w"]
DECAY = {"visual": 0.5, "text": 0.1}
NEEDED = "layer_decay: 'pair' needs one for each of visual, text; found"


def test_each_part_has_a_depth_of_its_own():
    assignment = assign_layers(model_with(NAMES), RULES)
    assert [row[1:3] + row[4:] for row in assignment.values()] == [
        (0, "visual.stem", "visual"),
        (1, "visual.block", "visual"),
        (2, "visual.block", "visual"),
        (3, "visual.block", "visual"),
        (4, "visual.head", "visual"),
        (0, "text.stem", "text"),
        (1, "text.block", "text"),
        (0, "projections", "projections"),
        (0, "scale", "scale"),
    ]
    assert assignment.depths == {"visual": 5, "text": 2, "projections": 1, "scale": 1}
    assert assignment.num_layers == 5


def test_each_part_may_have_a_decay_of_its_own():
    assignment = assign_layers(model_with(NAMES), RULES)
    scales = [assignment.scale(name, DECAY) for name in NAMES]
    assert scales == [0.0625, 0.125, 0.25, 0.5, 1, 0.1, 1, 1, 1]
    assert [assignment.scale(name, 0.5) for name in NAMES[5:7]] == [0.5, 1]


def test_the_groups_come_part_by_part_and_say_which():
    groups = build_param_groups(model_with(NAMES), RULES, layer_decay=DECAY)
    assert [
        (g["name"], g["part"], g["layer"], g["lr_scale"], g["weight_decay"]) for g in groups
    ] == [
        ("visual_layer_00_decay", "visual", 0, 0.0625, 0.05),
        ("visual_layer_01_decay", "visual", 1, 0.125, 0.05),
        ("visual_layer_02_decay", "visual", 2, 0.25, 0.05),
        ("visual_layer_03_decay", "visual", 3, 0.5, 0.05),
        ("visual_layer_04_decay", "visual", 4, 1, 0.05),
        ("text_layer_00_decay", "text", 0, 0.1, 0.05),
        ("text_layer_01_decay", "text", 1, 1, 0.05),
        ("projections_layer_00_decay", "projections", 0, 1, 0.05),
        ("scale_layer_00_no_decay", "scale", 0, 1, 0),
    ]


def test_an_optimizer_is_verified_against_the_decay_of_each_part():
    import torch

    model = model_with(NAMES)
    options = {"layer_decay": DECAY, "lr_mult": {"text.stem": 3}}
    optimizer = torch.optim.SGD(build_param_groups(model, RULES, lr=0.1, **options))
    found = verify_learning_rates(optimizer, assign_layers(model, RULES), 0.1, **options)
    asked = {rate.name: rate.asked for rate in found.rates}
    assert asked["token.w"] == pytest.approx(0.1 * 0.1 * 3)
    assert asked["visual.embed.w"] == pytest.approx(0.1 * 0.0625)
    assert str(found).splitlines()[1] == (
        "    0         1        0.1        0.1        0.1           1  projections"
    )


@pytest.mark.parametrize(
    ("layer_decay", "message"),
    [
        ({"visual": 0.7}, f"{NEEDED} visual"),
        ({"visual": 0.7, "text": 0.8, "txt": 0.9}, f"{NEEDED} visual, text, txt"),
        ({}, f"{NEEDED} none"),
        (
            {"visual": 0.7, "text": 0},
            "layer_decay must be finite and above 0, usually 0.5 to 1; found 0",
        ),
    ],
)
def test_a_decay_by_parts_that_are_not_the_models_is_refused(layer_decay, message):
    with pytest.raises(InvalidArgumentError) as caught:
        build_param_groups(model_with(NAMES), RULES, layer_decay=layer_decay)
    assert str(caught.value) == message


def test_a_model_of_one_part_takes_one_decay():
    rules = parse_rule_set("arch: one\nlayers: [all: '**']")
    with pytest.raises(InvalidArgumentError, match="'one' is one part with one depth; pass a numb"):
        build_param_groups(model_with(["a"]), rules, layer_decay={"all": 0.5})


def test_a_part_is_found_under_the_prefix_where_it_is():
    names = [name.replace("visual.", "visual.trunk.") for name in NAMES]
    assignment = assign_layers(model_with(names), RULES)
    assert assignment["visual.trunk.blocks.2.w"].layer == 3


def test_all_faults_of_all_parts_come_together():
    names = [name for name in NAMES if name not in ("proj.w", "visual.blocks.1.w", "token.w")]
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with([*names, "visual.extra"]), RULES)
    assert caught.value.unmatched == ("visual.extra",)
    assert caught.value.missing == ("text.stem: token.*", "projections: proj.*")
    assert [gap.entry for gap in caught.value.gaps] == ["visual.block"]


def test_a_parameter_that_two_parts_claim_is_named():
    rules = parse_rule_set(
        "arch: pair\nparts:\n  a: {layers: [all: 'x.*']}\n  b: {layers: [all: 'x.w']}"
    )
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["x.w"]), rules)
    assert caught.value.overlapping == {"x.w": ("a.all: x.*", "b.all: x.w")}


USES = "arch: pair\nparts:\n  body: {{prefix: {}, rules: {}}}\noutside: {{head: head.*}}"


def test_a_part_may_use_a_rule_set_of_which_the_fitting_layout_is_found():
    alone = timm_model("swin_tiny_patch4_window7_224", num_classes=0)
    model = model_with(["head.w"])
    model.add_module("net", alone)
    assignment = assign_layers(model, parse_rule_set(USES.format("net", "[vit, swin]")))
    expected = {f"net.{row.name}": row.layer for row in assign_layers(alone, "swin").values()}
    found = {row.name: row.layer for row in assignment.values() if row.part == "body"}
    assert found == expected
    assert assignment["head.w"].entry == "head"


def test_what_a_parts_rule_set_and_model_exempt_from_weight_decay_counts_there():
    model = model_with(["head.w"])
    model.add_module("net", timm_model("vit_tiny_patch16_224", depth=1))
    model.net.no_weight_decay = lambda: {"head.weight"}
    groups = build_param_groups(model, parse_rule_set(USES.format("net", "vit")))
    exempt = {n for g in groups for n in g["param_names"] if g["weight_decay"] == 0}
    assert {"net.pos_embed", "net.cls_token", "net.head.weight"} <= exempt
    assert "head.w" not in exempt


def test_a_part_for_which_there_is_nothing_is_named():
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["net.w", "head.w"]), parse_rule_set(USES.format("net", "vit")))
    assert caught.value.missing == ("part body: under net is nothing that vit is known by",)


def test_a_part_at_the_top_for_which_there_is_nothing_is_named():
    rules = parse_rule_set("arch: pair\nparts: {body: {rules: [vit, swin]}}")
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["net.w"]), rules)
    assert caught.value.missing == (
        "part body: at the top is nothing that vit or swin is known by",
    )


def test_a_part_of_layers_that_is_nowhere_is_named():
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with([n for n in NAMES if not n.startswith("visual.")]), RULES)
    assert caught.value.missing == (
        "part visual: no parameter is under visual or under visual.trunk",
    )


def test_what_the_whole_model_exempts_from_weight_decay_counts_too():
    model = model_with(NAMES)
    model.no_weight_decay = lambda: {"proj.w"}
    exempt = {
        name
        for group in build_param_groups(model, RULES)
        for name in group["param_names"]
        if group["weight_decay"] == 0
    }
    assert exempt == {"proj.w", "scale.w"}


def test_tokens_before_the_input_join_the_first_layer_of_the_first_part():
    prompts = "prompt_encoder.default.embedding.weight"
    names = [prompts, *(f"base_model.{name}" for name in NAMES)]
    row = assign_layers(model_with(names), RULES)[prompts]
    assert (row.part, row.layer) == ("visual", 0)


def test_a_composed_layout_is_found_under_a_prefix():
    model = model_with([f"model.{name}" for name in NAMES])
    assignment = assign_layers(model, RULES, prefix="model")
    assert assignment["model.layers.0.w"].entry == "text.block"


def test_the_fingerprint_of_joined_parts_stays_the_same_between_releases():
    rules = parse_rule_set(
        "arch: a\nparts:\n  x: {before: y, layers: [p: 'a']}\n  y: {layers: [q: 'b', r: 'c']}"
    )
    lines = ["x\t1", "y\t2", "x\tbefore\ty", "a\tx\t0", "b\ty\t0", "c\ty\t1"]
    assert assign_layers(model_with(["a", "b", "c"]), rules).fingerprint() == (
        sha256("\n".join(lines).encode()).hexdigest()
    )


def test_the_depth_of_each_part_is_in_the_plain_data():
    rules = parse_rule_set(
        "arch: a\nparts:\n  x: {layers: [p: 'a']}\n  y: {layers: [q: 'b', r: 'c']}"
    )
    data = assign_layers(model_with(["a", "b", "c"]), rules).to_dict()
    assert (data["num_layers"], data["parts"]) == (2, {"x": 1, "y": 2})


def test_fingerprints_tell_parts_apart():
    one = parse_rule_set("arch: a\nparts:\n  x: {layers: [p: 'a', q: 'b']}")
    other = parse_rule_set("arch: a\nparts:\n  y: {layers: [p: 'a', q: 'b']}")
    model = model_with(["a", "b"])
    fingerprints = {assign_layers(model, rules).fingerprint() for rules in (one, one, other)}
    assert len(fingerprints) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layers: [a: b]\nparts: {c: {layers: [d: e]}}", "has `layers` or `parts`, and this one"),
        ("layers: [a: b]\noutside: {c: d}", "`outside` is for a layout of `parts`"),
        ("parts: {c: {prefix: d}}", "missing key `rules` (or `layers`)"),
        ("parts: {c: {rules: vit, layers: [d: e]}}", "a part has `rules` or its own `layers`"),
        ("parts: {c: {rules: vit}}\noutside: {c: d}", "a part has this name; the entry needs one"),
        ("parts: {c: {rules: vit}}\noutside: {d: '{i}.*'}", "an entry outside the parts is one la"),
        ("parts: {c: {ruls: vit}}", "unknown key `ruls`; did you mean `rules`?"),
        ("parts: {c: {layers: [d: {mtch: e}]}}", "unknown key `mtch`; did you mean `match`?"),
        ("parts: {c: {layers: [d: 3]}}", "expected a pattern, a list of patterns, or a mapping"),
        ("parts: {c: {rules: vit}}\noutside: {d: {fist: e}}", "unknown key `fist`; did you mean"),
        ("layouts: {a: {layers: [b: c]}}\nparts: {}", "`parts` at the top is for a file without"),
    ],
)
def test_a_rule_file_that_says_otherwise_is_refused(text, message):
    with pytest.raises(RuleFileError) as caught:
        parse_rule_set(f"arch: mine\n{text}")
    assert message in str(caught.value)
    assert "<text>:" in str(caught.value)


UNDER_A_PREFIX = {
    "prefix": ["net", "wrapped.net"],
    "signature": "image.blocks.0.weight",
    "parts": {
        "image": {"prefix": "image", "layers": [{"block": "blocks.{i}.**"}]},
        "text": {"prefix": ["text", "words"], "layers": [{"block": "blocks.{i}.**"}]},
    },
    "outside": {
        "projector": "projector.**",
        "head": {"outside": "head.**", "optional": True},
    },
}


@pytest.mark.parametrize("prefix", ["", "net.", "wrapped.net."])
def test_the_parts_are_found_under_a_prefix_of_their_layout(prefix):
    inside = ["image.blocks.0.weight", "image.blocks.1.weight", "words.blocks.0.weight"]
    names = [f"{prefix}{name}" for name in [*inside, "projector.weight"]]
    head = ["head.weight"] if prefix else []
    found = assign_layers(
        model_with([*names, *head]), {"arch": "pair", "layouts": {"own": UNDER_A_PREFIX}}
    )
    assert {name: (found[name].part, found[name].layer) for name in names} == dict(
        zip(names, [("image", 0), ("image", 1), ("text", 0), ("projector", 0)], strict=True)
    )
    assert [found[name].part for name in head] == ["head"] * len(head)


def test_a_head_beside_the_prefix_of_parts_is_none_at_the_top():
    names = ["image.blocks.0.weight", "text.blocks.0.weight", "projector.weight", "head.weight"]
    with pytest.raises(CoverageError, match=r"head\.weight"):
        assign_layers(model_with(names), {"arch": "pair", "layouts": {"own": UNDER_A_PREFIX}})


def test_a_composed_file_loads_again_from_its_own_data():
    from lrd_registry.rule_files.load import rule_set_from_mapping

    assert rule_set_from_mapping(RULES.to_dict()) == RULES


def test_the_command_line_shows_the_depth_of_each_part(lrd, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    (tmp_path / "pair.yaml").write_text(
        "arch: pair\n"
        "parts:\n"
        "  visual: {prefix: visual, layers: [stem: embed.*, block: 'blocks.{i}.*', head: norm.*]}\n"
        "  text: {layers: [stem: token.*, block: 'layers.{i}.*']}\n"
        "outside: {projections: proj.*, scale: scale.*}\n"
    )
    _, out, _ = lrd("explain", tmp_path / "names.txt", "--arch", tmp_path / "pair.yaml")
    assert "5 layers in visual, 2 layers in text, layer decay 0.75" in out
    _, out, _ = lrd("show", tmp_path / "pair.yaml")
    assert "  part visual, under visual\n    stem\n      embed.*" in out


def test_the_waivers_of_a_part_s_own_rule_set_come_along_under_its_prefix():
    waiver = {"parameters": "blocks.{i}.bias", "why": "shared with the layer before"}
    register_rules({"arch": "tower", "layers": [{"block": "blocks.{i}.*"}], "waivers": [waiver]})
    rules = parse_rule_set("arch: pair\nparts:\n  image: {prefix: v, rules: tower}\n")
    (found,) = assign_layers(model_with(["v.blocks.0.bias"]), rules).waivers
    assert (list(map(str, found.parameters)), found.why) == (["v.blocks.{i}.bias"], waiver["why"])


def test_a_part_at_the_top_is_no_root_of_its_own():
    rules = {
        "arch": "two",
        "parts": {"a": {"layers": [{"all": "a"}]}, "b": {"prefix": "b", "layers": [{"all": "w"}]}},
    }
    assert assign_layers(model_with(["a", "b.w"]), rules).roots == ("", "b")


def test_what_claims_a_parameter_outside_the_parts_and_in_one_is_told_alike():
    rules = {
        "arch": "two",
        "parts": {"a": {"layers": [{"all": "**"}]}},
        "outside": {"scale": "s"},
    }
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["a", "s"]), rules)
    assert caught.value.overlapping == {"s": ("a.all: **", "scale: s")}


def test_decays_by_part_for_a_model_of_one_are_refused_in_full():
    with pytest.raises(InvalidArgumentError) as caught:
        build_param_groups(
            model_with(["a"]), {"arch": "x", "layers": [{"all": "a"}]}, layer_decay={"a": 0.5}
        )
    assert str(caught.value) == (
        "layer_decay: 'x' is one part with one depth; pass a number, found {'a': 0.5}"
    )

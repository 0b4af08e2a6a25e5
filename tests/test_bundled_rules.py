"""The bundled rule files as records, and every one of their patterns put to the proof."""

import json
from pathlib import Path

import pytest

from lrd_registry import CoverageError, assign_layers, get_rule_set, list_architectures
from lrd_registry.loading import rule_set_from_mapping
from tests.building import model_with, parameter, timm_model

ROLES = ("match", "first", "last", "previous")


OPTIONS = {
    "simmim/swin_t": ["absolute_pos_embed", "mask_token"],
    "mmpretrain/swin_tiny": ["absolute_pos_embed", "mask_token"],
    "swinv2_tiny_window8_256": ["absolute_pos_embed"],
    "dinov2/vitb14_chunked": ["register_tokens", "head.weight"],
    "mmpretrain/vit_b": [
        *("dist_token", "mask_token", "pre_norm.weight", "ln2.weight"),
        "rel_pos_bias.relative_position_bias_table",
    ],
}
"""What the libraries' classes have, or name in their own groups, that these models leave out."""


def real_models():
    """Names and shapes of real models, at least one of each bundled layout, and their options."""
    for path in sorted((Path(__file__).parent / "reference_layers").glob("*.json")):
        case = json.loads(path.read_text())
        own = {name: parameter(*shape) for name, shape, _ in case["params"]}
        yield case["case"], own | {name: parameter(2, 2) for name in OPTIONS.get(case["case"], ())}
    for name in TIMM:
        own = dict(timm_model(name).named_parameters())
        yield name, own | {name: parameter(2, 2) for name in OPTIONS.get(name, ())}
    yield "mmpretrain/swinv2", mmpretrain_swinv2()


def mmpretrain_swinv2():
    """mmpretrain's Swin V2: timm's, which has the same structure, in mmpretrain's outer names."""
    ours = timm_model("swinv2_tiny_window8_256", num_classes=0).named_parameters()
    names = {"layers": "stages", "norm": "norm3"}
    renamed = {".".join([names.get(first, first), *rest]): p for (first, *rest), p in split(ours)}
    return renamed | {name: parameter(2, 2) for name in ("absolute_pos_embed", "mask_token")}


def split(pairs):
    return [(name.split("."), value) for name, value in pairs]


TIMM = [
    "vit_base_patch16_clip_224",
    "vit_base_patch14_reg4_dinov2",
    "vit_base_patch16_siglip_224",
    "deit_tiny_distilled_patch16_224",
    "swin_tiny_patch4_window7_224",
    "swinv2_tiny_window8_256",
    "convnext_tiny",
    "convnext_tiny_hnf",
    "convnextv2_atto",
]
MODELS = dict(real_models())


def places():
    """Every pattern of every layout: (arch, layout, entry position, entry, role, position)."""
    for arch in list_architectures():
        for layout_name, layout in get_rule_set(arch).layouts.items():
            for number, (name, entry) in enumerate(layout.entries):
                for role in ROLES:
                    for position in range(len(getattr(entry, role))):
                        yield arch, layout_name, number, name, role, position


def without(arch, layout_name, number, name, role, position):
    """The rule set without one pattern; an entry left with none matches nothing."""
    data = get_rule_set(arch).to_dict()
    entry = data["layouts"][layout_name]["layers"][number][name]
    removed = entry[role].pop(position)
    if not entry["match"]:
        indices = "".join(f".{{{index}}}" for index in get_indices(arch, layout_name, number))
        entry["match"] = [f"nothing-has-this-name{indices}"]
    data["layouts"] = {layout_name: data["layouts"][layout_name]}
    return removed, rule_set_from_mapping(data)


def get_indices(arch, layout_name, number):
    return get_rule_set(arch).layouts[layout_name].entries[number][1].match[0].indices


@pytest.mark.parametrize("place", list(places()), ids=str)
def test_without_a_pattern_the_error_names_exactly_what_it_covered(place):
    arch, layout_name, *_ = place
    removed, rules = without(*place)
    tried = 0
    for parameters in MODELS.values():
        model = model_with(parameters)
        try:
            whole = assign_layers(model, arch)
        except CoverageError:
            continue
        covered = [name for name, row in whole.items() if row.pattern == removed]
        if whole.layout == layout_name and covered:
            with pytest.raises(CoverageError) as caught:
                assign_layers(model, rules)
            assert set(caught.value.unmatched) == set(covered)
            tried += 1
    assert tried, "no model has a parameter for this pattern"


def test_every_layout_fits_a_real_model():
    fitting = set()
    for parameters in MODELS.values():
        assignment = assign_layers(model_with(parameters))
        fitting.add((assignment.arch, assignment.layout))
    bundled = {(a, layout) for a in list_architectures() for layout in get_rule_set(a).layouts}
    assert fitting == bundled


@pytest.mark.parametrize("arch", ["vit", "swin", "convnext"])
def test_it_records_its_sources(arch):
    rules = get_rule_set(arch)
    assert rules.arch == arch
    assert rules.summary
    assert "numbering" in rules.sources[0].what
    assert all("/" in source.where or "timm" in source.where for source in rules.sources)

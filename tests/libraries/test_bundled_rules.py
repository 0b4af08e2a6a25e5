"""The bundled rule files as records, and every one of their patterns put to the proof."""

import json
import re
from functools import cache
from typing import NamedTuple

import pytest
import transformers
from torch import nn

from lrd_registry import CoverageError, assign_layers, get_rule_set, list_architectures
from lrd_registry.models import build_model
from tests.support.building import model_with, on_meta, parameter, timm_model
from tests.support.libraries import (
    families,
    open_clip_models,
    task_models,
    torchvision_models,
    transformers_models,
    two_towers,
)
from tests.support.libraries.examples import EXAMPLES
from tests.support.masked_autoencoder import MaskedAutoencoder
from tests.support.one_pattern_less import NOTHING, is_written_out, places, without
from tests.support.places import DATA, REFERENCES
from tests.support.releases import need_new_names, release

pytestmark = pytest.mark.engine

OPTIONS = {
    "simmim/swin_t": ["absolute_pos_embed", "mask_token"],
    "mmpretrain/swin_tiny": ["absolute_pos_embed", "mask_token"],
    "swinv2_tiny_window8_256": ["absolute_pos_embed"],
    "dinov2/vitb14_chunked": ["register_tokens", "head.weight"],
    "mmpretrain/vit_b": [
        *("dist_token", "mask_token", "pre_norm.weight", "ln2.weight"),
        "rel_pos_bias.relative_position_bias_table",
    ],
    "dinov2/vits14_reg": ["storage_tokens", "cls_norm.weight", "local_cls_norm.weight"],
    "swin_tiny_patch4_window7_224/features": ["absolute_pos_embed", "head.weight"],
    "swinv2_cr_tiny_224/features": ["head.weight"],
    "convnext_tiny/features": ["head.weight"],
    "beit3/base_patch16_224_imageclassification": [
        "beit3.encoder.layer_norm.A.weight",
        "pooler.dense.weight",
    ],
    "convmae/convvit_base_patch16": ["norm.weight"],
    "slowfast/k400_MVITv2_S_16x4_FT": ["pos_embed"],
    "croco/CroCo base": ["head.weight"],
    "internimage/internimage_t detection": ["conv_head.0.weight", "head.weight"],
    "levit_128s": ["levit.classifier.weight"],
    "mobilenet_v3_small/features": ["classifier.weight"],
    "vitdet:VitDetBackbone": ["head.weight"],
    "dinov3_convnext:DINOv3ConvNextModel": ["model.classifier.weight"],
    "open_clip:coca_ViT-B-32": ["attn_pool_contrastive.query"],
    "labram/base patch200 200": ["norm.weight"],
    "internvideo2/small": ["extra_mlp.0.weight"],
    "one_peace/vision, four blocks": ["encoder.layer_norm.weight"],
    "longvit/small patch32 1024": ["model.encoder.layer_norm.weight"],
    "mmpretrain/mixmim_b": ["head.weight"],
    "hivit/base": ["pos_embed"],
    "hivit/tiny": ["pos_embed"],
}
"""What the libraries' classes have, or name in their own groups, that these models leave out."""

TIMM = [
    "vit_base_patch16_clip_224",
    "vit_base_patch14_reg4_dinov2",
    "vit_base_patch16_siglip_224",
    "deit_tiny_distilled_patch16_224",
    "vit_small_patch16_rope_mixed_224",
    "vit_srelpos_small_patch16_224",
    "aimv2_large_patch14_224",
    "naflexvit_base_patch16_gap",
    "naflexvit_base_patch16_map",
    "swin_tiny_patch4_window7_224",
    "swinv2_tiny_window8_256",
    "swinv2_cr_tiny_224",
    "convnext_tiny",
    "convnext_tiny_hnf",
    "convnextv2_atto",
]
FAMILIES = {*families.TIMM, *families.TORCHVISION, *families.TRANSFORMERS, *EXAMPLES}
"""The layouts that `test_family_rules.py` and `test_examples.py` put to the proof."""
FEATURES = [
    "vit_base_patch16_224",
    "swin_tiny_patch4_window7_224",
    "swinv2_cr_tiny_224",
    "convnext_tiny",
]
"""Models of timm's that are also built with `features_only=True`, in names of their own."""

SMALLEST = {family: next(iter(sizes)) for family, sizes in transformers_models.SIZES.items()}
LIBRARIES = [
    *(m for m in transformers_models.MODELS if m.name.endswith(f"/{SMALLEST[m.family]}")),
    *(m for m in torchvision_models.MODELS if m.name in {"vit_b_16", "swin_t", "convnext_tiny"}),
    *(m for m in open_clip_models.MODELS if m.name == "coca_ViT-B-32"),
]


def reference_models():
    """The models of the reference layers, by the names and shapes of their own repositories."""
    for path in sorted(REFERENCES.glob("*.json")):
        case = json.loads(path.read_text())
        if path.stem != "detectron2-vitdet_b":  # a ViT under a prefix
            yield case["case"], {name: parameter(*shape) for name, shape, _ in case["params"]}


def features(name):
    return dict(timm_model(name, features_only=True).named_parameters())


def mmpretrain_swinv2():
    """mmpretrain's Swin V2: timm's, which has the same structure, in mmpretrain's names."""
    names = {"layers": "stages", "norm": "norm3", "attn": "attn.w_msa"}
    ours = timm_model("swinv2_tiny_window8_256", num_classes=0).named_parameters()
    renamed = {".".join(names.get(part, part) for part in n.split(".")): p for n, p in ours}
    return renamed | {name: parameter(2, 2) for name in ("absolute_pos_embed", "mask_token")}


def towers():
    """CLIPs and SigLIPs, and their text towers alone."""
    for name in two_towers.MAKE:
        model, alone, _ = two_towers.two_towers(name)
        yield f"towers/{name}", dict(model.named_parameters())
        yield f"text/{name}", dict(alone["text"][0].named_parameters())


def real_models():
    """Names and parameters of real models, at least one of each bundled layout."""
    yield from reference_models()
    yield from ((name, dict(timm_model(name).named_parameters())) for name in TIMM)
    yield from ((f"{name}/features", features(name)) for name in FEATURES)
    yield from ((str(m), dict(m.build().named_parameters())) for m in LIBRARIES)
    yield from towers()
    yield "mmpretrain/swinv2", mmpretrain_swinv2()
    yield "hf:donut-swin", dict(build_model(DONUT).named_parameters())
    yield "levit_128s", dict(on_meta(levit_128s).named_parameters())
    yield from ((n, dict(m.named_parameters())) for n, m in task_models.task_models())
    if release("transformers") >= (5, 24):
        yield "edgetam", task_models.edgetam()
    yield "ssd300_vgg16", task_models.torchvision_model("ssd300_vgg16")
    coca = on_meta(lambda: open_clip_models.model(open_clip_models.CONFIGS["coca_ViT-B-32"]))
    yield "coca", dict(coca.named_parameters())
    yield "mae", dict(on_meta(MaskedAutoencoder).named_parameters())
    recorded = json.loads((DATA / "transformers_4_names.json").read_text())["models"]
    yield from ((f"4/{name}", dict.fromkeys(names)) for name, names in recorded.items())


def levit_128s():
    config = transformers.LevitConfig(depths=[2, 3, 4], num_attention_heads=[4, 6, 8])
    return transformers.LevitForImageClassificationWithTeacher(config)


DONUT = "hf:donut-swin:DonutSwinForImageClassification"


class Fitting(NamedTuple):
    """A model with what it is assigned, and the prefix under which its layout stands in it."""

    model: object
    assignment: object
    prefix: str


@cache
def fitting_models():
    """All real models by the layout that they fit: (arch, layout) -> `Fitting`s."""
    found = {}
    for name, parameters in real_models():
        if isinstance(parameters, nn.Module):  # its modules without parameters count
            model, assignment = parameters, assign_layers(parameters)
            found[assignment.arch, assignment.layout] = [Fitting(model, assignment, "")]
            continue
        options = {option: parameter(2, 2) for option in OPTIONS.get(name, ())}
        whole = {n: p if p is not None else parameter(2, 2) for n, p in parameters.items()}
        model = model_with(whole | options)
        assignment = assign_layers(model)
        key = assignment.arch, assignment.layout
        found.setdefault(key, []).append(Fitting(model, assignment, prefix_of(assignment)))
    return found


def prefix_of(assignment):
    layout = get_rule_set(assignment.arch).layouts[assignment.layout]
    patterns = [row.pattern for row in assignment.values()]
    fits = (p for p in layout.prefix if any(text.startswith(f"{p}.") for text in patterns))
    return next(fits, "")


@pytest.mark.parametrize("name", FEATURES)
def test_every_parameter_of_the_features_has_its_layer_in_the_whole_model(name):
    whole = assign_layers(timm_model(name))
    of_features = assign_layers(timm_model(name, features_only=True))
    in_whole = {re.sub(r"_(\d)", r".\1", n.removeprefix("model.")): n for n in of_features}
    assert {n: of_features[name].layer for n, name in in_whole.items()} == {
        n: whole[n].layer for n in in_whole
    }


def all_places():
    """Every pattern of every layout that no other test puts to the proof."""
    for arch in list_architectures():
        for layout in get_rule_set(arch).layouts:
            if f"{arch}/{layout}" not in FAMILIES:
                yield from places(arch, layout)


@pytest.mark.parametrize("place", list(all_places()), ids=str)
def test_without_a_pattern_the_error_names_exactly_what_it_covered(place):
    if "huggingface" in place.layout:
        need_new_names()
    removed, rules = without(place)
    tried = 0
    for model, whole, prefix in fitting_models()[place.arch, place.layout]:
        if place.role == "outside" and not prefix:
            continue
        in_place = f"{prefix}.{removed}" if prefix and place.role != "outside" else removed
        covered = [name for name, row in whole.items() if row.pattern == in_place]
        if covered and is_written_out(place):
            if NOTHING in str(rules.to_dict()):
                with pytest.raises(CoverageError, match=NOTHING):
                    assign_layers(model, rules)
            else:  # what it covers, another pattern covers, and puts elsewhere
                assert assign_layers(model, rules).fingerprint() != whole.fingerprint()
            tried += 1
        elif covered:
            with pytest.raises(CoverageError) as caught:
                assign_layers(model, rules)
            assert set(caught.value.unmatched) == set(covered)
            tried += 1
    assert tried, "no model has a parameter for this pattern"


def test_every_layout_fits_a_real_model():
    need_new_names()
    bundled = {(a, layout) for a in list_architectures() for layout in get_rule_set(a).layouts}
    known = {tuple(layout.split("/")) for layout in FAMILIES}
    assert set(fitting_models()) - known == bundled - known


def test_every_prefix_is_that_of_a_real_model():
    need_new_names()
    for (arch, layout), models in fitting_models().items():
        if f"{arch}/{layout}" in FAMILIES:
            continue
        named = set(get_rule_set(arch).layouts[layout].prefix)
        assert {fitting.prefix for fitting in models} >= named


@pytest.mark.parametrize("arch", list_architectures())
def test_it_records_its_sources(arch):
    rules = get_rule_set(arch)
    assert rules.arch == arch
    assert rules.summary
    assert any("numbering" in source.what for source in rules.sources)
    assert any("names" in source.what for source in rules.sources)
    places = ("/", "timm", "arXiv", "no author")
    assert all(any(place in source.where for place in places) for source in rules.sources)

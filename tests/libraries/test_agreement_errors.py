"""A wrong layout, or a wrong map, does not pass for agreement, and the tensor is named."""

from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest

from lrd_registry import CoverageError, assign_layers, get_rule_set
from lrd_registry.engine.compile_layout import compile_layout
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.agreement import (
    decay_differences,
    layer_differences,
    name_mismatches,
    shape_mismatches,
)
from tests.support.building import model_with, parameter
from tests.support.name_maps import read_map
from tests.support.releases import only_new_names
from tests.support.twins import FAMILIES, network, small_size

pytestmark = [pytest.mark.library, only_new_names]

ROLES = ("match", "first", "last", "previous")
ELSEWHERE = [("first", "last"), ("last", "first"), ("previous", "first"), ("previous", "last")]


def swapped(layers):
    """Two neighbouring entries in the wrong order."""
    for number in range(len(layers) - 1):
        wrong = deepcopy(layers)
        wrong[number : number + 2] = wrong[number + 1], wrong[number]
        yield f"entries {number} and {number + 1} swapped", wrong


def joined_elsewhere(layers, used):
    """What shares the layer of a stage's last block shares the first one's, and so on."""
    for number, name, entry in bodies(layers):
        for role, other in ELSEWHERE if entry.get("index") != [] else ():
            if used.intersection(entry.get(role, ())):
                wrong = deepcopy(layers)
                wrong[number][name][other] = wrong[number][name].pop(role)
                yield f"{name}'s {role} as {other}", wrong


def ungrouped(layers):
    """One block to a layer where there should be several."""
    for number, name, entry in bodies(layers):
        if "every" in entry:
            wrong = deepcopy(layers)
            del wrong[number][name]["every"]
            yield f"{name} without every", wrong


def misplaced(layers, used):
    """A pattern in the next entry of one layer; the last one's in the first such entry."""
    single = [(n, name) for n, name, entry in bodies(layers) if "{" not in entry["match"][0]]
    for (number, name), (target, its_name) in zip(single, [*single[1:], single[0]], strict=True):
        for pattern in used.intersection(layers[number][name]["match"]):
            wrong = deepcopy(layers)
            entry = wrong[number][name]
            entry["match"].remove(pattern)
            entry |= {"match": entry["match"] or ["nothing-has-this-name"], "optional": True}
            wrong[target][its_name]["match"].append(pattern)
            yield f"{pattern} in {its_name}", wrong


def bodies(layers):
    return [(number, *pair) for number, item in enumerate(layers) for pair in item.items()]


def move(layers, prefix):
    """Put the patterns under a prefix, and beside them those that stand outside it."""
    for _, _, body in bodies(layers):
        for role in {"match", "first", "last", "previous"} & body.keys():
            body[role] = [f"{prefix}.{pattern}" for pattern in body[role]]
        body["match"] += body.pop("outside", [])


def wrong_rules(assignment):
    """The rule set that assigned, with its layout spoilt in one place at a time."""
    rules = get_rule_set(assignment.arch)
    used = {row.pattern for row in assignment.values()}
    layout = rules.layouts[assignment.layout]
    prefix = next(
        prefix
        for prefix in layout.prefixes
        if used <= {clause.pattern.text for clause in compile_layout(layout, prefix).clauses}
    )
    data = rules.to_dict()
    layers = data["layouts"][assignment.layout]["layers"]
    if prefix:
        data["layouts"][assignment.layout] = {"layers": layers}
        move(layers, prefix)
    spoilt = *swapped(layers), *joined_elsewhere(layers, used), *ungrouped(layers)
    for what, wrong in (*spoilt, *misplaced(layers, used)):
        spoilt_layout = data["layouts"][assignment.layout] | {"layers": wrong}
        yield what, rule_set_from_mapping(data | {"layouts": {assignment.layout: spoilt_layout}})


def complaints(twins, library, rules):
    try:
        return layer_differences(twins, {library: rules})
    except CoverageError as error:
        return [*error.unmatched, *error.overlapping]


@cache
def small(family):
    return network(family, *small_size(family))


LIBRARIES = [
    (family, library)
    for family, (_, names) in FAMILIES.items()
    for library in read_map(names).layouts
]


@pytest.mark.parametrize(("family", "library"), LIBRARIES)
def test_every_wrong_layout_is_found_out_and_a_tensor_is_named(family, library):
    twins = small(family)
    for what, rules in wrong_rules(assign_layers(twins.models[library])):
        told = " ".join(complaints(twins, library, rules)).replace(",", " ").split()
        assert not twins.parameters[library].keys().isdisjoint(told), what


def with_line(twins, kind, **names):
    """The twins by a map with another line in place of one."""
    line = {**twins.names.lines[kind], **names}
    return replace(twins, names=replace(twins.names, lines={**twins.names.lines, kind: line}))


def test_a_name_that_a_library_has_not_is_told_with_the_name_that_it_has():
    twins = with_line(small("vit"), "class token", torchvision="cls_token")
    assert list(name_mismatches(twins)) == [
        "torchvision's class_token is in no line of the map",
        "class token: torchvision has no cls_token",
    ]


def test_a_name_in_two_lines_is_told_with_both():
    twins = with_line(small("vit"), "final norm", timm="blocks.0.norm1.{leaf}")
    assert list(name_mismatches(twins)) == [
        "timm's norm.weight is in no line of the map",
        "timm's norm.bias is in no line of the map",
        "timm's blocks.0.norm1.weight is in more than one line: "
        "norm before attention (block 0, weight); final norm (weight)",
        "timm's blocks.0.norm1.bias is in more than one line: "
        "norm before attention (block 0, bias); final norm (bias)",
    ]


def test_a_missing_part_is_told_by_its_shape():
    twins = with_line(
        small("vit"),
        "queries, keys and values",
        huggingface="vit.layers.{block}.attention.[q|k]_proj.{leaf}",
    )
    assert next(shape_mismatches(twins)) == (
        "queries, keys and values (block 0, weight): (24, 8) in timm (blocks.0.attn.qkv.weight), "
        "(24, 8) in torchvision (encoder.layers.encoder_layer_0.self_attention.in_proj_weight), "
        "(24, 8) in mmpretrain (layers.0.attn.qkv.weight), (16, 8) in huggingface "
        "(vit.layers.0.attention.q_proj.weight + vit.layers.0.attention.k_proj.weight)"
    )


def test_another_layer_is_told_with_both_names():
    data = get_rule_set("vit").to_dict()
    data["layouts"]["torchvision"]["layers"][0]["stem"]["match"].remove("class_token")
    data["layouts"]["torchvision"]["layers"][2]["head"]["match"].append("class_token")
    assert layer_differences(small("vit"), {"torchvision": rule_set_from_mapping(data)}) == [
        "class token: layer 0 of 5 as timm's cls_token, layer 4 of 5 as torchvision's class_token"
    ]


def test_another_layout_than_the_maps_is_told():
    names = small("vit").names
    layouts = {**names.layouts, "mmpretrain": "vit/timm"}
    assert layer_differences(replace(small("vit"), names=replace(names, layouts=layouts))) == [
        "mmpretrain's names fit vit/mmpretrain, not vit/timm"
    ]


def test_other_weight_decay_is_told_with_both_names():
    twins = small("convnextv2")
    parameters = {**twins.parameters["facebook"], "norm.weight": parameter(1, 64)}
    other = replace(twins, models={**twins.models, "facebook": model_with(parameters)})
    assert decay_differences(other) == [
        "final norm (weight): no weight decay as timm's head.norm.weight, "
        "weight decay as facebook's norm.weight"
    ]

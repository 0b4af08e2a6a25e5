"""A part of a model: by the whole's assignment, or an error; never a shifted scale."""

import pytest
from torch import nn

from lrd_registry import CoverageError, assign_layers, build_param_groups
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, model_with, timm_model

pytestmark = pytest.mark.engine

WHOLE = timm_model("vit_tiny_patch16_224", depth=6)


def stage(*, blocks, keep):
    """A stage that holds some blocks under their own numbers, and some other modules."""
    part = nn.Module()
    for name in keep:
        part.add_module(name, getattr(WHOLE, name))
    part.add_module("blocks", nn.ModuleDict({str(i): WHOLE.blocks[i] for i in blocks}))
    return part


LAST = stage(blocks=range(3, 6), keep=["norm", "head"])
MIDDLE = stage(blocks=range(2, 4), keep=[])


@pytest.mark.parametrize("part", [LAST, MIDDLE], ids=["last", "middle"])
@pytest.mark.parametrize("arch", ["vit", "auto"])
def test_a_stage_alone_is_an_error_that_says_what_to_pass(part, arch):
    with pytest.raises(CoverageError) as caught:
        assign_layers(part, arch)
    first = next(iter(part.blocks))
    (gap,) = caught.value.gaps
    assert gap.missing == (range(int(first)),)
    assert str(caught.value).endswith(
        "In a part of a model, such as a pipeline stage, the depth of the whole cannot be seen: "
        "make the assignment from the whole, on the meta device if it is large, and pass it: "
        "build_param_groups(part, arch=assign_layers(whole))."
    )


@pytest.mark.parametrize("part", [LAST, MIDDLE], ids=["last", "middle"])
def test_a_stage_has_the_layers_and_the_scales_of_the_whole(part):
    whole = assign_layers(WHOLE)
    assert layers_of(assign_layers(part, whole)) == {
        name: whole[name].layer for name, _ in part.named_parameters()
    }
    scales = {name: whole.scale(name, 0.75) for name in whole}
    for group in build_param_groups(part, arch=whole, layer_decay=0.75):
        assert {scales[name] for name in group["param_names"]} == {group["lr_scale"]}


def first_stage(model):
    """As torch's tutorials cut it: later blocks deleted, what comes after set to None."""
    for _ in range(3, 6):
        del model.blocks[3]
    model.norm = model.head = None
    return model


@pytest.mark.parametrize("wrap", [lambda stage: stage, nn.DataParallel], ids=["bare", "wrapped"])
def test_a_first_stage_alone_is_an_error_where_its_end_was_set_to_none(wrap):
    stage = wrap(first_stage(timm_model("vit_tiny_patch16_224", depth=6)))
    with pytest.raises(CoverageError) as caught:
        assign_layers(stage, "vit")
    assert caught.value.missing == ("norm", "head")
    assert "  set to None, with nothing of the last layer left:\n    norm\n    head\n" in str(
        caught.value
    )
    assert "build_param_groups(part, arch=assign_layers(whole))" in str(caught.value)
    whole = assign_layers(WHOLE)
    assert set(layers_of(assign_layers(stage, whole)).values()) == {0, 1, 2, 3}


def test_a_model_whose_head_alone_was_set_to_none_keeps_its_layers():
    model = timm_model("vit_tiny_patch16_224", depth=6)
    expected = layers_of(assign_layers(model))
    model.head = None
    assert layers_of(assign_layers(model)) == {
        name: layer for name, layer in expected.items() if not name.startswith("head.")
    }


def test_a_stage_in_wrappers_is_compared_as_written():
    whole = assign_layers(WHOLE)
    wrapped = nn.DataParallel(LAST)
    layers = layers_of(assign_layers(wrapped, whole))
    assert layers["module.blocks.4.norm1.weight"] == 5
    assert layers["module.head.bias"] == 7


def test_the_whole_may_have_been_wrapped_too():
    whole = assign_layers(nn.DataParallel(WHOLE))
    assert assign_layers(LAST, whole)["blocks.5.norm1.weight"].layer == 6


def test_a_stage_keeps_the_fingerprint_of_the_whole():
    whole = assign_layers(WHOLE)
    assert assign_layers(LAST, whole).fingerprint() == whole.fingerprint()
    (fingerprint,) = {group["assignment"] for group in build_param_groups(MIDDLE, arch=whole)}
    assert fingerprint == whole.fingerprint()


def test_a_stage_with_other_names_is_an_error_that_names_them():
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(["blocks.0.w", "other.w"]), assign_layers(WHOLE))
    assert caught.value.unmatched == ("blocks.0.w", "other.w")
    assert str(caught.value) == (
        "2 parameters are not in this assignment (made with 'vit'); make it from the whole model, "
        "with the same names:\n    blocks.0.w\n    other.w"
    )


def test_a_module_set_to_none_that_is_not_of_the_last_layer_is_left_out_alone():
    """Only what would have been the last layer tells that this is a part of a model."""
    rules = {
        "arch": "a",
        "layers": [
            {"stem": "stem.**"},
            {"neck": {"match": "neck.**", "optional": True}},
            {"head": {"match": "head.**", "optional": True}},
        ],
    }
    model = nn.ModuleDict({"stem": nn.Linear(2, 2)})
    model.register_module("neck", None)
    assert list(assign_layers(model, rule_set_from_mapping(rules))) == ["stem.weight", "stem.bias"]
    model.register_module("head", None)
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, rule_set_from_mapping(rules))
    assert caught.value.missing == ("head",)


def test_a_stage_from_which_a_block_was_taken_is_still_a_stage():
    model = stage(blocks=[2, 4, 5], keep=["norm", "head"])
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, "vit")
    assert [list(map(list, gap.missing)) for gap in caught.value.gaps] == [[[0, 1], [3]]]
    assert "assign_layers(whole)" in str(caught.value)


def test_the_names_of_a_wrapped_stage_are_read_as_the_whole_has_them():
    whole = assign_layers(WHOLE)
    pairs = [(f"module.{name}", parameter) for name, parameter in LAST.named_parameters()]
    found = {
        name.removeprefix("module."): row.layer for name, row in assign_layers(pairs, whole).items()
    }
    assert found == {name: whole[name].layer for name, _ in LAST.named_parameters()}


def test_of_many_parameters_that_an_assignment_has_not_twenty_are_named():
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with([f"other.{i}.w" for i in range(22)]), assign_layers(WHOLE))
    assert len(caught.value.unmatched) == 22
    assert str(caught.value).endswith("\n    other.19.w\n    … and 2 more")


def test_a_head_that_was_set_to_none_is_no_fault_beside_others():
    model = timm_model("vit_tiny_patch16_224", depth=1)
    model.head = None
    model.extra = nn.Linear(1, 1, bias=False)
    with pytest.raises(CoverageError) as caught:
        assign_layers(model, "vit")
    assert (caught.value.unmatched, caught.value.missing) == (("extra.weight",), ())

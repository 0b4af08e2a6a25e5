"""Names without modules, as in a checkpoint: what wrappers added is told from the names."""

import pytest

from lrd_registry import CoverageError, assign_layers
from lrd_registry.model_names.from_names_only import readings_of_names
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.building import layers_of, parameter

pytestmark = pytest.mark.engine

RULES = rule_set_from_mapping(
    {
        "arch": "mine",
        "layers": [{"stem": "embed.*"}, {"block": "blocks.{i}.**"}, {"head": "head.*"}],
    }
)
LAYERS = {"embed.w": 0, "blocks.0.fc.weight": 1, "blocks.1.fc.weight": 2, "head.w": 3}


def assign(names, rules=RULES):
    return assign_layers([(name, parameter(2, 2)) for name in names], rules)


@pytest.mark.parametrize(
    "spell",
    [
        "module.{}",
        "module.module.{}",
        "_orig_mod.{}",
        "_orig_mod.module.{}",
        "module._orig_mod.{}",
        "_fsdp_wrapped_module.{}",
        "base_model.model.{}",
        "module.base_model.model.{}",
        "base_model.model.base_model.model.{}",
    ],
)
def test_what_stands_before_all_names_is_taken_off(spell):
    names = {spell.format(name): layer for name, layer in LAYERS.items()}
    assert layers_of(assign(names)) == names


@pytest.mark.parametrize(
    "spelled",
    [
        "blocks.1._orig_mod.fc.weight",
        "blocks.1._checkpoint_wrapped_module.fc.weight",
        "blocks._fsdp_wrapped_module.1._fsdp_wrapped_module.fc.weight",
        "blocks.1.parametrizations.fc.original",
        "blocks.1.fc.parametrizations.weight.original0",
    ],
)
def test_what_no_author_writes_is_taken_off_anywhere(spelled):
    names = {**LAYERS, spelled: 2}
    del names["blocks.1.fc.weight"]
    assert layers_of(assign(names)) == names


def test_what_makes_a_tensor_is_beside_it_and_its_original_is_itself():
    made = "blocks.1.fc.parametrizations.weight"
    names = {**LAYERS, f"{made}.original0": 2, f"{made}.0.scale": 2}
    del names["blocks.1.fc.weight"]
    assignment = assign(names)
    assert layers_of(assignment) == names
    assert list(assignment.adapters) == [f"{made}.0.scale"]


def test_the_words_within_a_component_are_not_a_wrapper():
    names = ["my_module.w", "x_orig_mod.w", "a.parametrizations.weight.originals"]
    (reading,) = readings_of_names(names)
    assert reading.written == {name: name for name in names}


def test_module_is_the_authors_where_the_rule_file_says_so():
    rules = rule_set_from_mapping(
        {"arch": "mine", "layers": [{"stem": "module.embed.*"}, {"head": "module.head.*"}]}
    )
    assert layers_of(assign(["module.embed.w", "module.head.w"], rules)) == {
        "module.embed.w": 0,
        "module.head.w": 1,
    }
    assert layers_of(assign(["module.module.embed.w", "module.module.head.w"], rules)) == {
        "module.module.embed.w": 0,
        "module.module.head.w": 1,
    }


def test_module_before_some_of_the_names_only_is_the_authors():
    with pytest.raises(CoverageError) as caught:
        assign([*LAYERS, "module.head.w"])
    assert caught.value.unmatched == ("module.head.w",)


def test_errors_have_the_names_as_they_are_spelled():
    with pytest.raises(CoverageError) as caught:
        assign([*(f"module.{name}" for name in LAYERS), "module.blocks.x._orig_mod.w"])
    assert caught.value.unmatched == ("module.blocks.x._orig_mod.w",)
    assert "module.blocks.x._orig_mod.w  (closest: blocks.{i}.**)" in str(caught.value)


def test_adapters_go_by_what_they_adapt():
    start = "base_model.model.blocks.1.fc"
    names = {f"base_model.model.{name}": layer for name, layer in LAYERS.items()}
    del names[f"{start}.weight"], names["base_model.model.head.w"]
    names |= {
        f"{start}.base_layer.weight": 2,
        f"{start}.lora_A.default.weight": 2,
        f"{start}.lora_magnitude_vector.default.weight": 2,
        "base_model.model.head.original_module.w": 3,
        "base_model.model.head.modules_to_save.default.w": 3,
    }
    assignment = assign(names)
    assert layers_of(assignment) == names
    assert assignment.written[f"{start}.lora_A.default.weight"] == "blocks.1.fc.weight"


def test_wrappers_do_not_change_the_fingerprint():
    plain, wrapped = assign(LAYERS), assign([f"module._orig_mod.{name}" for name in LAYERS])
    assert plain.fingerprint() == wrapped.fingerprint()


def test_an_adapter_of_a_module_in_several_layers_is_named():
    """Names do not tell which of the module's parameters it adapts."""
    rules = rule_set_from_mapping(
        {"arch": "mine", "layers": [{"stem": "ends.first"}, {"head": "ends.last"}]}
    )
    adapter = "base_model.model.ends.lora_A.default.weight"
    names = [f"base_model.model.ends.base_layer.{name}" for name in ("first", "last")]
    with pytest.raises(CoverageError) as caught:
        assign([*names, adapter], rules)
    assert caught.value.overlapping == {
        adapter: ("adapts ends.first: layer 0", "adapts ends.last: layer 1")
    }


def test_an_adapter_alone_goes_by_the_first_parameter_of_its_module():
    start = "base_model.model.blocks.0.fc"
    names = [f"{start}.base_layer.{own}" for own in ("weight", "bias")]
    names.append(f"{start}.lora_A.default.weight")
    *_, reading = readings_of_names(names)
    assert reading.written[names[2]] == "blocks.0.fc.weight"
    assert reading.adapters == {names[2]: ("blocks.0.fc.weight", "blocks.0.fc.bias")}


def test_an_adapter_alone_of_a_module_of_modules_goes_by_what_is_in_it():
    start = "base_model.model.blocks.0.fc"
    names = [f"{start}.base_layer.{own}.weight" for own in ("up", "down")]
    names.append(f"{start}.lora_A.default.weight")
    *_, reading = readings_of_names(names)
    assert reading.written[names[2]] == "blocks.0.fc.up.weight"
    assert reading.adapters == {names[2]: ("blocks.0.fc.up.weight", "blocks.0.fc.down.weight")}


def test_an_adapter_of_the_whole_model_goes_by_the_models_own_parameter():
    names = ["base_model.model.base_layer.weight", "base_model.model.lora_A.default.weight"]
    *_, reading = readings_of_names(names)
    assert reading.written[names[1]] == "weight"
    assert reading.adapters == {names[1]: ("weight",)}


def test_an_adapter_inside_an_adapter_goes_by_its_own_name():
    start = "base_model.model.a"
    names = [f"{start}.base_layer.v", f"{start}.lora.b.base_layer.w", f"{start}.lora.b.lora_A.w"]
    *_, reading = readings_of_names(names)
    assert list(reading.written.values()) == ["a.v", "a.v", "a.lora.b.lora_A.w"]


def test_what_a_wrapper_keeps_of_the_original_is_taken_off():
    assign = assign_layers([("a._original_module.w", parameter(2))], A)
    assert assign.written == {"a._original_module.w": "a.w"}


def test_names_of_which_some_begin_otherwise_are_no_tuner_s():
    names = ["base_model.model.a.lora_A.default.weight", "head.w"]
    assert [list(reading.written.values()) for reading in readings_of_names(names)] == [names]


def test_a_name_that_has_a_flat_parameter_s_inside_is_no_flat_parameter():
    names = ["a._flat_param_scale", "a.w"]
    assert list(assign_layers([(name, parameter(2)) for name in names], A)) == names


A = {"arch": "a", "layers": [{"all": "a.**"}]}

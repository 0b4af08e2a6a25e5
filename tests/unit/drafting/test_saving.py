"""A draft of a live model in one call, and the rule file that it is saved as."""

import pytest
from torch import nn

from lrd_registry import InvalidArgumentError, ModelError, draft, load_rule_set, trace
from lrd_registry.drafting.entries.yaml_text import SCHEMA


def linears():
    return nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))


def test_a_name_and_a_trace_may_be_left_out():
    model = linears()
    whole = draft(model, "sequential", trace(model, (1, 2)))
    assert draft(model, inputs=(1, 2)) == whole
    assert draft(model, trace=trace(model, (1, 2))) == whole
    assert draft(model, "mine", inputs=(1, 2)).rules == {**whole.rules, "arch": "mine"}


def test_a_model_that_does_not_say_what_it_takes_needs_inputs():
    with pytest.raises(ModelError, match="Sequential does not say what it takes"):
        draft(linears())


def test_a_trace_and_inputs_are_one_too_many():
    model = linears()
    with pytest.raises(InvalidArgumentError) as caught:
        draft(model, "mine", trace(model, (1, 2)), inputs=(1, 2))
    assert str(caught.value) == "a trace has had its inputs; pass trace or inputs, not both"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ResNet", "res_net"),
        ("ViTModel", "vit_model"),
        ("MyMLP", "my_mlp"),
        ("MLPMixer", "mlp_mixer"),
        ("GPT2Model", "gpt2_model"),
        ("_Gr\u00f6\u00dfe", "gr_e"),
        ("\u7f51", "model"),
    ],
)
def test_it_is_called_as_its_class_is(name, expected):
    kind = type(name, (nn.Sequential,), {})
    assert draft(nn.DataParallel(kind(nn.Linear(2, 2))), inputs=(1, 2)).rules["arch"] == expected


def test_saved_it_is_a_rule_file(tmp_path):
    drafted = draft(linears(), inputs=(1, 2))
    drafted.save(tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == str(drafted)
    assert load_rule_set(tmp_path / "mine.yaml") == drafted.rule_set
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_file_that_is_there_is_kept(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("arch: mine\n")
    with pytest.raises(InvalidArgumentError) as caught:
        draft(linears(), inputs=(1, 2)).save(str(path))
    assert str(caught.value) == f"{path} is there already; give another path, or remove it"
    assert path.read_text() == "arch: mine\n"


def test_a_folder_that_is_not_there_is_said(tmp_path):
    path = tmp_path / "none" / "mine.yaml"
    with pytest.raises(InvalidArgumentError) as caught:
        draft(linears(), inputs=(1, 2)).save(path)
    assert str(caught.value) == f"{path}: cannot be written: No such file or directory"


def test_it_names_the_schema_of_rule_files_only_where_that_is_beside_it(tmp_path):
    drafted = draft(linears(), inputs=(1, 2))
    assert "$schema" not in str(drafted)
    (tmp_path / SCHEMA).write_text("{}")
    drafted.save(tmp_path / "mine.yaml")
    first, _, rest = (tmp_path / "mine.yaml").read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=rule-set.schema.json"
    assert rest == str(drafted)

"""Rule sets by name: bundled, in the user's directories, registered by hand."""

import json
import os
import re

import pytest

from lrd_registry import (
    AmbiguousArchitectureError,
    CoverageError,
    NoFittingArchitectureError,
    RegistrationError,
    RuleFileError,
    UnknownArchitectureError,
    assign_layers,
    get_rule_set,
    list_architectures,
    load_rule_set,
    register_rules,
)
from lrd_registry.registry.default import RULES_PATH, bundled_rules
from lrd_registry.registry.registry import Registry
from tests.support.building import layers_of, model_with

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("six_rule_sets")]

TINY = "arch: tiny\nsummary: two layers\nlayers: [stem: a.**, head: b.**]\n"
MODEL = ["a.w", "b.w"]


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def test_the_bundled_rule_sets():
    assert list_architectures() == ["clip", "clip_text", "convnext", "mae", "swin", "vit"]


def test_a_file_by_its_path(tiny):
    assert layers_of(assign_layers(model_with(MODEL), tiny)) == {"a.w": 0, "b.w": 1}
    assert assign_layers(model_with(MODEL), str(tiny)).arch == "tiny"
    assert list_architectures() == ["clip", "clip_text", "convnext", "mae", "swin", "vit"]


@pytest.mark.parametrize("kind", ["path", "text", "rule set", "mapping"])
def test_registering_makes_a_name_known(tiny, kind):
    rules = load_rule_set(tiny)
    source = {"path": tiny, "text": str(tiny), "rule set": rules, "mapping": rules.to_dict()}[kind]
    assert register_rules(source) == rules
    assert get_rule_set("tiny") == rules
    assert assign_layers(model_with(MODEL)).arch == "tiny"


def test_a_directory_in_the_environment_is_read(tiny, monkeypatch):
    monkeypatch.setenv(RULES_PATH, str(tiny.parent))
    assert list_architectures() == ["clip", "clip_text", "convnext", "mae", "swin", "tiny", "vit"]
    assert assign_layers(model_with(MODEL), "tiny").num_layers == 2
    (tiny.parent / "second.yml").write_text(TINY.replace("tiny", "second"))
    assert "second" in list_architectures()


def test_a_changed_file_is_read_again(tiny, monkeypatch):
    monkeypatch.setenv(RULES_PATH, str(tiny.parent))
    assert get_rule_set("tiny").summary == "two layers"
    tiny.write_text(TINY.replace("two layers", "the same two"))
    os.utime(tiny, ns=(1, 1))
    assert get_rule_set("tiny").summary == "the same two"


def test_a_missing_directory_in_the_environment_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(RULES_PATH, str(tmp_path / "nowhere"))
    with pytest.raises(RuleFileError, match=r"nowhere: no such directory; LRD_RULES_PATH names"):
        list_architectures()


@pytest.fixture
def faulty(tiny, monkeypatch):
    """A directory with a good file, and one of each kind that is at fault."""
    directory = tiny.parent
    (directory / "headless.yaml").write_text("arch: 3\n")
    (directory / "double.yml").write_text("arch: x\n---\narch: y\n")
    (directory / "bodiless.yaml").write_text("arch: a-name\nlayers: [stem: a..b]\n")
    (directory / "link.yaml").symlink_to("nowhere")
    monkeypatch.setenv(RULES_PATH, str(directory))
    return directory


FAULTY = {
    "headless": ("headless.yaml", "1:1: missing key `layouts` (or `layers`)"),
    "double": ("double.yml", "1:1: missing key `layouts` (or `layers`)"),
    "a-name": ("bodiless.yaml", "2:16: pattern 'a..b' has an empty segment: "),
    "link": ("link.yaml", " cannot be read: No such file or directory"),
}


@pytest.mark.usefixtures("faulty")
def test_a_file_at_fault_does_not_keep_others_from_being_used():
    known = ["clip", "clip_text", "convnext", "mae", "swin", "tiny", "vit"]
    assert list_architectures() == known
    assert [get_rule_set(name).arch for name in known] == known
    assert assign_layers(model_with(MODEL), "tiny").arch == "tiny"
    assert assign_layers(model_with(MODEL)).arch == "tiny"


@pytest.mark.parametrize("name", FAULTY)
def test_a_file_at_fault_fails_who_asks_for_it_by_what_it_is_called(faulty, name):
    file, message = FAULTY[name]
    with pytest.raises(RuleFileError, match=re.escape(f"{faulty / file}:{message}")):
        get_rule_set(name)


def test_no_file_at_fault_hides_a_rule_set_of_its_name(tiny, monkeypatch):
    (tiny.parent / "vit.yaml").write_text("arch: 3\n")
    monkeypatch.setenv(RULES_PATH, str(tiny.parent))
    assert get_rule_set("vit") == load_rule_set(bundled_rules() / "vit.yaml")


def test_a_file_is_read_again_once_it_is_mended(faulty):
    (faulty / "headless.yaml").write_text(TINY.replace("tiny", "mended"))
    os.utime(faulty / "headless.yaml", ns=(1, 1))
    assert get_rule_set("mended").summary == "two layers"


def test_auto_says_which_files_it_could_not_try(faulty):
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(model_with([*MODEL, "c.w"]))
    files = ", ".join(sorted(str(faulty / file) for file, _ in FAULTY.values()))
    tried = "tried: clip, clip_text, convnext, mae, swin, tiny, vit"
    assert f"({tried}; not tried, because at fault: {files})" in str(caught.value)


def test_a_package_s_file_whose_body_is_at_fault_is_not_tried_either(tiny, tmp_path_factory):
    """Installed files are known by their heads alone until somebody asks for them."""
    bodiless = tmp_path_factory.mktemp("package") / "x.yaml"
    bodiless.write_text("arch: x\nlayers: [stem: a..b]\n")
    registry = Registry(installed=lambda: [tiny.parent, bodiless.parent])
    assert registry.catalog().names() == ["tiny", "x"]
    assert [rules.arch for rules in registry.catalog().rule_sets] == ["tiny"]
    assert registry.catalog().faulty_files() == [str(bodiless)]


def test_the_list_shows_a_file_at_fault_as_broken(faulty, lrd):
    status, output, _ = lrd("list")
    assert status == 0
    (line,) = (line for line in output.splitlines() if "headless " in line)
    assert "0  broken at 1:1: missing key `layouts` (or `layers`) (and 1 more)" in line
    assert line.endswith(str(faulty / "headless.yaml"))


def test_the_list_as_json_has_the_problems_of_a_file_at_fault(faulty, lrd):
    rows = {row["arch"]: row for row in json.loads(lrd("list", "--json")[1])}
    assert rows.keys() == {*list_architectures(), *FAULTY}
    assert rows["tiny"]["problems"] == []
    assert rows["headless"] == {
        "kind": "",
        "arch": "headless",
        "layouts": [],
        "summary": "",
        "source": str(faulty / "headless.yaml"),
        "problems": [
            f"{faulty / 'headless.yaml'}:1:1: missing key `layouts` (or `layers`)",
            f"{faulty / 'headless.yaml'}:1:7: expected text, found `3`, which YAML reads as an "
            "integer",
        ],
    }


def test_a_name_registered_twice_names_both_sources(tiny):
    register_rules(tiny)
    with pytest.raises(RegistrationError) as caught:
        register_rules({"arch": "tiny", "layers": [{"only": "**"}]})
    assert str(caught.value) == (
        f"two rule sets are called 'tiny': one from {tiny}, one from a mapping; rename one, "
        "or register yours with replace=True"
    )
    assert get_rule_set("tiny").summary == "two layers"


def test_a_bundled_name_is_taken_and_can_be_replaced():
    mine = {"arch": "vit", "layers": [{"only": "**"}]}
    with pytest.raises(RegistrationError, match=r"vit\.yaml, one from a mapping"):
        register_rules(mine)
    register_rules(mine, replace=True)
    assert assign_layers(model_with(MODEL), "vit").num_layers == 1


def test_a_name_in_two_directories_names_both_files(tiny, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "tiny.yaml"
    other.write_text(TINY)
    registry = Registry(directories=lambda: [tiny.parent, other.parent])
    with pytest.raises(RegistrationError, match=f"from {tiny}, one from {other}"):
        registry.catalog().names()


def test_a_misspelt_name_names_the_nearest():
    with pytest.raises(UnknownArchitectureError) as caught:
        assign_layers(model_with(MODEL), "vitt")
    assert caught.value.nearest == ("vit",)
    assert str(caught.value) == (
        "no rule set is called 'vitt'; did you mean 'vit'?\n"
        "Known: clip, clip_text, convnext, mae, swin, vit. "
        "A rule file of your own is given by its path, such as ./my.yaml"
    )


def test_auto_with_two_that_fit_names_both(tiny):
    register_rules(tiny)
    register_rules({"arch": "other", "layers": [{"all": ["a.**", "b.**"]}]})
    with pytest.raises(AmbiguousArchitectureError, match=r"^2 layouts fit") as caught:
        assign_layers(model_with(MODEL))
    assert caught.value.candidates == ("other/default", "tiny/default")


def test_auto_takes_only_a_complete_fit(tiny):
    register_rules(tiny)
    register_rules({"arch": "other", "layers": [{"all": "a.**"}]})
    assert assign_layers(model_with(MODEL)).arch == "tiny"


def test_auto_with_none_names_the_nearest_and_what_it_leaves(tiny):
    register_rules(tiny)
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(model_with([*MODEL, "c.w"]))
    error = caught.value
    assert isinstance(error, CoverageError)
    assert (error.nearest, error.unmatched) == (("tiny",), ("c.w",))
    assert str(error) == (
        "no rule set fits this model completely "
        "(tried: clip, clip_text, convnext, mae, swin, tiny, vit). The nearest "
        "is 'tiny' (layout 'default'), but for:\n"
        "  matched by no pattern:\n"
        "    c.w  (closest: a.**)\n"
        "Have one drafted, and read it: with the module, "
        'lrd_registry.draft(model).save("my.yaml"); then pass arch="my.yaml".'
    )


def test_two_layouts_that_fit_and_differ_are_ambiguous():
    one = [{"first": "a.*"}, {"second": "b.**"}]
    other = [{"first": "a.w"}, {"second": ["a.b", "b.**"]}]
    rules = {"arch": "twice", "layouts": {"one": {"layers": one}, "two": {"layers": other}}}
    with pytest.raises(AmbiguousArchitectureError) as caught:
        assign_layers(model_with(["a.w", "a.b", "b.w"]), register_rules(rules))
    assert caught.value.candidates == ("twice/one", "twice/two")
    assert str(caught.value) == (
        "2 layouts fit this model: twice/one, twice/two; they differ in the layer of 1 of its 3 "
        "parameters:\n  a.b: layer 0, or 1\n"
        "Choose with arch=…, or give the layouts signatures that tell them apart."
    )


def test_two_layouts_that_fit_and_agree_on_every_layer_are_not():
    layers = [{"all": "**"}]
    rules = {"arch": "twice", "layouts": {"a": {"layers": layers}, "b": {"layers": layers}}}
    assert assign_layers(model_with(MODEL), register_rules(rules)).layout == "a"


def test_a_signature_tells_layouts_apart():
    layers = [{"all": "**"}]
    rules = {
        "arch": "signed",
        "layouts": {
            "a": {"signature": "x.*", "layers": layers},
            "b": {"signature": ["a.w", "b.*"], "layers": layers},
        },
    }
    assert assign_layers(model_with(MODEL), register_rules(rules)).layout == "b"


@pytest.mark.parametrize("signature", ["a.w", "a.*", "a.w.**", "**.w", "**"])
def test_a_signature_is_any_pattern_that_matches(signature):
    layout = {"signature": signature, "layers": [{"all": "**"}]}
    rules = register_rules({"arch": "signed", "layouts": {"only": layout}})
    assert assign_layers(model_with(MODEL), rules).layout == "only"


@pytest.mark.parametrize("signature", ["a", "a.w.*", "w.**", "b.{i}"])
def test_a_signature_that_matches_nothing_is_named(signature):
    layout = {"signature": signature, "layers": [{"all": "**"}]}
    rules = register_rules({"arch": "signed", "layouts": {"only": layout}})
    with pytest.raises(CoverageError) as caught:
        assign_layers(model_with(MODEL), rules)
    assert caught.value.missing == (f"signature: {signature}",)


def test_a_call_lists_the_directories_once(tiny, monkeypatch, own_registry):
    """However many parts of rule sets are looked up by name in it."""
    (tiny.parent / "pair.yaml").write_text(
        "arch: pair\nparts:\n  x: {prefix: x, rules: [tiny, vit]}\n  y: {prefix: y, rules: tiny}\n"
    )
    listed = []
    directories = lambda: listed.append("listed") or [tiny.parent]  # noqa: E731
    monkeypatch.setattr(own_registry, "_directories", directories)
    model = model_with([f"{tower}.{name}" for tower in "xy" for name in MODEL])
    assert assign_layers(model).arch == "pair"
    assert listed == ["listed"]


def test_a_file_that_is_composed_of_one_that_is_not_there_fails_only_who_asks_for_it():
    parts = {"a": {"prefix": "a", "rules": "missing"}}
    register_rules({"arch": "composed", "parts": parts})
    register_rules({"arch": "plain", "layouts": {"own": {"layers": [{"all": ["a.w", "b.w"]}]}}})
    assert assign_layers(model_with(MODEL)).arch == "plain"
    with pytest.raises(NoFittingArchitectureError):
        assign_layers(model_with(["c.w"]))
    with pytest.raises(UnknownArchitectureError, match="no rule set is called 'missing'"):
        assign_layers(model_with(MODEL), "composed")


def test_what_is_claimed_twice_counts_as_not_covered():
    layers = [{"a": "a.w"}, {"b": ["a.w", "b.w", "c.w"]}, {"c": ["b.*", "c.*"]}, {"d": "d.w"}]
    register_rules({"arch": "twice", "layouts": {"own": {"signature": "a.w", "layers": layers}}})
    with pytest.raises(NoFittingArchitectureError, match="and none comes near"):
        assign_layers(model_with(["a.w", "b.w", "c.w", "d.w"]))

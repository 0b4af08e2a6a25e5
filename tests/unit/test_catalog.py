"""`auto` among many rule files: only those that may fit a model are read in full."""

import pytest

from lrd_registry import (
    Assignment,
    NoFittingArchitectureError,
    assign_layers,
    get_rule_set,
    load_rule_set,
)
from lrd_registry.engine.problems import Coverage
from lrd_registry.engine.try_layouts import place_where_signed
from lrd_registry.model_names.parameters import collect_parameters
from lrd_registry.registry.default import bundled_rules
from lrd_registry.registry.registry import Registry
from tests.support.building import model_with

pytestmark = pytest.mark.engine

SIGNED = """
arch: {name}
layouts:
  {name}:
    signature: ["*.weight", {name}.weight]
    prefix: body
    layers: [stem: {name}.**, head: {{match: head.**, outside: side.**}}]
"""
UNSIGNED = "arch: {name}\nlayers: [stem: {name}.**, head: head.**]\n"


@pytest.fixture
def directory(tmp_path):
    for name, text in (("one", SIGNED), ("two", SIGNED), ("three", UNSIGNED)):
        (tmp_path / f"{name}.yaml").write_text(text.format(name=name))
    return tmp_path


@pytest.fixture
def registry(directory):
    return Registry(directories=lambda: [directory])


def likely(registry, *names):
    return [rules.arch for rules in registry.catalog().rule_sets_for(names)]


def test_a_file_is_likely_by_a_name_of_its_signature_or_without_one(registry):
    assert likely(registry, "one.weight", "head.weight") == ["one", "three"]
    assert likely(registry, "two.weight", "one.weight") == ["one", "three", "two"]
    assert likely(registry, "one.bias") == ["three"]


def test_a_file_is_likely_under_its_prefix(registry):
    assert likely(registry, "body.one.weight") == ["one", "three"]
    assert likely(registry, "mind.one.weight") == ["three"]


def test_what_is_registered_by_hand_is_likely_by_the_same_names(registry):
    rules = registry.catalog().get("one")
    registry.register(rules.model_copy(update={"arch": "mine"}), "here")
    assert likely(registry, "one.weight") == ["mine", "one", "three"]


def test_a_file_that_cannot_fit_is_not_validated(directory, registry):
    broken = directory / "broken.yaml"
    broken.write_text(SIGNED.format(name="four").replace("four.**", "four..x"))
    assert likely(registry, "one.weight") == ["one", "three"]
    assert registry.catalog().get("two").arch == "two"
    assert registry.catalog().faulty_files() == [str(broken)]
    assert likely(registry, "four.weight") == ["three"]


def test_a_catalog_is_kept_until_a_file_changes(directory, registry):
    catalog = registry.catalog()
    assert registry.catalog() is catalog
    assert catalog.names() == ["one", "three", "two"]
    (directory / "two.yaml").unlink()
    assert registry.catalog().names() == ["one", "three"]
    assert catalog.names() == ["one", "three", "two"]


def test_registering_is_seen_at_once(registry):
    before = registry.catalog()
    registry.register(before.get("one").model_copy(update={"arch": "mine"}), "here")
    assert registry.catalog().names() == ["mine", "one", "three", "two"]
    assert before.names() == ["one", "three", "two"]


def test_a_model_of_none_is_compared_with_all(directory, monkeypatch):
    monkeypatch.setenv("LRD_RULES_PATH", str(directory))
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(model_with(["three.weight", "neck.weight", "head.weight"]))
    assert "The nearest is 'three' (layout 'default'), but for:" in str(caught.value)
    assert "    neck.weight  (closest: " in str(caught.value)


def test_a_name_asked_for_is_found_among_files_at_fault(directory, monkeypatch):
    (directory / "vit.yaml").write_text("arch: vit\nlayers: [stem: a..b]\n")
    monkeypatch.setenv("LRD_RULES_PATH", str(directory))
    assert get_rule_set("vit") == load_rule_set(bundled_rules() / "vit.yaml")


def test_a_layout_for_names_that_begin_in_other_ways_is_not_likely(registry):
    catalog = registry.catalog()

    def tried(*names, likely):
        (reading,) = collect_parameters(model_with(names)).readings
        results = place_where_signed([catalog.get("three")], reading, catalog.get, likely=likely)
        return [type(result) for result in results]

    assert tried("three.weight", "head.weight", likely=True) == [Assignment]
    assert tried("three.weight", "neck.weight", likely=True) == []
    assert tried("three.weight", "neck.weight", likely=False) == [Coverage]

"""The JSON Schema of rule files: committed, named by the bundled files, and true of them."""

import json

import jsonschema
import pytest
import yaml

from lrd_registry.registry.default import bundled_rules
from lrd_registry.rule_files.schema import rule_file_schema

pytestmark = pytest.mark.engine

FILES = sorted(bundled_rules().glob("*.yaml"))
SCHEMA = bundled_rules() / "rule-set.schema.json"


def errors(data):
    validator = jsonschema.Draft202012Validator(rule_file_schema())
    return [f"{error.validator} at {error.json_path}" for error in validator.iter_errors(data)]


def test_the_committed_schema_is_the_one_that_the_code_makes():
    assert json.loads(SCHEMA.read_text()) == rule_file_schema(), "run: lrd schema > " + str(SCHEMA)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(rule_file_schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_bundled_files_name_it_and_validate(path):
    text = path.read_text()
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA.name}\n")
    assert errors(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("data", "keyword"),
    [
        ({"layers": [{"a": "b"}]}, "required at $"),
        ({"arch": "a"}, "oneOf at $"),
        ({"arch": "a", "layers": []}, "minItems at $.layers"),
        ({"arch": "a", "layers": [{"a": {"mtch": "b"}}]}, "anyOf at $.layers[0].a"),
        ({"arch": "a", "format": 2, "layers": [{"a": "b"}]}, "const at $.format"),
        ({"arch": "a", "layrs": [], "layers": [{"a": "b"}]}, "additionalProperties at $"),
    ],
)
def test_it_refuses_what_the_loader_refuses(data, keyword):
    assert keyword in errors(data)

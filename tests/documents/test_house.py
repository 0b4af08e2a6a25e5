"""The map of the house is true: what it names is there, and what is there is on it."""

import re

import pytest

from tests.support.places import ROOT

PACKAGE = ROOT / "lrd_registry"
MAP = (ROOT / "CONTRIBUTING.md").read_text().partition("\n## The house\n")[2]


def row_of(folder):
    return next(line for line in MAP.splitlines() if line.startswith(f"| `{folder}/`"))


def test_every_folder_is_on_the_map_in_the_order_of_the_import_contract():
    contract = (ROOT / "pyproject.toml").read_text().partition("layers = [")[2].partition("]")[0]
    levels = [line.split(" | ") for line in re.findall(r'"(.+)"', contract)]
    level_of = {name: level for level, names in enumerate(levels) for name in names}
    rows = [line.split("|")[1] for line in MAP.splitlines() if line.startswith("| `")]
    mapped = [level_of.pop(name) for row in rows for name in re.findall(r"`(\w+)/?`", row)]
    assert mapped == sorted(mapped)
    assert list(level_of) == ["__main__"]


@pytest.mark.parametrize(
    "folder",
    [
        *("verify", "resume", "groups", "assign", "drafting", "tracing", "engine", "rule_files"),
        *("model_names", "registry", "patterns"),
    ],
)
def test_every_file_of_a_folder_is_on_the_map(folder):
    files = {path.stem for path in (PACKAGE / folder).rglob("*.py")} - {"__init__"}
    named = set(re.findall(r"`(\w+)`", row_of(folder)))
    assert files <= named


def test_the_walk_through_the_house_names_files_that_are_there():
    text = (ROOT / "docs" / "architecture.md").read_text()
    files = re.findall(r"`(\w+(?:/\w+)?\.py)`", text)
    assert len(files) > 15
    assert [file for file in files if not (PACKAGE / file).is_file()] == []


def test_no_file_is_called_like_its_folder():
    files = [path for path in PACKAGE.rglob("*.py") if path.stem == path.parent.name]
    assert [path.name for path in files] == ["registry.py"]  # what a user looks for by that name

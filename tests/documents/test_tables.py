"""The tables in the documents are those that `python -m tables` makes."""

import sys
from dataclasses import replace

import pytest

from tables import __main__, libraries, numbering
from tables.comparison import Comparison
from tables.markdown import replaced, tables_in
from tables.versions import installed, library_version, moved_libraries, named_versions
from tests.support.libraries import everything
from tests.support.places import ROOT

pytestmark = pytest.mark.library

DOCUMENT = "a\n<!-- tables: one -->\nold\n<!-- end -->\nb\n<!-- tables: two x -->\n<!-- end -->\n"


@pytest.fixture(scope="module")
def committed():
    documents = [path.read_text() for path in __main__.DOCUMENTS]
    return {name: text for document in documents for name, text in tables_in(document).items()}


@pytest.mark.parametrize(
    "name", [f"numbering {of}" for of in ("vit", "swin", "convnext", "resnet")]
)
def test_the_committed_numbering_is_the_one_that_the_rules_and_timm_give_now(committed, name):
    """Where timm has moved since, its column is its own affair; all others stay."""
    moved = moved_libraries(committed[name])
    now = numbering.tables()[name]
    assert columns(committed[name], but=moved) == columns(now, but=moved), moved


def test_the_committed_libraries_are_those_that_resolve(committed):
    """Each model of the table is a test of its own in test_libraries; here they are counted."""
    moved = moved_libraries(committed["libraries"])
    now = libraries.libraries(everything.MODELS, lambda _model: True)
    assert rows(committed["libraries"], but=moved) == rows(now, but=moved), moved


@pytest.mark.parametrize("library", named_versions((ROOT / "README.md").read_text()))
def test_the_committed_figures_are_of_the_libraries_installed(committed, library):
    """The figures of one that has moved were not compared, which is no fault of this project."""
    text = "".join(committed.values())
    if reason := moved_libraries(text).get(library):
        pytest.skip(reason)


def test_every_resolved_model_was_tried(committed):
    for line in rows(committed["libraries"], but=())[2:]:
        tried, resolved = line.strip("| ").split(" | ")[-2:]
        assert 0 < int(resolved) == int(tried), line


def rows(text, but):
    """The lines of a table, but for those of some libraries."""
    return [line for line in text.splitlines() if not named_versions(line).keys() & set(but)]


def columns(text, but):
    """The columns of a table, but for those of some libraries."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines()]
    del lines[1]
    return [list(c) for c in zip(*lines, strict=True) if not named_versions(c[0]).keys() & set(but)]


def test_a_library_that_moved_is_named_with_both_versions():
    assert moved_libraries(f"| {library_version('timm')} | torch 1.0.0 |") == {
        "torch": f"torch moved from 1.0.0 to {installed('torch')}: make tables"
    }


def test_a_model_that_resolves_to_another_layout_is_not_counted():
    right = next(model for model in everything.MODELS if model.name == "vit_b_16")
    wrong = replace(right, layout="timm")
    rows = libraries.libraries([right, wrong], libraries.resolves).splitlines()
    assert rows[2].endswith("| `vit` | vit | 2 | 1 |")


def test_every_table_in_the_documents_is_of_a_subject_that_the_command_knows(committed):
    assert {name.split()[0] for name in committed} == set(__main__.SUBJECTS)


def test_the_places_of_a_document_and_what_stands_there():
    assert tables_in(DOCUMENT) == {"one": "old\n", "two x": ""}


def test_only_what_stands_at_the_places_is_replaced():
    new = replaced(DOCUMENT, {"one": "| 1 |\n", "two x": "| 2 |\n", "three": "| 3 |\n"})
    assert tables_in(new) == {"one": "| 1 |\n", "two x": "| 2 |\n"}
    assert replaced(new, tables_in(DOCUMENT)) == DOCUMENT


def test_what_differs_from_ours_is_bold_and_what_is_not_there_a_dash():
    comparison = Comparison(
        {"stem": ("stem.*",), "blocks": ("blocks.*", "layers.*")},
        {
            "theirs": [("stem.weight", 4), *((f"blocks.{i}.weight", i + 1) for i in range(3))],
            "others": [("layers.0.weight", 2)],
            "ours": [("stem.weight", 0), *((f"blocks.{i}.weight", i + 1) for i in range(3))],
        },
    )
    assert list(comparison.rows()) == [
        ["stem", "**4**", "–", "0"],
        ["blocks", "1–3", "**2**", "1–3"],
    ]


@pytest.fixture
def command(monkeypatch, tmp_path):
    """`python -m tables ...` with two small subjects, and one document to write to."""
    path = tmp_path / "page.md"
    monkeypatch.setattr(__main__, "DOCUMENTS", (path,))
    subjects = {"one": lambda: {"one": "| 1 |\n"}, "two": lambda: {"two x": "| 2 |\n"}}
    monkeypatch.setattr(__main__, "SUBJECTS", subjects)

    def run(argument, document=""):
        path.write_text(document)
        monkeypatch.setattr(sys, "argv", ["tables", argument])
        __main__.main()
        return path.read_text()

    return run


def test_the_command_prints_the_tables_of_one_subject(command, capsys):
    command("two")
    assert capsys.readouterr().out == "| 2 |\n"


def test_the_command_writes_all_tables(command):
    written = command("--write", DOCUMENT)
    assert tables_in(written) == {"one": "| 1 |\n", "two x": "| 2 |\n"}


def test_the_command_names_a_place_without_a_table(command):
    with pytest.raises(SystemExit) as stop:
        command("--write", "<!-- tables: thre -->\n<!-- end -->\n")
    assert stop.value.code == "page.md: no table is called 'thre'; there are one, two x"

"""The tables in the documents are those that `python -m tables` makes."""

import sys
from dataclasses import replace

import pytest

from tables import __main__, libraries, numbering
from tables.comparison import Comparison
from tables.markdown import replaced, tables_in
from tests.support.libraries import everything

DOCUMENT = "a\n<!-- tables: one -->\nold\n<!-- end -->\nb\n<!-- tables: two x -->\n<!-- end -->\n"


@pytest.fixture(scope="module")
def committed():
    documents = [path.read_text() for path in __main__.DOCUMENTS]
    return {name: text for document in documents for name, text in tables_in(document).items()}


def test_the_committed_numbering_is_the_one_that_the_rules_and_timm_give_now(committed):
    assert committed.items() >= numbering.tables().items()


def test_the_committed_libraries_are_those_that_resolve(committed):
    """Each model of the table is a test of its own in test_libraries; here they are counted."""
    everything_resolves = libraries.libraries(everything.MODELS, lambda _model: True)
    assert committed["libraries"] == everything_resolves


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

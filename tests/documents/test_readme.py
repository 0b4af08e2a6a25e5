"""Every block of code in the README and in docs/ runs, and prints what it says it prints."""

import contextlib
import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from lrd_registry.rule_files.load import load_rule_set
from tests.support.documents import blocks
from tests.support.places import ROOT

pytestmark = pytest.mark.slow


def save_rule_file(text):
    name = re.match(r"# (\S+\.yaml)\n", text).group(1)
    Path(name).write_text(text)
    load_rule_set(name)


def run_python(text, names):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "README.md", "exec"), names)
    expected = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    assert printed.getvalue().splitlines() == expected


def run_make(text):
    """The targets are there; running them is left to CI, which calls these tests through one."""
    for line in text.splitlines():
        command = shlex.split(line, comments=True)
        done = subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, text=True)
        assert (command[0], done.returncode) == ("make", 0), done.stderr


def run_console(lrd):
    """In this process, which has the libraries already."""

    def run(text):
        for line in text.splitlines():
            prompt, program, *arguments = shlex.split(line)
            assert (prompt, program) == ("$", "lrd")
            status, output, error = lrd(*arguments)
            assert status == 0, error
            assert output

    return run


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "docs/architecture.md",
        "docs/rules.md",
        "docs/diff.md",
        "docs/trainers.md",
        "docs/recipes.md",
        "docs/resuming.md",
        "docs/wrapped.md",
        "docs/tracing.md",
        "docs/drafting.md",
        "CONTRIBUTING.md",
    ],
)
def test_every_block_runs(path, tmp_path, monkeypatch, lrd):
    monkeypatch.chdir(tmp_path)
    names = {}
    run = {"bash": run_make, "yaml": save_rule_file, "console": run_console(lrd)}
    # An entry point in toml is installed for real by test_installed_packages; text is no code.
    found = [(lang, text) for lang, text in blocks(path) if lang not in {"toml", "text"}]
    assert found
    for language, text in found:
        if language == "python":
            run_python(text, names)
        else:
            run[language](text)


def test_the_readme_has_every_kind_of_block():
    assert {language for language, _ in blocks("README.md")} == {
        "bash",
        "python",
        "yaml",
        "console",
    }

"""What many tests need."""

import sys

import pytest

from lrd_registry.cli import main

# What is asserted in the support modules keeps its detail.
pytest.register_assert_rewrite("tests.support")


@pytest.fixture
def lrd(monkeypatch, capsys):
    """Runs the command line here; gives exit status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lrd", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return ended.value.code, output.out, output.err

    return run

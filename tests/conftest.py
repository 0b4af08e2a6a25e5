"""What many tests need."""

import sys

import pytest
from torch import distributed

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


@pytest.fixture(scope="module")
def one_process():
    """A process group of this process alone."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()

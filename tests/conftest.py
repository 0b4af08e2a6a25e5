"""What many tests need."""

import sys

import pytest
from torch import distributed

from lrd_registry.cli import main
from lrd_registry.registry.default import bundled_rules

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


SIX = ("clip", "clip_text", "convnext", "mae", "swin", "vit")


@pytest.fixture(scope="session")
def directory_of_six(tmp_path_factory):
    """A directory of six of the bundled rule files, which speak of no others."""
    directory = tmp_path_factory.mktemp("rules")
    for name in SIX:
        text = (bundled_rules() / f"{name}.yaml").read_text()
        (directory / f"{name}.yaml").write_text(text.replace(", resnet, fastvit]", "]"))
    return directory


@pytest.fixture
def six_rule_sets(own_registry, directory_of_six, monkeypatch):
    """A registry that knows few networks, for what is said where none fits."""
    monkeypatch.setattr(own_registry, "_installed", lambda: [directory_of_six])

"""The bundled rules are found from a checkout, an editable install and an installed wheel."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.support.places import ROOT

pytestmark = pytest.mark.slow

PROBE = """
import lrd_registry
from lrd_registry.registry.default import bundled_rules
print(lrd_registry.__file__)
print(bundled_rules())
print(*(lrd_registry.get_rule_set(name).arch for name in lrd_registry.list_architectures()))
"""


def probe(directory, **environment):
    """The package's file, its rules and their names, as Python started in `directory` sees them."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


BUNDLED = " ".join(sorted(path.stem for path in (ROOT / "rules").glob("*.yaml")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    directory = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", directory, ROOT], check=True)
    (path,) = directory.glob("*.whl")
    return path


def test_a_checkout_that_is_not_installed(tmp_path):
    for part in ("lrd_registry", "rules"):
        shutil.copytree(ROOT / part, tmp_path / part)
    assert probe(tmp_path, PYTHONPATH=str(tmp_path)) == [
        str(tmp_path / "lrd_registry/__init__.py"),
        str(tmp_path / "rules"),
        BUNDLED,
    ]


def test_an_editable_install(tmp_path):
    assert probe(tmp_path) == [
        str(ROOT / "lrd_registry/__init__.py"),
        str(ROOT / "rules"),
        BUNDLED,
    ]


def test_an_installed_wheel(wheel, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    subprocess.run([*pip, wheel], check=True)
    assert probe(tmp_path, PYTHONPATH=str(target)) == [
        str(target / "lrd_registry/__init__.py"),
        str(target / "lrd_registry/rules"),
        BUNDLED,
    ]


def test_the_wheel_holds_the_package_the_rules_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    rules = {name for name in names if name.startswith("lrd_registry/rules/")}
    assert rules == {f"lrd_registry/rules/{path.name}" for path in (ROOT / "rules").iterdir()}
    assert "lrd_registry/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"lrd_registry"}

"""Installed packages bring rule files, and are not imported for it."""

import json
import os
import shutil
import subprocess
import sys
from types import ModuleType

import pytest

from lrd_registry import RegistrationError, RuleFileError
from lrd_registry.registry.default import bundled_rules, installed_directories
from lrd_registry.registry.packages import package_directories
from lrd_registry.registry.registry import Registry
from tests.support.documents import blocks

pytestmark = pytest.mark.slow

POINT = 'my-models = "my_models.rules"'
RULES = 'arch: mynet\nsummary: two layers\nlayers: [stem: "0.**", head: "1.**"]\n'
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "my-models"
version = "1.2"

[tool.hatch.build.targets.wheel]
packages = ["my_models"]

"""
USE = """
import sys
from torch import nn
from lrd_registry import assign_layers

model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
for arch in ("mynet", "auto"):
    print(*(row.layer for row in assign_layers(model, arch).values()))
print("my_models" in sys.modules)
import my_models
"""


def fault(found, point=POINT):
    """The whole message about the package below, of which this is what was found."""
    return (
        f"my-models 1.2 brings no rule files: its entry point `{point}` (group "
        f"lrd_registry.rules) names a folder of them in an installed package, but {found}; "
        "reinstall my-models, or uninstall it"
    )


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def python(site, *arguments):
    """Python as started where the packages in `site` are installed."""
    environment = os.environ | {"PYTHONPATH": str(site)}
    environment.pop("LRD_RULES_PATH", None)
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=site, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A directory into which a package that raises on import has been installed."""
    project, site = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    (documented,) = (text for language, text in blocks("docs/rules.md") if language == "toml")
    write(project / "pyproject.toml", PROJECT + documented)
    write(project / "my_models/__init__.py", "raise RuntimeError('imported')\n")
    write(project / "my_models/rules/mynet.yaml", RULES)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", site, project], check=True)
    return site


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A directory of installed packages that this process sees."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site, value="my_models.rules", name="my-models", point="my-models"):
    """Put into `site` what an installer writes about a package, but for the package."""
    about = site / f"{name.replace('-', '_')}-1.2.dist-info"
    write(about / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    write(about / "entry_points.txt", f"[lrd_registry.rules]\n{point} = {value}\n")


def test_its_rule_sets_are_listed_with_their_source(installed):
    done = python(installed, "-m", "lrd_registry", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row for row in json.loads(done.stdout) if row["arch"] == "mynet"] == [
        {
            "kind": "",
            "arch": "mynet",
            "layouts": ["default"],
            "summary": "two layers",
            "source": str(installed / "my_models/rules/mynet.yaml"),
            "problems": [],
        }
    ]


def test_they_are_used_by_name_and_by_auto_without_importing_the_package(installed):
    done = python(installed, "-c", USE)
    assert done.stdout.splitlines() == ["0 0 1 1", "0 0 1 1", "False"]
    assert done.stderr.splitlines()[-1] == "RuntimeError: imported"


def test_a_package_half_removed_is_one_message_at_the_command_line(installed, tmp_path):
    site = shutil.copytree(installed, tmp_path / "site")
    shutil.rmtree(site / "my_models")
    done = python(site, "-m", "lrd_registry", "list")
    message = fault("no package 'my_models' is installed")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"lrd: {message}\n")


def test_importing_lrd_registry_looks_up_no_packages():
    code = "import sys, lrd_registry.registry.registry; print('importlib.metadata' in sys.modules)"
    assert python(".", "-c", code).stdout == "False\n"


def test_packages_are_looked_up_once(tmp_path):
    calls = []
    write(tmp_path / "mynet.yaml", RULES)
    registry = Registry(lambda: calls.append("asked") or [tmp_path])
    assert [registry.catalog().names() for _ in range(2)] == [["mynet"]] * 2
    assert registry.catalog().get("mynet").arch == "mynet"
    assert calls == ["asked"]


def test_a_folder_that_is_not_there_is_named(site):
    install(site)
    write(site / "my_models/__init__.py", "")
    with pytest.raises(RegistrationError) as caught:
        package_directories()
    assert str(caught.value) == fault(f"there is no folder {site / 'my_models/rules'}")


@pytest.mark.parametrize("package", ["my_models", "", "my-models/"])
def test_a_package_that_is_not_there_is_named(site, package):
    install(site, f"{package}.rules")
    with pytest.raises(RegistrationError) as caught:
        package_directories()
    point = f'my-models = "{package}.rules"'
    assert str(caught.value) == fault(f"no package {package!r} is installed", point)


def test_a_module_is_no_package(site):
    install(site)
    write(site / "my_models.py", "")
    with pytest.raises(RegistrationError, match="no package 'my_models' is installed"):
        package_directories()


def test_a_module_that_stands_in_for_the_package_is_no_package(site, monkeypatch):
    install(site)
    monkeypatch.setitem(sys.modules, "my_models", ModuleType("my_models"))
    with pytest.raises(RegistrationError, match="no package 'my_models' is installed"):
        package_directories()


def test_a_folder_without_a_rule_file_is_named(site):
    install(site)
    write(site / "my_models/rules/README.md", "none yet")
    with pytest.raises(RegistrationError) as caught:
        package_directories()
    folder = site / "my_models/rules"
    assert str(caught.value) == fault(f"no rule file (*.yaml) is in {folder}")


def test_a_rule_file_at_fault_fails_who_asks_for_it(site):
    install(site)
    write(site / "my_models/rules/mynet.yaml", "arch: 3\n")
    registry = Registry(installed_directories)
    assert registry.catalog().get("vit").arch == "vit"
    with pytest.raises(RuleFileError, match=r"mynet\.yaml:1:7: expected text, found `3`"):
        registry.catalog().get("mynet")


def test_a_bundled_name_is_taken_until_it_is_replaced(site):
    install(site)
    mine = site / "my_models/rules/vit.yaml"
    write(mine, RULES.replace("mynet", "vit"))
    registry = Registry(installed_directories)
    with pytest.raises(RegistrationError) as caught:
        registry.catalog().names()
    assert str(caught.value) == (
        f"two rule sets are called 'vit': one from {bundled_rules() / 'vit.yaml'}, one from "
        f"{mine}; rename one, or register yours with replace=True"
    )
    rules = Registry(lambda: [mine.parent]).catalog().get("vit")
    registry.register(rules, "mine", replace=True)
    assert registry.catalog().get("vit") is rules


def test_a_name_in_two_packages_names_both_files(site):
    for name in ("mynet", "other"):
        install(site, f"{name}_models.rules", f"{name}-models")
        write(site / f"{name}_models/rules/mynet.yaml", RULES)
    with pytest.raises(RegistrationError, match="two rule sets are called 'mynet'") as caught:
        Registry(package_directories).catalog().names()
    for name in ("mynet", "other"):
        assert f"one from {site / name}_models/rules/mynet.yaml" in str(caught.value)


def test_a_folder_deep_in_a_package_and_a_package_that_is_the_folder(site):
    install(site, "my_models.vision.rules")
    install(site, "other_models", "other-models", "other")
    write(site / "my_models/vision/rules/mynet.yaml", RULES)
    write(site / "other_models/other.yml", RULES.replace("mynet", "other"))
    assert Registry(package_directories).catalog().names() == ["mynet", "other"]


def test_parts_of_a_namespace_bring_their_folders_each_once(site, monkeypatch):
    second = site / "second"
    monkeypatch.syspath_prepend(second)
    for place, arch in ((site, "mynet"), (second, "other")):
        install(place, name=f"{arch}-models", point=arch)
        write(place / f"my_models/rules/{arch}.yaml", RULES.replace("mynet", arch))
    assert package_directories() == [second / "my_models/rules", site / "my_models/rules"]
    assert Registry(package_directories).catalog().names() == ["mynet", "other"]

"""What `import lrd_registry` brings along: neither torch nor any model library."""

import subprocess
import sys

import pytest

import lrd_registry


def modules_after(code):
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_alone_imports_no_library():
    heavy = {"torch", "timm", "transformers", "pydantic", "yaml", "rich", "typer"}
    assert not modules_after("import lrd_registry") & heavy


RUN_A_MODEL = {"Draft", "Trace", "check_order", "draft", "trace"}


def test_all_that_runs_no_model_imports_no_torch():
    names = ", ".join(sorted(set(lrd_registry.__all__) - RUN_A_MODEL))
    found = modules_after(f"from lrd_registry import {names}")
    assert "pydantic" in found
    assert not found & {"torch", "timm", "transformers", "rich", "typer"}


def test_every_public_name_is_there():
    assert {name for name in lrd_registry.__all__ if getattr(lrd_registry, name)} == set(
        lrd_registry.__all__
    )


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'lrd_registry' has no attribute 'build'$"):
        _ = lrd_registry.build

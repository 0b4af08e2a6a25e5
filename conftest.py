"""Hypothesis profiles, and a registry of its own for each test."""

import os

import pytest
from hypothesis import HealthCheck, settings

from lrd_registry.registry import default
from lrd_registry.registry.registry import Registry

# Networks this small only wait for more threads, and several workers share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, so that a suite that passed passes; `make explore` draws new ones.
settings.register_profile(
    "default",
    max_examples=50,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", settings.get_profile("default"), max_examples=20)
settings.register_profile("ci", settings.get_profile("default"), max_examples=300)
settings.register_profile(
    "explore", settings.get_profile("default"), max_examples=500, derandomize=False
)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """Each test registers into its own; the shell's and other packages' rule files stay out."""
    monkeypatch.delenv(default.RULES_PATH, raising=False)
    fresh = Registry(lambda: [default.bundled_rules()], default.named_directories)
    monkeypatch.setattr(default, "default_registry", fresh)
    return fresh

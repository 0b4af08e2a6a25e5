"""Which releases of the libraries are installed, for tests of what a release brought or changed."""

import platform
import re
from importlib.metadata import version

import pytest
import transformers

from tests.support.places import ROOT

SHOWN = (
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "open_clip_torch",
    "peft",
    "lightning",
    "accelerate",
    "pydantic",
    "pyyaml",
    "typer",
)


def release(distribution: str) -> tuple[int, ...]:
    """The numbers of an installed version.

    >>> release("pytest") >= (8, 0)
    True
    """
    return tuple(map(int, re.findall(r"\d+", version(distribution).partition("+")[0])[:3]))


def pinned_versions(distribution: str) -> set[str]:
    """The versions that `constraints.txt` has, one or several for several Pythons.

    >>> len(pinned_versions("torch"))
    1
    """
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {line.split()[0].partition("==")[2] for line in lines if _is_of(line, distribution)}


def _is_of(line: str, distribution: str) -> bool:
    return line.partition("==")[0] == distribution.replace("_", "-")


def only_as_pinned(distribution: str) -> pytest.MarkDecorator:
    """For tests of exact figures of a library's, which the constraints fix and a release moves."""
    return pytest.mark.skipif(
        not is_pinned(distribution),
        reason=f"{distribution} is {version(distribution)}; the figures are of constraints.txt",
    )


def is_pinned(distribution: str) -> bool:
    """Whether a library is installed in a version of `constraints.txt`."""
    return version(distribution).partition("+")[0] in pinned_versions(distribution)


HAS_NEW_NAMES = release("transformers") >= (5, 10)


OLD_NAMES = "transformers before 5.10 has the names of 4.57, which are tested as recorded"
only_new_names = pytest.mark.skipif(not HAS_NEW_NAMES, reason=OLD_NAMES)


def need_new_names() -> None:
    """Skip a test whose names are those of today's transformers."""
    if not HAS_NEW_NAMES:
        pytest.skip(OLD_NAMES)


def need_type(name: str) -> None:
    """Skip a test of a model type that this release of transformers has not, or no more."""
    library, _, kind = name.partition(":")
    kind = kind.partition(":")[0]
    if library == "hf" and kind not in transformers.CONFIG_MAPPING:
        pytest.skip(f"transformers {transformers.__version__} has no {kind}")


def main() -> None:
    """Print the versions as a row of the table in docs/versions.md."""
    found = [platform.python_version(), *(version(name) for name in SHOWN)]
    print(f"| {' | '.join(['Python', *SHOWN])} |\n| {' | '.join(found)} |")


if __name__ == "__main__":
    main()

"""The process of one target: `python -m fuzz.process TARGET [option of libFuzzer]...`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["lrd_registry"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Hand the target to atheris, which ends the process."""
    program, target, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

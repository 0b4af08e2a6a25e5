"""Where the tests find the project's files, and their own data."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data"
REFERENCES = DATA / "reference_layers"
RULES = ROOT / "rules"

"""The blocks of code in the README and in docs/."""

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(path):
    return [(lang, dedent(text)) for lang, text in BLOCK.findall((ROOT / path).read_text())]

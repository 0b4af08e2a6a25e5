"""The blocks of code in the README and in docs/."""

import re
from textwrap import dedent

from tests.support.places import ROOT

BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(path):
    return [(lang, dedent(text)) for lang, text in BLOCK.findall((ROOT / path).read_text())]

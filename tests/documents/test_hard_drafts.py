"""The drafts of hard models in the guide are those that are printed."""

import contextlib
import io
import shlex

import pytest

from tests.support.documents import blocks

BLOCKS = blocks("docs/hard_drafts.md")
PAIRS = list(zip(BLOCKS[::2], BLOCKS[1::2], strict=True))


def printed(language, code, lrd):
    if language == "console":
        _, _, *arguments = shlex.split(code)
        return lrd(*arguments)[1]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "docs/hard_drafts.md", "exec"), {})
    return output.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=["towers", "encoder-decoder", "u-net", "detector"])
def test_a_draft_in_the_guide_is_what_is_printed(pair, lrd):
    (language, code), (kind, expected) = pair
    assert kind == "text"
    assert printed(language, code, lrd) == expected

"""The shapes of a model's inputs, as the command line gives them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from lrd_registry.errors import InvalidArgumentError
from lrd_registry.wording import clip

Shapes: TypeAlias = "list[tuple[int, ...]] | dict[str, tuple[int, ...]]"

InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE",
        help="What the model takes, where it does not say: 1,3,224,224, or NAME=1,77 for an "
        "argument by name; once for each.",
        show_default=False,
    ),
]


def parse_shapes(texts: list[str] | None) -> Shapes | None:
    """The shapes of all inputs, by name if they have names; None without any.

    Raises:
        InvalidArgumentError: one is no shape, or some have names and others none.

    >>> parse_shapes(["1,3,32,32"]), parse_shapes(["input_ids=1,7"])
    ([(1, 3, 32, 32)], {'input_ids': (1, 7)})
    """
    if not texts:
        return None
    pairs = [text.rpartition("=") for text in texts]
    shapes = {text: _shape(shape, text) for text, (_, _, shape) in zip(texts, pairs, strict=True)}
    names = [name for name, _, _ in pairs if name]
    if not names:
        return list(shapes.values())
    if len(names) < len(texts):
        raise InvalidArgumentError(
            f"--input: give all inputs by name, or none; found {', '.join(map(clip, texts))}"
        )
    return dict(zip(names, shapes.values(), strict=True))


INFERS = "where its layers are drafted (infer); these come from a rule set, so leave it out"
TRACES = "to check the order; add --trace, or leave it out"


def shapes_to_run(texts: list[str] | None, when: str, *, runs: bool) -> Shapes | None:
    """The shapes of all inputs, for a command that runs the model in one case alone.

    Args:
        texts: what `--input` has.
        when: the case, and what to do in another.
        runs: whether it is that case.

    Raises:
        InvalidArgumentError: there are some, and nothing is run.
    """
    if texts and not runs:
        raise InvalidArgumentError(
            f"--input is what the model is run on {when}; found --input {clip(texts[0])}"
        )
    return parse_shapes(texts)


def _shape(shape: str, text: str) -> tuple[int, ...]:
    sizes = shape.split(",")
    if not all(size.strip().isdecimal() for size in sizes):
        raise InvalidArgumentError(
            f"--input: a shape is numbers with commas between, such as 1,3,224,224; found "
            f"{clip(text)!r}"
        )
    return tuple(map(int, sizes))

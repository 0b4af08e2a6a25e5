"""`lrd init`: a first rule file for a model, drafted from its modules and a forward pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from lrd_registry.cli.options import Help, ModelName
from lrd_registry.cli.shapes import InputOption, parse_shapes
from lrd_registry.errors import InvalidArgumentError


def init(
    model: ModelName,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The rule file to write; printed, if left out."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What to call the architecture; the model's name, if left out."),
    ] = None,
    inputs: InputOption = None,
    _help: Help = False,
) -> None:
    """Draft a rule file for a model that no rule set knows; read it before you use it."""
    from lrd_registry.drafting import draft
    from lrd_registry.models import build_model

    if output is not None and output.exists():
        raise InvalidArgumentError(f"{output} is there already; give another -o, or remove it")
    built = build_model(model)
    drafted = draft(built, name or _arch(model), inputs=parse_shapes(inputs))
    if output is None:
        print(drafted, end="")
    else:
        drafted.save(output)
        print(f"{output}: drafted; read it, then try it: lrd check {output} {model} --trace")


def _arch(model: str) -> str:
    """A rule set's name for a model: the last part of the model's, in letters and digits.

    >>> _arch("hf:vit:ViTModel"), _arch("timm:resnet18.a1_in1k"), _arch("my_models/net.safetensors")
    ('ViTModel', 'resnet18', 'net')
    >>> _arch("hf:runs/my_bert/config.json"), _arch("hf:runs/my_bert:BertModel")
    ('my_bert', 'BertModel')
    """
    last = re.split(r"[:/\\]", model.removesuffix("/config.json"))[-1].split(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "_", last) or "model"

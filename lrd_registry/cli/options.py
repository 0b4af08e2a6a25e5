"""The options that commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        print(context.get_help())
        raise typer.Exit


# In place of typer's own, for which it imports and builds a pydantic adapter at every start.
Help = Annotated[
    bool, typer.Option("--help", is_eager=True, callback=_show_help, help="Show this and exit.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ArchOption = Annotated[
    str,
    typer.Option(
        help="A rule set's name, a rule file's path, auto: the one that fits, or infer: one "
        "drafted from the model."
    ),
]
PrefixOption = Annotated[
    str | None, typer.Option(help="Where the backbone is in the model, such as model.backbone.")
]
OutsideOption = Annotated[
    Literal["error", "head"], typer.Option(help="What becomes of parameters beside the prefix.")
]
LayersByOption = Annotated[
    str,
    typer.Option(
        metavar="BY",
        help="How finely blocks are told apart: published, as the rule file has it; block; "
        "stage; or a number of neighbouring blocks.",
    ),
]
ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="timm:NAME, plainly NAME, hf:TYPE[:CLASS], hf:PATH of a config.json, "
        "torchvision:NAME, package.module:callable, a .safetensors file, a "
        ".safetensors.index.json, or a .txt file of parameter names.",
        show_default=False,
    ),
]
RuleName = Annotated[
    str, typer.Argument(metavar="RULE", help="A rule set's name, or a rule file's path.")
]

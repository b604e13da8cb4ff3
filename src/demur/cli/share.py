"""`demur card`, `demur merge` and `demur gguf`: a tuned model on its way to others."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demur.cli.output import say

if TYPE_CHECKING:
    from demur.share import Shared

Run = Annotated[Path, typer.Argument(help="A finished run's folder.")]
System = Annotated[str | None, typer.Option(help="By default the run's method.")]
Name = Annotated[str | None, typer.Option(help="Of the repository on the Hub: OWNER/NAME.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")]


def card(run: Run, system: System = None, name: Name = None, as_json: AsJson = False) -> None:
    """Write a model card into the folder of a tuned or fitted system, ready for `hf upload`.

    Example: `demur card runs/mine --name me/my-honest-model`
    """
    from demur.core.console import quiet_libraries

    quiet_libraries()
    from demur.share import write_card

    _say(write_card(run, system=system, name=name), as_json=as_json)


def merge(
    run: Run,
    out: Annotated[Path, typer.Option(help="Folder to write; it must not hold anything yet.")],
    system: System = None,
    dtype: Annotated[
        str, typer.Option(help="auto (the base model's own), float32, bfloat16 or float16.")
    ] = "auto",
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Merge an adapter into its base model: whole weights that need neither PEFT nor the base.

    Example: `demur merge runs/mine --out models/mine`
    """
    from demur.core.console import quiet_libraries

    quiet_libraries()
    from demur.share import merge_run

    _say(merge_run(run, out, system=system, dtype=dtype, name=name), as_json=as_json)


def gguf(
    run: Run,
    out: Annotated[Path, typer.Option(help="The .gguf file to write; its demur.json lies beside it.")],
    system: System = None,
    type: Annotated[str, typer.Option(help="f16, f32 or q8_0.")] = "f16",
    converter: Annotated[
        Path | None,
        typer.Option(help="A checkout of llama.cpp, or its script; by default what LLAMA_CPP_DIR names."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Convert a tuned model for llama.cpp, with llama.cpp's own converter.

    Example: `demur gguf runs/mine --out mine.gguf --converter ../llama.cpp`
    """
    from demur.core.console import quiet_libraries

    quiet_libraries()
    from demur.share import convert_run

    files = convert_run(run, out, system=system, type=type, converter=converter)
    if as_json:
        typer.echo(json.dumps({"files": [str(file) for file in files]}))
        return
    for file in files:
        say(file)


def _say(shared: Shared, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(shared), default=str))
        return
    say(shared.card)
    for change in shared.mended:
        say(f"base model's path removed: {change}")
    for notice in shared.notices:
        say(f"note: {notice}", err=True)
    if shared.weights != shared.system:
        say(f"these are the weights of {shared.weights}, which {shared.system} asks")
    say(f"to share it: {shared.upload}")

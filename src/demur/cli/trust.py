"""`demur trust`: allow what the settings of somebody else's folder do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from demur.cli.output import say


def trust(
    folder: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for other tools; signs only with --yes.")
    ] = False,
) -> None:
    """Show what a folder from somebody else would do, and sign it if you agree.

    Its settings then act as in a run of your own, until one of the signed files changes.

    Example: `demur trust runs/from-a-colleague`
    """
    from demur.core.signing import is_signed, seal, write_seal
    from demur.core.trust import shown, what_it_does

    _check(folder)
    # Sealed before it is looked at: what changes after the look makes the signature invalid.
    value, signed, found = seal(folder), is_signed(folder), what_it_does(folder)
    if not as_json:
        said = "would do more than read weights and data" if found else "only reads weights and data"
        say(f"{folder}: {'signed by you' if signed else 'not signed by you'}; {said}")
        for line in shown(found):
            say(f"  {line}")
    if yes or not (as_json or signed):
        if not yes:
            typer.confirm("Trust this folder?", abort=True)
        write_seal(folder, value)
        signed = True
        if not as_json:
            say("signed")
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "settings": found, "signed": signed}))


def _check(folder: Path) -> None:
    """Raise unless this is a folder that can be signed.

    Raises:
        RunFolderError: it is neither a run's nor a model's, it is a run without its configuration, links
            lead out of it, or it holds a pipe.
    """
    from demur.core.errors import RunFolderError
    from demur.core.files import check_links, check_plain
    from demur.core.layout import CARD, CONFIG
    from demur.core.signing import is_run

    if not is_run(folder) and not (folder / CARD).exists():
        raise RunFolderError(
            expected=f"a run folder (config.yaml, manifest.json) or a model folder ({CARD})",
            found="neither" if folder.is_dir() else "no such folder",
            where=str(folder),
            fix="name the folder that `demur run --out` wrote, or systems/SYSTEM/model in it",
        )
    if is_run(folder) and not (folder / CONFIG).exists():
        raise RunFolderError(
            expected=f"the {CONFIG} of the run, which says what it would do",
            found="no such file",
            where=str(folder / CONFIG),
            fix="take it from a copy of the run, or ask for the folder anew",
        )
    check_plain(folder)
    if is_run(folder):
        check_links(folder)

"""`demur data`: which datasets there are, what stands in a file, and what may be wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from demur.cli.files import FileCommand, FileOptions
from demur.cli.output import json_text, say
from demur.cli.settings import AsJson, as_command

data_app = typer.Typer(no_args_is_help=True, help="Datasets: list them, look into files, check them.")

SHOWN = 5
"""Questions shown where nothing else is asked for."""


@data_app.command("list")
def list_datasets(as_json: AsJson = False) -> None:
    """Every dataset: what it is, its parts, its licence, and what --path must name."""
    from demur.core.console import print_wide
    from demur.datasets.inspection import catalogue, catalogue_table

    if as_json:
        typer.echo(json.dumps(catalogue(), indent=2))
        return
    print_wide(catalogue_table())


@dataclass(frozen=True, kw_only=True)
class ShowOptions(FileOptions):
    """What `demur data show` is given."""

    source: Annotated[str, typer.Argument(help="Dataset name or question file.")]
    path: Annotated[Path | None, typer.Option("--path", help="The dataset's file or folder.")] = None
    split: Annotated[str | None, typer.Option(help="Only this part: train, test, test/ood, …")] = None
    limit: Annotated[int | None, typer.Option(help="Show at most N questions.", min=1)] = None
    as_json: AsJson = False


def show(given: ShowOptions) -> None:
    """Show the questions of a dataset or file, before anything is dropped."""
    from demur.core.console import print_wide
    from demur.datasets.inspection import of_split, question_row, read_raw, shown

    name, path = given.source, given.path
    if given.name is not None:  # then what stands first is the file
        name, path = given.name, path or Path(given.source)
    raw = read_raw(name, path, given.settings())
    chosen = of_split(raw.questions, given.split, where=str(path or name), notes=raw.notes)
    if given.as_json:
        _print_rows(map(question_row, islice(chosen, given.limit)))
        return
    print_wide(*shown(raw, chosen, SHOWN if given.limit is None else given.limit))


@dataclass(frozen=True, kw_only=True)
class CheckOptions(FileOptions):
    """What `demur data check` is given."""

    path: Annotated[Path, typer.Argument(help="Question file or folder.")]
    as_json: AsJson = False


def check(given: CheckOptions) -> None:
    """Read every record, and look for repeats, leaks, contradictions, giveaways and imbalance."""
    from demur.datasets.inspection import check_file, check_lines

    found = check_file(given.path, given.name, given.settings())
    if given.as_json:
        typer.echo(json_text(found, indent=2))
        return
    for line in check_lines(found):
        say(line)


data_app.command("show", cls=FileCommand)(as_command(show, ShowOptions))
data_app.command("check", cls=FileCommand)(as_command(check, CheckOptions))


def _print_rows(rows: Iterable[dict[str, Any]]) -> None:
    """One JSON array, a row a line."""
    typer.echo("[", nl=False)
    for number, row in enumerate(rows):
        typer.echo(("," if number else "") + "\n" + json_text(row), nl=False)
    say("\n]")

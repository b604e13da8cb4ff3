"""`demur data`: which datasets there are, what stands in a file, and what may be wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

data_app = typer.Typer(no_args_is_help=True, help="Datasets: list them, look into files, check them.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")]
DatasetPath = Annotated[Path | None, typer.Option("--path", help="The file or folder to read.")]
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


@data_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A dataset's name, or a file of your own.")],
    path: DatasetPath = None,
    split: Annotated[str | None, typer.Option(help="Only this part: train, test, test/ood, …")] = None,
    limit: Annotated[int | None, typer.Option(help="So many questions at most.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """The questions of a dataset as they are asked, before anything is dropped."""
    from demur.core.console import print_wide
    from demur.datasets.inspection import of_split, question_row, read_raw, shown

    raw = read_raw(name, path)
    chosen = of_split(raw.questions, split, where=str(path or name))
    if as_json:
        _print_rows(map(question_row, islice(chosen, limit)))
        return
    print_wide(*shown(raw, chosen, SHOWN if limit is None else limit))


@data_app.command("check")
def check(
    path: Annotated[Path, typer.Argument(help="A question file or folder.")],
    name: Annotated[str | None, typer.Option(help="Read it as this dataset; else recognised.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read every record, and look for repeats, leaks, contradictions, giveaways and imbalance."""
    from demur.datasets.inspection import check_file, check_lines

    found = check_file(path, name)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for line in check_lines(found):
        typer.echo(line)


def _print_rows(rows: Iterable[dict[str, Any]]) -> None:
    """One JSON array, a row a line."""
    typer.echo("[", nl=False)
    for number, row in enumerate(rows):
        typer.echo(("," if number else "") + "\n" + json.dumps(row, ensure_ascii=False), nl=False)
    typer.echo("\n]")

"""`demur claims`: what the papers claim, put to the test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demur.cli.settings import AsJson

if TYPE_CHECKING:
    from demur.claims.claims import Proof
    from demur.claims.places import Place
    from demur.core.errors import DemurError


class LabOption(StrEnum):
    """Where claims are put to the test."""

    POCKET = "pocket"
    REAL = "real"
    BOTH = "both"


def claims(
    out: Annotated[Path, typer.Option(help="Folder of the runs; what is done there is kept.")] = Path(
        "runs/claims"
    ),
    lab: Annotated[
        LabOption, typer.Option(help="pocket: small models of a made-up world; real: pretrained ones.")
    ] = LabOption.POCKET,
    place: Annotated[list[str] | None, typer.Option(help="Only these models and questions.")] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="DATASET:PATH of published questions; real models need them."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="How many; left out: 8 worlds, 5 readers, 3 of real models.", min=1)
    ] = None,
    cells: Annotated[
        Path | None, typer.Option(help="Folder of the stored results; default: cells, in --out.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two seeds, few questions: a look, no proof.")
    ] = False,
    no_runs: Annotated[
        bool, typer.Option("--no-runs", help="Judge the stored results; make no runs.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(help="Runs at once.", min=1)] = None,
    page: Annotated[Path | None, typer.Option(help="Also write the page, and its pictures, there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put every claim of the papers to the test, each with an interval and a verdict.

    The results of each seed are stored as a small file; the verdicts use all stored results.
    """
    from demur.claims.claims import Proof, as_json_values, check_claims, kept_cells, make_cells
    from demur.claims.page import markdown
    from demur.claims.picture import write_pictures
    from demur.core.console import Terminal, print_shown
    from demur.core.errors import plain
    from demur.core.files import write_text
    from demur.pipeline.study import failures

    folder = out / "quick" if quick else out
    proof = Proof(
        places=_places(lab, place),
        seeds=seeds,
        out=folder,
        kept=folder / "cells" if cells is None or quick else cells,
        data=_data(data or []),
        quick=quick,
    )
    problem = None if no_runs else failures(make_cells(proof, jobs=jobs, note=Terminal().note))
    kept = kept_cells(proof)
    if not kept:
        raise problem or _no_cells(proof)
    findings = check_claims(kept, quick=quick)
    text = markdown(findings, kept, command="demur claims" + (" --quick" if quick else f" --lab {lab}"))
    for target in (folder / "claims.md", *([] if page is None else [page])):
        write_text(target, text)
        write_pictures(findings, target.parent)
    if as_json:
        typer.echo(json.dumps(as_json_values(findings)))
    else:
        from rich.markdown import Markdown

        print_shown(Markdown(plain(text)))
    if problem is not None:
        raise problem


def _no_cells(proof: Proof) -> DemurError:
    from demur.core.errors import RunFolderError

    return RunFolderError(
        expected="cells, with the settings of this version",
        found="none",
        where=str(proof.kept),
        fix="leave --no-runs out to make them, or name their folder with --cells",
    )


def _places(lab: LabOption, names: Sequence[str] | None) -> list[Place]:
    from demur.claims.places import PLACES
    from demur.core.errors import UnknownNameError

    if names:
        for name in names:
            if name not in PLACES:
                raise UnknownNameError("place", name, PLACES, "--place")
        return [PLACES[name] for name in names]
    return [place for place in PLACES.values() if lab is LabOption.BOTH or place.lab == lab.value]


def _data(given: Sequence[str]) -> dict[str, Path]:
    from demur.core.errors import ConfigError

    split = [item.partition(":") for item in given]
    if wrong := [item for item, (name, _, path) in zip(given, split, strict=True) if not (name and path)]:
        raise ConfigError(
            expected="where the questions lie, as DATASET:PATH",
            found=wrong[0],
            where="--data",
            fix="such as --data atlas:data/atlas",
        )
    return {name: Path(path) for name, _, path in split}

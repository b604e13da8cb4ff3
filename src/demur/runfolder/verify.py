"""Whether the files of a run are those that it wrote, told file by file; every byte is read."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from demur.core.errors import RunFolderError
from demur.core.files import check_links
from demur.core.layout import MANIFEST
from demur.core.signing import is_signed
from demur.runfolder import digests

WHOLE, CHANGED, MISSING, ADDITIONAL = "whole", "changed", "missing", "additional"
"""What is said of a file: as it was written, another content, gone, not written by the run."""


def verify(root: Path) -> dict[str, Any]:
    """Compare every file of a run with what was recorded when it was written.

    Returns:
        JSON values: ``run``, ``whole`` (no file changed or missing), ``signed`` (by this
        user, and unchanged since), ``manifest`` (None, or what is wrong with it), ``files`` (the state of
        each by its path: `WHOLE`, `CHANGED`, `MISSING` or `ADDITIONAL`) and ``counts`` of the states.
        Where the manifest cannot be used, nothing is known of the other files and ``files`` is empty.

    Raises:
        RunFolderError: this is no run folder, links lead out of it, or its manifest has no digests.
    """
    check_links(root)
    path = root / MANIFEST
    if not path.is_file():
        raise RunFolderError(
            expected=f"a run folder with its {MANIFEST}",
            found=f"no {MANIFEST}" if root.is_dir() else "no such folder",
            where=str(root),
            fix="name the folder that `demur run --out` wrote",
        )
    values, problem = _manifest(path)
    if problem is None and digests.FILES not in values:
        raise RunFolderError(
            expected="a run whose files were recorded when they were written",
            found="a run of Demur 0.1, which did not record them",
            where=str(root),
            fix=f"record them as they are now: demur verify {shlex.quote(str(root))} --accept",
        )
    files = _states(root, values[digests.FILES]) if problem is None else {}
    counts = {state: list(files.values()).count(state) for state in (WHOLE, CHANGED, MISSING, ADDITIONAL)}
    return {
        "run": str(root),
        "whole": problem is None and not counts[CHANGED] and not counts[MISSING],
        "signed": is_signed(root),
        "manifest": problem,
        "files": files,
        "counts": counts,
    }


def _manifest(path: Path) -> tuple[digests.Record, str | None]:
    """The manifest, or what is wrong with it."""
    try:
        return digests.read_manifest(path), None
    except RunFolderError as error:
        return {}, error.found


def _states(root: Path, records: dict[str, digests.Record]) -> dict[str, str]:
    found = {}
    for name, record in records.items():
        file = root / name
        if file.is_file():
            found[name] = WHOLE if digests.is_as_recorded(file, record, every_byte=True) else CHANGED
        else:
            found[name] = MISSING
    there = {file.relative_to(root).as_posix() for file in digests.finished_files(root)}
    return dict(sorted({**found, **dict.fromkeys(there - records.keys(), ADDITIONAL)}.items()))

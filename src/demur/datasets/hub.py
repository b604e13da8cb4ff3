"""Datasets of the Hugging Face Hub, by name: fetched once by the `datasets` library, then read as files.

``hub:OWNER/NAME`` stands wherever a path may, with ``:CONFIG`` for one of its configurations and
``@REVISION`` for a branch, tag or commit. No code of a dataset is run.
"""

from __future__ import annotations

import re
from pathlib import Path

from demur.core.errors import ConfigError, DataError, DemurError
from demur.core.files import atomic_folder, digest, user_cache

PREFIX = "hub:"
_ADDRESS = re.compile(r"hub:(?P<name>[\w.-]+(/[\w.-]+)?)(:(?P<config>[\w.-]+))?(@(?P<revision>[\w./-]+))?")


def is_address(path: Path | str) -> bool:
    """Whether a path is an address of the Hub."""
    return str(path).startswith(PREFIX)


def local(path: Path) -> Path:
    """The path itself, or the folder that a dataset of the Hub was fetched to."""
    return fetch(str(path)) if is_address(path) else path.expanduser()


def fetch(address: str, *, cache: Path | None = None) -> Path:
    """A folder with a Parquet file for each split of a dataset; fetched unless it was before.

    Args:
        address: ``hub:OWNER/NAME[:CONFIG][@REVISION]``.
        cache: where fetched datasets are kept; by default Demur's folder in the user's cache.

    Raises:
        ConfigError: this is no such address, or the `datasets` library is missing.
        DataError: there is no such dataset, it cannot be reached, or it only comes as code.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ConfigError(
            expected="hub:OWNER/NAME, with :CONFIG or @REVISION behind it where wanted",
            found=repr(address),
            where="--data.path",
            fix="copy the name from the dataset's page",
        )
    name, config, revision = match["name"], match["config"], match["revision"]
    folder = (
        (cache or user_cache()) / "hub" / f"{name.replace('/', '--')}-{digest([name, config, revision])}"
    )
    if not folder.is_dir():
        _save(address, name, config, revision, folder)
    return folder


def _save(address: str, name: str, config: str | None, revision: str | None, folder: Path) -> None:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            expected="the datasets library, which fetches from the Hub",
            found="it is not installed",
            where=address,
            fix='pip install "demur[train]"',
        ) from error
    try:
        parts = datasets.load_dataset(name, config, revision=revision)
        with atomic_folder(folder) as unfinished:
            for split, rows in parts.items():
                rows.to_parquet(unfinished / f"{split}.parquet")
    except DemurError:
        raise
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise DataError(
            expected="a dataset of the Hugging Face Hub, and a way to reach it",
            found=" ".join(str(error).split())[:300],
            where=address,
            fix="check the name and the network, or fetch the files elsewhere and name their folder",
        ) from error

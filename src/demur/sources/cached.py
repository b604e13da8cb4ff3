"""Converted models in the user's cache folder, by the SHA-256 of the file that they were made of."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
from pathlib import Path
from typing import IO, Any

from demur.core.errors import ResourceError
from demur.core.files import user_cache
from demur.sources.converting import CONVERSION, STAMP, Converted, convert
from demur.sources.header import read_header

CHANGED = 315_532_800
"""When every file of a converted folder was changed, as far as its times say (1980): a folder that is
converted again counts as the same model."""


def folder_of(digest: str) -> Path:
    """Where the model of a GGUF file is, or will be, by the file's SHA-256 in hex."""
    return user_cache() / "models" / digest


def cached_folder(file: Path) -> Path:
    """Where the conversion of a GGUF file is, or will be."""
    return folder_of(_sha256(file))


def ensure_converted(file: Path) -> Path:
    """Folder of a GGUF file's model: from the cache, or converted now.

    Raises:
        ModelError, ConfigError: as `convert`.
    """
    return convert_cached(file).folder


def convert_cached(file: Path) -> Converted:
    """As `ensure_converted`, with what is known of the model. Several processes may ask at once."""
    read_header(file)  # says what is wrong with the file before it is hashed whole
    digest = _sha256(file)
    folder = folder_of(digest)
    found = look(folder, digest)
    if found is not None:
        return found
    with _lock(folder) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when it is closed
        found = look(folder, digest)
        if found is None:
            found = convert(file, folder, digest=digest)
            for path in folder.iterdir():
                os.utime(path, (CHANGED, CHANGED))
    return found


def _lock(folder: Path) -> IO[str]:
    """An open file for the lock of a folder in the cache, which is made where it is missing.

    Raises:
        ResourceError: the cache folder cannot be written to.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder.with_name(f"{folder.name}.lock").open("w")
    except OSError as error:
        raise ResourceError(
            expected="a cache folder for converted models that can be written to",
            found=os.strerror(error.errno or 0).lower(),
            where=str(folder.parent),
            fix="set XDG_CACHE_HOME to a folder that you can write to",
        ) from error


def look(folder: Path, digest: str) -> Converted | None:
    """A converted folder, where it is whole, of this file, and made as this version makes it; else None."""
    stamp = _stamp(folder)
    if stamp.get("conversion") != CONVERSION or stamp.get("sha256") != digest:
        return None
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.name != STAMP}
    if stamp.get("files") != sizes:
        return None
    return Converted(
        folder=folder,
        architecture=stamp["architecture"],
        parameters=stamp["parameters"],
        chat=stamp["chat"],
        warnings=tuple(stamp["warnings"]),
    )


def _stamp(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sha256(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _sha256(file: Path) -> str:
    """`sha256`, taken once a process for a file that does not change."""
    status = file.stat()
    return _remembered(file.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _remembered(file: Path, _size: int, _changed: int) -> str:
    return sha256(file)

"""Digests of the files of a run: what is recorded when a file is written, and compared when it is read.

``manifest.json`` holds under ``files`` what each finished file of the run was, and under ``digest`` what
the manifest itself says. They find damage and changes by mistake. They do not find malice: who can write
the folder can write its digests too. What a folder may do is decided by its signature (`demur.core.trust`).
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from demur.core.errors import RunFolderError
from demur.core.files import (
    ASIDE_SUFFIX,
    PARTIAL_SUFFIX,
    digest,
    file_digest,
    parse_json,
    read_object,
)
from demur.core.layout import CARD, CONFIG, EXPORTS, MANIFEST, README, SIGNATURE, WORK
from demur.runfolder import shapes

SCHEMA_VERSION = 2
"""Of the manifest. Version 1 (Demur 0.1) has no digests; runs with it are read without looking at any."""
FILES, OWN = "files", "digest"
"""In the manifest: the digest of each file by its path, and of the manifest without this key."""
WHOLE = 64 * 2**20
"""Weights up to so many bytes are hashed whole."""
HEAD, BLOCK, BLOCKS = 2**20, 64 * 2**10, 256
"""Of larger ones: the first bytes, and so many blocks of so many bytes, evenly spaced."""
MODEL_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".txt", ".tiktoken", ".py")
"""Of the files of a model folder that decide what the model says."""
NOT_THE_MODEL = (CARD, SIGNATURE, README)
"""Files with these endings that do not."""
PLACES = ("base_model_name_or_path", "_name_or_path", "name_or_path")
"""Settings that say where a model came from. `demur card` rewrites them; they are no part of a digest."""

Record = dict[str, Any]


def weights_digest(path: Path) -> str:
    """A digest of a file that is quick to take at any size.

    Up to 64 MiB it is `file_digest`, of every byte. Beyond, it covers the size, the first MiB (where
    safetensors names its tensors, their types and shapes) and 256 blocks of 64 KiB, evenly spaced over the
    whole file to its last byte: other training changes those everywhere. A change by hand that is shorter
    than 1/256 of the file can be missed; `demur verify` reads every byte.
    """
    size = path.stat().st_size
    if size <= WHOLE:
        return file_digest(path)
    found = hashlib.sha256(f"{size}".encode())
    with path.open("rb") as handle:
        found.update(handle.read(HEAD))
        for number in range(BLOCKS):
            handle.seek(number * (size - BLOCK) // (BLOCKS - 1))
            found.update(handle.read(BLOCK))
    return f"sampled-{found.hexdigest()[:16]}"


def weights_of(folder: Path) -> dict[str, str]:
    """The digest of each file of a model folder that decides what the model says, by its name.

    Weights, those that an index names in folders below among them; settings, tokenizer and chat template.
    Settings are compared without the place that they say the model came from. Empty where there are no
    weights.
    """
    if not folder.is_dir() or not any(folder.glob("*.safetensors")):
        return {}
    return {
        file.relative_to(folder).as_posix(): _of_model_file(file) for file in sorted(_model_files(folder))
    }


def _model_files(folder: Path) -> Iterator[Path]:
    for file in folder.iterdir():
        if file.suffix in MODEL_SUFFIXES and file.name not in NOT_THE_MODEL and file.is_file():
            yield file
    for index in folder.glob("*.safetensors.index.json"):
        for name in _named_by(index):
            file = folder / name
            if file.parent != folder and file.is_file() and _stays_inside(name):
                yield file


def _named_by(index: Path) -> set[str]:
    """The files that an index of divided weights names."""
    try:
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return {name for name in named if isinstance(name, str)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()  # whoever opens the model will say so


def _of_model_file(file: Path) -> str:
    if file.suffix == ".json":
        try:
            values = parse_json(file.read_bytes())
        except (ValueError, RecursionError):
            return file_digest(file)
        if isinstance(values, dict) and any(name in values for name in PLACES):
            return digest({name: value for name, value in values.items() if name not in PLACES})
    return weights_digest(file)


# -- records of files ----------------------------------------------------------------------------


def record_of(path: Path) -> Record:
    """What a file is: its size in bytes, its SHA-256, and for large ones also `weights_digest`."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        found: Record = {"bytes": size, "sha256": hashlib.file_digest(handle, "sha256").hexdigest()}
    return found if size <= WHOLE else {**found, "sampled": weights_digest(path)}


def is_as_recorded(path: Path, record: Mapping[str, Any], *, every_byte: bool = False) -> bool:
    """Whether a file is what it was.

    Args:
        every_byte: read the whole of large files too, which are otherwise sampled.
    """
    size = path.stat().st_size
    if size != record["bytes"]:
        return False
    if size > WHOLE and not every_byte and "sampled" in record:
        return weights_digest(path) == str(record["sampled"])
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() == str(record["sha256"])


def files_below(path: Path) -> Iterator[Path]:
    """A file, or the files of a folder, without those that are signed by themselves."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    yield from (file for file in files if file.is_file() and file.name != SIGNATURE)


def finished_files(root: Path) -> Iterator[Path]:
    """The files of a run that have a record: not manifest, signatures, exports, unfinished work."""
    for file in files_below(root):
        parts = file.relative_to(root).parts
        unfinished = file.name.endswith((PARTIAL_SUFFIX, ASIDE_SUFFIX))
        if parts[0] not in (MANIFEST, WORK, EXPORTS) and not unfinished and not file.is_symlink():
            yield file


# -- the manifest --------------------------------------------------------------------------------


def sealed(values: Mapping[str, Any]) -> Record:
    """A manifest with the digest of what it says, as JSON values."""
    plain = json.loads(json.dumps(values, allow_nan=False))
    return {**plain, OWN: _own(plain)}


def _own(values: Mapping[str, Any]) -> str:
    return digest({name: value for name, value in values.items() if name != OWN})


def read_manifest(path: Path, **shape: type) -> Record:
    """The manifest of a run.

    Args:
        shape: what it must have, by name.

    Raises:
        RunFolderError: it cannot be read, was changed after it was written, or a newer Demur wrote it.
        FileNotFoundError: there is none.
    """
    values = read_object(path, **shape)
    if wrong := shapes.problem(shapes.Manifest, values):
        raise _unusable(path, f"no valid {wrong}")
    version = values.get("schema_version", 1)
    if type(version) is not int or version > SCHEMA_VERSION:
        raise _unusable(path, f"schema_version {version!r}, of a newer Demur or damaged")
    if version < SCHEMA_VERSION and FILES not in values and OWN not in values:
        return values
    if not isinstance(values.get(FILES), dict) or values.get(OWN) != _own(values):
        raise _unusable(path, "a manifest that was changed after it was written")
    if bad := [name for name, record in values[FILES].items() if not _is_record(name, record)]:
        raise _unusable(path, f"an entry that is none under {FILES}: {bad[0]!r}")
    return values


def _is_record(name: str, record: Any) -> bool:
    texts = isinstance(record, dict) and isinstance(record.get("sha256"), str)
    return texts and type(record.get("bytes")) is int and _stays_inside(name)


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name and bool(path.parts)


def _unusable(path: Path, found: str) -> RunFolderError:
    return RunFolderError(
        expected="the manifest as Demur wrote it",
        found=found,
        where=str(path),
        fix="take the file from a copy of the run, or delete it and run the same command again: what it "
        "recorded is made anew",
    )


def changed(root: Path, records: Mapping[str, Record], paths: Iterable[Path]) -> list[str]:
    """The recorded files at some paths or below them that are missing or changed, by name; sampled."""
    names = [path.relative_to(root).as_posix() for path in paths]
    wrong = []
    for name, record in records.items():
        if any(name == own or name.startswith(f"{own}/") for own in names):
            file = root / name
            if not file.is_file() or not is_as_recorded(file, record):
                wrong.append(name)
    return wrong


def unfit(path: Path, expected: str, found: str) -> RunFolderError:
    """What is raised where a file of a run holds something else than Demur writes."""
    return RunFolderError(
        expected=expected,
        found=found,
        where=str(path),
        fix="take the file from a copy of the run, or delete it and run `demur run` again",
    )


def model_changed(root: Path, model: Path, names: Iterable[str]) -> RunFolderError:
    """What is raised where a run is resumed with a tuned model that is not what training wrote."""
    return RunFolderError(
        expected="the tuned model as training wrote it",
        found=f"changed since: {', '.join(sorted(names))}",
        where=str(model),
        fix=f"delete the folder to train it again (rm -r {shlex.quote(str(model))}); where you changed it "
        f"on purpose, `demur verify {shlex.quote(str(root))} --accept` records it as it is",
    )


def changed_error(root: Path, names: Iterable[str]) -> RunFolderError:
    """What is raised where a file of a run is read that is not what was written."""
    again = f"demur run {shlex.quote(str(root / CONFIG))}"
    return RunFolderError(
        expected="the files of the run as they were written",
        found=f"changed since: {', '.join(sorted(names))}",
        where=str(root),
        fix=f"take them from a copy of the run, or make them anew (`{again}`); where you changed them on "
        f"purpose, `demur verify {shlex.quote(str(root))} --accept` records them as they are",
    )

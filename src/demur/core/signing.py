"""Signing run and model folders, and checking signatures: an HMAC with the user's own key.

A folder that Demur wrote for this user holds a ``signature.json``: an HMAC-SHA256, with a key in the user's
data folder, over the files that settings are read from. What an unsigned folder may do: `demur.core.trust`.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from demur.core.errors import TrustError
from demur.core.files import user_data, write_json
from demur.core.layout import CARD, CONFIG, MANIFEST, MODEL_FOLDER, SIGNATURE, SYSTEMS

SCHEMA_VERSION = 1
KEY_BYTES = 32
MOST_BYTES = 4096
"""Of a signature file; a longer one is none."""

MODEL_FILES = (
    CARD,
    "adapter_config.json",
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
)
"""Of a model folder, what is signed beside its Python files: all that could make a library act."""


def sign(folder: Path) -> bool:
    """Sign a run or model folder as it is now. False where this user can have no key: it stays unsigned."""
    key = _key(make=True)
    if key is None:
        return False
    write_seal(folder, _seal(folder, key))
    return True


def seal(folder: Path) -> str:
    """The signature that the folder would have, as it is now.

    Raises:
        TrustError: this user has no key, and none can be made.
    """
    key = _key(make=True)
    if key is None:
        raise TrustError(
            expected=f"a key of {KEY_BYTES} bytes that only you can read, or a folder to make it in",
            found="neither",
            where=str(key_path()),
            fix="delete that file if it is damaged (runs signed with it are then unsigned), or set "
            "XDG_DATA_HOME to a folder that you can write to",
        )
    return _seal(folder, key)


def write_seal(folder: Path, value: str) -> None:
    """Write a signature into its folder."""
    write_json(folder / SIGNATURE, {"schema_version": SCHEMA_VERSION, "hmac_sha256": value})


def is_signed(folder: Path) -> bool:
    """Whether this user's Demur signed a folder, and no signed file was changed, added or deleted since."""
    key, found = _key(make=False), _written_seal(folder / SIGNATURE)
    return key is not None and found is not None and hmac.compare_digest(found, _seal(folder, key).encode())


@contextlib.contextmanager
def kept_signed(*folders: Path) -> Iterator[None]:
    """Change signed files within: folders that were signed are signed again, the others are not."""
    signed = [folder for folder in folders if is_signed(folder)]
    try:
        yield
    finally:
        for folder in signed:
            sign(folder)


def key_path() -> Path:
    """The file of this user's key."""
    return user_data() / "signing.key"


def _seal(folder: Path, key: bytes) -> str:
    """The HMAC of every signed file's name and content, each with its length before it; 64 hex digits."""
    code = hmac.new(key, digestmod=hashlib.sha256)
    for part in _parts(folder):
        code.update(len(part).to_bytes(8, "big") + part)
    return code.hexdigest()


def _parts(folder: Path) -> Iterator[bytes]:
    """What is signed, in order: the kind of folder, then names and contents in turns."""
    yield b"demur run" if is_run(folder) else b"demur model"
    for file in sorted(_signed_files(folder)):
        yield os.fsencode(file.relative_to(folder).as_posix())
        yield file.read_bytes()


def _signed_files(folder: Path) -> Iterator[Path]:
    if not is_run(folder):
        yield from _model_files(folder)
        return
    yield from (file for name in (CONFIG, MANIFEST) if (file := folder / name).is_file())
    for model in model_folders(folder):
        yield from _model_files(model)


def _model_files(folder: Path) -> Iterator[Path]:
    yield from (file for name in MODEL_FILES if (file := folder / name).is_file())
    yield from (file for file in folder.rglob("*.py") if file.is_file())


def model_folders(run: Path) -> list[Path]:
    """The folders of a run's tuned models."""
    return sorted(folder for folder in run.glob(f"{SYSTEMS}/*/{MODEL_FOLDER}") if folder.is_dir())


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's; else it can only be a model's."""
    return (folder / CONFIG).exists() or (folder / MANIFEST).exists()


def _written_seal(path: Path) -> bytes | None:
    """What a signature file says; None where it is none: absent, a link, too long, of another version."""
    try:
        found = json.loads(_read_own(path, MOST_BYTES))
        if found["schema_version"] != SCHEMA_VERSION:
            return None
        return str(found["hmac_sha256"]).encode()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _read_own(path: Path, most: int) -> bytes:
    """The content of a plain file, no link and nothing that never ends.

    Raises:
        OSError: it is something else.
        ValueError: it is longer.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a plain file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError("too long")
    return content


def _key(*, make: bool) -> bytes | None:
    """The user's key; None where there is none, or none that can be used."""
    try:
        path = key_path()
        with contextlib.suppress(FileNotFoundError):
            return _usable(_read_own(path, KEY_BYTES))
        if not make:
            return None
        _make_key(path)
        return _usable(_read_own(path, KEY_BYTES))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a user without a home
        return None


def _usable(key: bytes) -> bytes | None:
    return key if len(key) == KEY_BYTES else None


def _make_key(path: Path) -> None:
    """Make a key that only this user can read; of several processes, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    key = secrets.token_bytes(KEY_BYTES)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        _write_new(unfinished, key)
        path.hardlink_to(unfinished)
    except FileExistsError:
        pass
    except OSError:  # a file system without such links
        with contextlib.suppress(FileExistsError):
            _write_new(path, key)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(content)
        file.flush()
        os.fsync(descriptor)

"""Files that are either whole or absent: written beside their place, synced, then renamed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from demur.core.errors import DemurError, ResourceError, RunFolderError

PARTIAL_SUFFIX = ".partial"
"""What an unfinished file or folder is called; anything so named may be deleted."""
ASIDE_SUFFIX = ".replaced"
"""What a folder is called for the moment in which another takes its place, see `atomic_folder`."""
ATTEMPTS = 10
"""To create a temporary file where other processes write the same one."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a new empty file to write to; it becomes ``path`` only if the block succeeds.

    Whatever stood at its name is deleted first, so that nothing is written through a link.
    """
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with explain_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            raise ResourceError(
                expected="a file at this name, or nothing",
                found="a folder",
                where=str(path),
                fix="move it away, then give the same command again",
            )
        try:
            _create(partial)
            yield partial
            _sync(partial)
            os.replace(partial, path)
            _sync(path.parent)
        finally:
            with contextlib.suppress(OSError):  # the error that matters is already on its way
                partial.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; it replaces ``path`` only if the block succeeds.

    The two are exchanged in one step, so that a process killed at any instant leaves the old folder or the
    new one. On a file system that cannot exchange, the old one is moved aside first; the next call moves
    it back where a kill came in between.
    """
    partial, aside = (path.with_name(path.name + end) for end in (PARTIAL_SUFFIX, ASIDE_SUFFIX))
    with explain_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _take_back(path, aside)
        delete(partial)
        partial.mkdir()
        try:
            yield partial
            for file in partial.rglob("*"):
                _sync(file)
            _put_in_place(partial, path, aside)
            _sync(path.parent)
        finally:
            delete(partial)


def link_files(source: Path, target: Path, *, without: Collection[str] = ()) -> None:
    """Give the files of a folder a second name in another one, so that they take no space twice.

    They are copied where the file system cannot do that. No file is ever changed in place (`atomic_path`),
    so neither name sees what is written under the other.

    Args:
        without: files of these names are left out.
    """
    for file in sorted(source.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.name not in without:
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(file, place)
            except OSError:
                shutil.copyfile(file, place)


def _put_in_place(new: Path, path: Path, aside: Path) -> None:
    """Replace ``path`` by a folder; what was there is deleted afterwards."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    if not path.exists():
        os.replace(new, path)
    elif not _exchange(new, path):
        os.replace(path, aside)
        try:
            os.replace(new, path)
        except OSError:
            _take_back(path, aside)
            raise
        delete(aside)


def _take_back(path: Path, aside: Path) -> None:
    """Undo a replacement that was cut short after its first step."""
    if not aside.exists():
        return
    if path.exists():
        delete(aside)
    else:
        os.replace(aside, path)


def _exchange(one: Path, other: Path) -> bool:
    """Let two names stand for each other's content, in one step; False where that is not to be had."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, 2) == 0)  # RENAME_SWAP
        return bool(library.renameat2(-100, names[0], -100, names[1], 2) == 0)  # AT_FDCWD, RENAME_EXCHANGE
    except AttributeError:
        return False


def delete(path: Path) -> None:
    """Delete a file, a folder with its contents, or a link without what it leads to; absent is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def open_own(path: Path, mode: str) -> IO[Any]:
    """Open a file to write to, as `open`; a link that stands at its name is deleted, never followed."""
    if path.is_symlink():
        path.unlink()
    return open(path, mode, opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o666))


def check_links(folder: Path) -> None:
    """Refuse a run folder with links that lead out of it: who writes or reads through them leaves the run.

    The folder itself may be reached through a link. One that does not exist has none. Pipes and devices are
    refused too, see `check_plain`.

    Raises:
        RunFolderError: naming the links and where they lead.
    """
    check_plain(folder)
    root = folder.resolve()
    outward = [link for link in links(folder) if not _leads_into(link, root)]
    if outward:
        raise RunFolderError(
            expected="a run folder without links that lead out of it",
            found=_told(outward),
            where=str(folder),
            fix="delete these links (rm); where they are your own, put the files themselves in their place",
        )


def _leads_into(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # links in a circle lead nowhere
        return False


def check_plain(folder: Path) -> None:
    """Refuse a folder with anything but files, folders and links: reading a pipe or a device may never end.

    Raises:
        RunFolderError: naming what is none.
    """
    odd = [path for path in _entries(folder) if path.exists() and not (path.is_file() or path.is_dir())]
    if odd:
        names = ", ".join(ascii(path.name)[1:-1] for path in sorted(odd)[:5])
        raise RunFolderError(
            expected="a folder of plain files",
            found=f"pipes, sockets or devices: {names}",
            where=str(folder),
            fix="delete them (rm); Demur never makes any",
        )


def check_no_links(folder: Path) -> None:
    """Refuse a folder with any link in it: who uploads or copies it would send what the link leads to.

    Raises:
        RunFolderError: naming the links.
    """
    if found := links(folder):
        raise RunFolderError(
            expected="a folder to share in which every file is a file of its own",
            found=_told(found),
            where=str(folder),
            fix="delete these links (rm), or put the files that they lead to in their place",
        )


def _told(links: Sequence[Path]) -> str:
    """Some links and where they lead, a line each; no name can move the cursor of a terminal."""
    lines = (ascii(f"{link} -> {link.readlink()}")[1:-1] for link in links[:5])
    return "links:\n          " + "\n          ".join(lines)


def links(folder: Path) -> list[Path]:
    """The symbolic links in a folder and in the folders below it, sorted; none is followed."""
    return sorted(path for path in _entries(folder) if path.is_symlink())


def _entries(folder: Path) -> Iterator[Path]:
    """Everything in a folder and in the folders below it; no link is followed."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, as UTF-8."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; NaN and infinity are refused, since null means undefined here."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        ValueError: it is no JSON, or holds half a character (a lone surrogate), which no file and no
            terminal takes.
        RecursionError: it nests deeper than can be read.
    """
    text = text if isinstance(text, str) else text.decode("utf-8")
    value = json.loads(text)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def read_object(path: Path, **shape: type) -> dict[str, Any]:
    """A JSON object of a run folder.

    Args:
        shape: what it must have, by name.

    Raises:
        RunFolderError: it is something else, or nests deeper than can be read.
        FileNotFoundError: there is no such file.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("a folder, or something else that is no file")
        found = parse_json(path.read_bytes())
        problem = "" if isinstance(found, dict) else f"a JSON {type(found).__name__}"
    except (ValueError, RecursionError) as error:
        found, problem = {}, f"text that is no JSON ({error})"
    if not problem:
        wrong = [name for name, kind in shape.items() if not isinstance(found.get(name), kind)]
        problem = f"no valid {', '.join(wrong)}" if wrong else ""
    if problem:
        raise RunFolderError(
            expected="a JSON object" + (f" with {', '.join(shape)}" if shape else ""),
            found=problem,
            where=str(path),
            fix="run the command that wrote the file again, or ask for the folder anew",
        )
    return dict(found)


def write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write JSON values atomically, one a line."""
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def digest(value: Any) -> str:
    """A short stable hash of any JSON-able value, 16 hex digits."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """A short hash of a file's bytes, 16 hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:16]


def user_cache() -> Path:
    """Demur's folder in the user's cache: what can be made again, kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "demur"


def user_data() -> Path:
    """Demur's folder in the user's data: what cannot be made again, such as the key that signs runs."""
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local/share") / "demur"


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
_NUMBER = re.compile(r"\b(?:os error |errno[: ]*|error code:? ?)(\d+)", re.IGNORECASE)
_WRITING_FAILED = ("PytorchStreamWriter failed", "unexpected pos ")
"""What torch says where a file could not be written whole; it gives no reason."""


@contextlib.contextmanager
def explain_disk(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only one and missing rights into an error that says what to do.

    Libraries report these in exceptions of their own (safetensors, torch, Arrow); they are recognised by
    the system's number or sentence in their text.

    Raises:
        ResourceError: naming the file or folder.
    """
    try:
        yield
    except DemurError:
        raise
    except Exception as error:
        number = _cause(error)
        if number is None:
            raise
        raise _disk_error(number, Path(os.fsdecode(getattr(error, "filename", None) or path))) from error


def _cause(error: Exception) -> int | None:
    """The system's number where a disk refused; None for any other error."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in (*FULL, *FORBIDDEN) else None
    ours = isinstance(error, RuntimeError) or type(error) is Exception  # torch, tokenizers
    if not (ours or isinstance(error, OSError) or type(error).__module__ != "builtins"):
        return None
    said = str(error)
    numbers = {int(number) for number in _NUMBER.findall(said)}
    for number in (*FULL, errno.EROFS, errno.EACCES):
        if number in numbers or os.strerror(number) in said:
            return number
    return errno.ENOSPC if any(text in said for text in _WRITING_FAILED) else None


def _disk_error(number: int, path: Path) -> ResourceError:
    if number in FULL:
        return ResourceError(
            expected=f"room on the disk to write {path.name}",
            found=os.strerror(number).lower(),
            where=str(path.parent),
            fix="free some space and run the same command again: finished work is kept",
        )
    return ResourceError(
        expected=f"a place where {path.name} may be read and written",
        found=os.strerror(number).lower(),
        where=str(path),
        fix="check who owns it (ls -ld) and whether its file system is mounted read-only, or name another "
        "place; finished work is kept",
    )


def _create(path: Path) -> None:
    """Put a new empty file in the place of whatever is there."""
    for _ in range(ATTEMPTS):
        delete(path)
        with contextlib.suppress(FileExistsError):  # another process writes the same file
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
            return
    raise FileExistsError(errno.EEXIST, "another process writes this file", str(path))


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk, so that a rename cannot overtake its content."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

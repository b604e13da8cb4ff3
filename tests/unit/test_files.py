"""Files are whole or absent, whatever happens while they are written."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys

import pytest

from demur.core.errors import ResourceError, RunFolderError
from demur.core.files import (
    atomic_folder,
    atomic_path,
    digest,
    explain_disk,
    parse_json,
    read_object,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a") as partial:
        partial.write_text("half")
        raise RuntimeError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_a_failed_folder_leaves_the_old_folder_and_nothing_else(tmp_path):
    with atomic_folder(tmp_path / "f") as partial:
        (partial / "x").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "f") as partial:
        (partial / "y").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["x"]


def test_a_folder_in_the_place_of_a_file_is_explained_and_left(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(ResourceError, match="a folder"):
        write_text(tmp_path / "a", "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_a_killed_write_leaves_the_old_file(tmp_path):
    """The process dies between writing and renaming: the file keeps its old content."""
    write_text(tmp_path / "a", "old")
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom demur.core.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('new')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "a").read_text() == "old"
    write_text(tmp_path / "a", "newer")
    assert [path.name for path in tmp_path.iterdir()] == ["a"], "the leftover is cleared by the next write"


def test_a_full_disk_is_explained(tmp_path):
    with pytest.raises(ResourceError, match="free some space"), explain_disk(tmp_path / "rows"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(PermissionError, match=r"^$"), explain_disk(tmp_path / "rows"):
        raise PermissionError


def test_a_file_that_the_system_does_not_let_grow_is_explained(tmp_path):
    """A limit on the size of files fails the write as a full disk does."""
    script = (
        "import resource, sys\nfrom pathlib import Path\nfrom demur.core.errors import ResourceError\n"
        "from demur.core.files import write_text\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_text(Path(sys.argv[1]), 'x' * 100_000)\n"
        "except ResourceError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "rows")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "free some space" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_numbers_that_are_none(value, tmp_path):
    with pytest.raises(ValueError, match=r"not JSON compliant"):
        write_json(tmp_path / "a.json", {"value": value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    ['{"a": "\\ud83d"}', '{"\\ud83d": 1}', '["\\ude00\\ud83d"]', b'{"a": "\xed\xa0\xbd"}', b"\xff", "{"],
)
def test_json_with_half_a_character_is_damaged(text, tmp_path):
    with pytest.raises(ValueError, match=r"surrogate|utf-8|Expecting"):
        parse_json(text)
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RunFolderError, match="no JSON"):
        read_object(tmp_path / "a.json")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_no_json(make, tmp_path):
    make(tmp_path / "a.json")
    with pytest.raises(RunFolderError, match="no file"):
        read_object(tmp_path / "a.json")


def test_json_with_whole_characters_is_read():
    assert parse_json('{"a": "\\ud83d\\ude00 \\\\ud83d", "b": [1, null]}') == {
        "a": "\U0001f600 \\ud83d",
        "b": [1, None],
    }
    assert parse_json('"é"'.encode()) == "é"


def test_the_digest_ignores_the_order_of_keys_and_nothing_else():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert len({digest(value) for value in ({"a": 1}, {"a": "1"}, {"a": [1]}, {"b": 1})}) == 4


def in_a_child(act):
    """What a function says in a process of its own, which may be limited, or killed; its exit status."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            said = act()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, str(said).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        said = pipe.read()
    return said, os.waitpid(child, 0)[1]


def save_safetensors(path):
    import torch
    from safetensors.torch import save_file

    save_file({"weights": torch.zeros(100_000)}, path)


def save_torch(path):
    import torch

    torch.save(torch.zeros(100_000), path)


def save_parquet(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"rows": list(range(100_000))}), path, use_dictionary=False)


def save_text(path):
    path.write_text("x" * 100_000)


def save_tokenizer(path):
    from tokenizers import Tokenizer

    from demur.pocket import bundled_model

    Tokenizer.from_file(str(bundled_model() / "tokenizer.json")).save(str(path))


SAVERS = [save_text, save_parquet, save_safetensors, save_torch, save_tokenizer]


@pytest.mark.parametrize("save", SAVERS)
def test_a_full_disk_is_explained_whichever_library_meets_it(save, tmp_path):
    def act():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with explain_disk(tmp_path / "file"):
            save(tmp_path / "file")

    said, _ = in_a_child(act)
    assert said.startswith("ResourceError"), said
    assert "free some space" in said


@pytest.mark.parametrize("save", SAVERS)
def test_a_folder_without_rights_is_explained_whichever_library_meets_it(save, tmp_path):
    save(tmp_path / "file")  # its imports are done before the rights are given up
    (tmp_path / "file").unlink()
    tmp_path.chmod(0o555)

    def act():
        if os.geteuid() == 0:  # root may write anywhere
            for folder in tmp_path.parents:
                if folder.name.startswith(("pytest-", "popen-")):  # pytest keeps them to their owner
                    folder.chmod(0o755)
            os.seteuid(65534)
        with explain_disk(tmp_path / "file"):
            save(tmp_path / "file")

    said, _ = in_a_child(act)
    assert said.startswith("ResourceError"), said
    assert "check who owns it" in said


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT])
def test_what_the_system_says_of_a_disk_is_explained(number, tmp_path):
    with pytest.raises(ResourceError) as error, explain_disk(tmp_path / "rows"):
        raise OSError(number, os.strerror(number), str(tmp_path / "other"))
    assert error.value.found == os.strerror(number).lower()
    assert str(tmp_path) in error.value.where


@pytest.mark.parametrize(
    "error", [ValueError("Permission denied"), FileNotFoundError(2, "none"), RuntimeError("size mismatch")]
)
def test_other_errors_stay_what_they_are(error, tmp_path):
    with pytest.raises(type(error)) as found, explain_disk(tmp_path / "rows"):
        raise error
    assert found.value is error


def replace_killed_at(folder, line, exchange):
    """Replace a folder in a child that is killed before it carries out so many lines; whether it was."""
    from demur.core import files

    def act():
        count = 0

        def trace(frame, event, _):
            nonlocal count
            if frame.f_code.co_filename != files.__file__:
                return None
            count += event == "line"
            if count == line:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        if not exchange:
            files._exchange = lambda one, other: False
        sys.settrace(trace)
        with atomic_folder(folder) as partial:
            (partial / "new").write_text("new")
        sys.settrace(None)

    return in_a_child(act)[1] != 0


@pytest.mark.parametrize("exchange", [True, False])
def test_a_kill_at_any_line_leaves_the_old_folder_or_the_new_one(exchange, tmp_path):
    folder = tmp_path / "f"
    line, seen = 0, set()
    while True:
        line += 1
        shutil.rmtree(folder, ignore_errors=True)
        with atomic_folder(folder) as partial:
            (partial / "old").write_text("old")
        killed = replace_killed_at(folder, line, exchange)
        if not exchange:  # the next call puts back what was moved aside
            with pytest.raises(RuntimeError), atomic_folder(folder):
                raise RuntimeError
        names = [path.name for path in folder.iterdir()]
        assert names in (["old"], ["new"]), line
        seen.add(names[0])
        if not killed:
            break
    assert line > 20
    assert seen == {"old", "new"}
    with atomic_folder(folder) as partial:
        (partial / "last").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["f"], "no leftover stays"

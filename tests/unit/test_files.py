"""Files are whole or absent, whatever happens while they are written."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from demur.core.errors import ResourceError
from demur.core.files import atomic_folder, atomic_path, digest, explain_full_disk, write_json, write_text


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
    with pytest.raises(ResourceError, match="free some space"), explain_full_disk(tmp_path / "rows"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(PermissionError), explain_full_disk(tmp_path / "rows"):
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


def test_the_digest_ignores_the_order_of_keys_and_nothing_else():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert len({digest(value) for value in ({"a": 1}, {"a": "1"}, {"a": [1]}, {"b": 1})}) == 4

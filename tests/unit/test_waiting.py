"""Who only waits takes no processor time: the kernel keeps a stage's peak, and wakes a worker once."""

import os
import subprocess
import sys
import threading

import psutil
import pytest

from demur.runfolder import manifest
from demur.runfolder.manifest import peak_memory
from demur.training import worker

LINUX = sys.platform == "linux"
MEGABYTE = 2**20
SIZE = 96 * MEGABYTE


def test_the_peak_is_noted_without_a_thread_that_looks():
    before = set(threading.enumerate())
    with peak_memory() as peak:
        if LINUX and os.access(manifest.RESET, os.W_OK):
            assert set(threading.enumerate()) == before
        start = psutil.Process().memory_info().rss
        block = bytearray(b"x" * MEGABYTE) * (SIZE // MEGABYTE)
        del block  # shorter than any watcher would notice
    assert peak[0] >= start + 0.9 * SIZE


@pytest.mark.skipif(not os.access(manifest.RESET, os.W_OK), reason="the kernel's peak cannot be reset here")
def test_a_stage_is_not_blamed_for_an_earlier_one():
    with peak_memory() as first:
        block = bytearray(b"x" * MEGABYTE) * (SIZE // MEGABYTE)
        del block
    with peak_memory() as second:
        pass
    assert second[0] <= first[0] - 0.5 * SIZE


def test_where_the_kernel_does_not_tell_a_thread_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "RESET", tmp_path / "missing" / "clear_refs")
    before = set(threading.enumerate())
    with peak_memory() as peak:
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) == before
    assert peak[0] > 0


@pytest.fixture
def owner():
    """A process that does nothing until it is ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


@pytest.fixture
def ended(monkeypatch):
    """Exit codes instead of ends, and how often the wait woke up to look."""
    found, looked = threading.Event(), []
    monkeypatch.setattr(worker.os, "_exit", lambda code: found.set())
    monkeypatch.setattr(worker.time, "sleep", looked.append)
    return found, looked


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd on this system")
def test_a_worker_is_woken_once_by_the_end_of_its_owner(owner, ended):
    found, looked = ended
    started = psutil.Process(owner.pid).create_time()
    thread = threading.Thread(target=worker._end_with, args=(owner.pid, started), daemon=True)
    thread.start()
    assert not found.is_set()
    owner.kill()
    thread.join(60)
    assert found.is_set()
    assert looked == [], "it slept nowhere: the system woke it"


def test_another_process_with_the_owners_number_is_not_the_owner(owner, ended):
    found, looked = ended
    started = psutil.Process(owner.pid).create_time()
    worker._end_with(owner.pid, started - 100)
    assert found.is_set()
    assert looked == []


def test_without_that_help_it_looks_again_and_again(owner, ended, monkeypatch):
    found, looked = ended
    monkeypatch.delattr(worker.os, "pidfd_open", raising=False)
    started = psutil.Process(owner.pid).create_time()

    def sleep(seconds):
        looked.append(seconds)
        if len(looked) == 3:
            owner.kill()
            owner.wait()

    monkeypatch.setattr(worker.time, "sleep", sleep)
    worker._end_with(owner.pid, started)
    assert found.is_set()
    assert looked == [worker.OWNER_SECONDS] * 3

"""The `demur` command in a process of its own, without the seconds that its imports cost.

A process with the heavy libraries loaded (`warm_demur`) is started at the first use, one for each worker of
the tests, and every command is a fork of it. A command has the environment of the test that starts it.
Where the start of the interpreter itself is the point of a test, `python -m demur` is run instead.
"""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from warm_demur import MODULES, SHIM

WARM = Path(__file__).with_name("warm_demur.py")
READY_SECONDS = 300
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
"""No command of a test asks the Hub. Libraries read these variables while they are imported."""


def run_demur(*arguments, **options):
    """Run the command to its end; its exit code and what it said. Options as of `subprocess.run`."""
    usual = {"capture_output": True, "text": True, "check": False}
    return subprocess.run(line(*arguments), **usual | options)


def succeeded(*arguments, **options):
    """Run a command that must succeed."""
    ended = run_demur(*arguments, **options)
    assert ended.returncode == 0, ended.stderr
    return ended


def line(*arguments):
    """The command as `subprocess` takes it."""
    return [str(program()), *map(str, arguments)]


def module(*words):
    """`python -m` for a module that the warm process runs."""
    return [str(program().with_name("python")), "-m", *map(str, words)]


@functools.cache
def program():
    """The file to run in place of `demur`."""
    folder = Path(tempfile.mkdtemp(prefix="demur-tests-"))
    atexit.register(shutil.rmtree, folder)
    return start(folder, {**os.environ, **OFFLINE})


def start(folder, environment):
    """Start a warm process in an empty folder, and wait until it is ready; the file to run as `demur`.

    It ends with the process that started it.
    """
    address, shim = folder / "socket", folder / "bin/demur"
    shim.parent.mkdir()
    shim.write_text(SHIM.format(python=sys.executable, address=str(address), modules=MODULES))
    shim.chmod(0o755)
    shim.with_name("python").symlink_to("demur")
    given = {**environment, "OMP_NUM_THREADS": "1"}
    warm = subprocess.Popen([sys.executable, WARM, address], env=given, stdin=subprocess.PIPE)
    atexit.register(end, warm)
    for _ in range(READY_SECONDS * 20):
        if address.exists():
            return shim
        assert warm.poll() is None, "the warm process ended before it was ready"
        time.sleep(0.05)
    raise AssertionError(f"the warm process was not ready after {READY_SECONDS} seconds")


def end(warm):
    """Let a warm process end, which has no command under way any more."""
    warm.stdin.close()
    warm.wait()

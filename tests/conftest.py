"""Settings for every test, and the runs that several files of tests read."""

import fcntl
import os
import shutil

import pytest
from hypothesis import settings

from commands import succeeded

# A busy machine is no defect: no example fails for being slow.
settings.register_profile("demur", deadline=None)
settings.load_profile("demur")

FEW = ("--data.limit", "96", "--evaluation.resamples", "50")
"""So few questions that the demo takes seconds, and so many that it can be calibrated."""


@pytest.fixture(scope="session")
def common(tmp_path_factory):
    """A folder that all workers of a session have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def own_key(common):
    """A data folder of the tests' own, so that no key is made in that of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(common / "data"))
        yield


@pytest.fixture(scope="session")
def demo(common, own_key):
    """The finished demo on few questions, with what it said beside it; tests change a copy."""
    return once(common / "demo", make_demo)


@pytest.fixture(scope="session")
def calibrated(common, demo):
    """The same with a promise and a probability."""
    return once(common / "calibrated", lambda folder: calibrate(demo, folder))


def make_demo(folder):
    ended = succeeded("demo", "--out", folder, *FEW)
    for name in ("stdout", "stderr"):
        folder.with_name(f"demo.{name}").write_text(getattr(ended, name))


def calibrate(demo, folder):
    shutil.copytree(demo, folder)
    succeeded("calibrate", folder, "--max-error", "0.2", "--recalibrate", "platt")


def once(folder, make):
    """The folder, made by the first worker that wants it while the others wait."""
    made = folder.with_name(f"{folder.name}.made")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder

"""A small sample of the fault proof: disturbed in every stage, resumed, the same bytes.

`make proof-faults` is the whole of it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from commands import program, succeeded

SCRIPT = Path(__file__).parents[2] / "benchmarks/faults.py"


@pytest.mark.slow
def test_a_killed_or_stopped_run_ends_with_the_same_bytes(tmp_path):
    few = ("--kills", "4", "--stops", "4", "--limit", "48", "--no-writes")
    done = disturbed("--only", "runs", *few, "--runs", tmp_path)
    assert done.stdout.count("the same bytes: questions.parquet, probe.parquet, metrics.json") == 2
    assert "exit codes: [143, 130, 143, 130]" in done.stdout


@pytest.mark.slow
def test_a_disturbed_probe_ends_with_the_same_bytes(tmp_path):
    """Killed, its units damaged, the disk full; that no small disk can be mounted here it may say."""
    done = disturbed("--only", "probe", "--kills", "3", "--limit", "60", "--runs", tmp_path)
    assert "said to be damaged: 2 of 2" in done.stdout
    full = "no small disk can be mounted" not in done.stdout
    assert done.stdout.count("the same bytes: questions.parquet, probe.parquet") == 2 + full


def disturbed(*arguments):
    line = [sys.executable, SCRIPT, "--program", program(), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DIFFERS" not in done.stdout
    return done


def test_a_run_killed_in_its_first_write_goes_on(tmp_path):
    """What the kill leaves behind is a partial file, which is nobody's."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.yaml.partial").write_text("half")
    succeeded("probe", "--limit", "8", "--out", out)
    assert (out / "probe.parquet").exists()

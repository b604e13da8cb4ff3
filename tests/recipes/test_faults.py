"""A small sample of the fault proof: killed in every stage, resumed, the same bytes.

`make proof-faults` is the whole of it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/faults.py"


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bytes(tmp_path):
    command = [sys.executable, SCRIPT, "--kills", "4", "--limit", "60", "--no-writes", "--runs", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same bytes: metrics.json" in done.stdout.replace("questions.parquet, probe.parquet, ", "")
    assert "DIFFERS" not in done.stdout


def test_a_run_killed_in_its_first_write_goes_on(tmp_path):
    """What the kill leaves behind is a partial file, which is nobody's."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.yaml.partial").write_text("half")
    command = [sys.executable, "-m", "demur", "probe", "--limit", "8", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "probe.parquet").exists()

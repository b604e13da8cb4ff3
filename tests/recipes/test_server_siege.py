"""A small, seeded sample of the sieges of a server; `make proof-server` is the whole of them."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "server_siege.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    "siege",
    [
        "slow_readers",
        "too_long",
        "idle_flood",
        "cancelled_flood",
        "greedy",
        "bad_upstream",
        "many_promises",
        "unread_log",
    ],
)
def test_a_besieged_server_serves_and_stops(calibrated, siege):
    line = [sys.executable, SCRIPT, "--small", "--run", calibrated, "--seed", "7", "--only", siege]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

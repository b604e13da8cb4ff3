"""A small sample of the proofs of the server: a real process, attacked, crowded, and stopped in the middle.

`make proof-server` is the whole of them.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import demur
from commands import run_demur
from demur.pocket import bundled_model

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def folder(calibrated):
    """A run like the one that the script would make itself."""
    return calibrated


def proved(script, folder, *arguments):
    line = [sys.executable, BENCHMARKS / script, "--small", "--run", folder, *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_no_attack_ends_in_a_defect(folder):
    """Malformed, slow and abandoned requests; every route without its key; the schema's own requests."""
    few = ["--requests", 600, "--slow", 10, "--examples", 2, "--phases", "fuzzing"]
    said = proved("server_fuzz.py", folder, *few)
    assert "600 requests, 0 of them a 5xx; 0 not as they should be." in said
    assert "with 0 defects and without the key" in said


@pytest.mark.slow
def test_a_crowd_is_answered_and_nothing_is_lost_when_it_stops(folder):
    said = proved("server_load.py", folder, "--clients", 20, "--requests", 2000, "--no-compare")
    assert "0 lost" in said
    assert "all 200 requests were answered in the end" in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("pytorch_model.bin", "x", "pickles, which can run code when they are loaded: pytorch_model.bin"),
        ("training_args.bin", "x", "pickles, which can run code when they are loaded: training_args.bin"),
        ("adapter_model.PT", "x", "adapter_model.PT"),
        ("config.json", {"auto_map": {"AutoModelForCausalLM": "code.Model"}}, "auto_map in config.json"),
        (
            "tokenizer_config.json",
            {"auto_map": {"AutoTokenizer": ["code.T", None]}},
            "tokenizer_config.json",
        ),
    ],
)
def test_a_folder_that_can_run_code_is_not_served(tmp_path, name, content, words):
    """The pocket model's folder with one such file more: refused by the command, with its name."""
    folder = tmp_path / "model"
    shutil.copytree(bundled_model(), folder)
    file = folder / name
    if isinstance(content, dict):
        content = json.dumps((json.loads(file.read_text()) if file.exists() else {}) | content)
    file.write_text(content)
    done = run_demur("serve", folder, "--port", "0", env=os.environ | {"COLUMNS": "400"})
    assert done.returncode == 2, done.stdout + done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert words in said
    assert "Traceback" not in said


def test_nothing_is_opened_before_it_was_looked_at(tmp_path):
    """A check that objects is heard although there is nothing behind it that could be opened."""

    def objects(system):
        assert system.base == "no/such-model"
        raise PermissionError("not this one")

    with pytest.raises(PermissionError, match="not this one"):
        demur.load("no/such-model", check=objects)

"""The speed benchmarks run from end to end, on models and numbers too small to say anything about speed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def printed(script, *arguments):
    line = [sys.executable, BENCHMARKS / script, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out" not in done.stdout  # a way that cannot run is named so
    return done.stdout


@pytest.mark.slow
def test_every_way_of_the_ceiling_benchmark_runs():
    """Those for a GPU too, on the CPU; each way asserts that it made as many tokens as it was asked for."""
    ways = ["one row", "rows", "static", "continuous", "demur"]
    sizes = ["--rows", "3", "--single", "2", "--prompt", "8", "--new", "3", "--rounds", "1"]
    growth = ["--lengths", "4", "--samples", "2"]
    said = printed("ceiling.py", "--models", "tiny", "--device", "cpu", *sizes, *growth, "--ways", *ways)
    assert [way for way in ways if f"| {way} |" in said] == ways
    assert re.search(r"^\| 4 \| [\d,]+ \| \d+% \| [\d,]+ \| \d+% \|$", said, re.MULTILINE)
    assert re.search(r"^\| 2 \| [\d.,]+ \| [\d,]+ \|$", said, re.MULTILINE)


@pytest.mark.slow
def test_inference_gives_the_same_answers_as_the_published_loop():
    said = printed("inference.py", "--questions", "16", "--reference", "4", "--rounds", "1")
    assert "same answers: 4 of 4, largest difference in P(sure) 0.00" in said


@pytest.mark.slow
def test_choices_give_the_same_answers_as_one_call_each():
    said = printed("choices.py", "--rounds", "1", "--shots", "1")
    assert said.count("16 of 16 |") == 2


def test_the_head_gives_a_figure_for_every_way():
    said = printed("head.py", "--vocabularies", "1000", "--hidden", "16", "--rows", "4", "--rounds", "1")
    assert (
        len(
            re.findall(
                r"^\| 1,000 \| 16 \| (?:float32|bfloat16) \| \w+ \| [\d.]+ \| [\d,]+ \|$", said, re.M
            )
        )
        == 6
    )

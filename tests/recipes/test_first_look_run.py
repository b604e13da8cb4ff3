"""The real command with a model that is asked wrongly: it stops, or warns, before hours are spent."""

import json
import subprocess
import sys

import pytest

import demur
from demur.errors import AnswersError

TRIAL = ("--limit", "20", "--probe.unit", "32", "--evaluation.resamples", "10", "--baselines", "")
NOTHING = ("--probe.stop", '[" "]')
"""Every answer of the pocket model begins with a space, so each ends before its first word."""


def run_demur(*arguments):
    command = [sys.executable, "-m", "demur", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "empty"
    return out, run_demur("run", *TRIAL, *NOTHING, "--out", out)


def test_a_model_that_answers_nothing_stops_the_run(stopped):
    out, done = stopped
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "first 32 answers: 100.0% empty" in done.stderr
    assert "demur: AnswersError" in done.stderr
    assert "the answers begin with the stop string ' '" in done.stderr
    assert done.stderr.count("said ''") == 5
    assert "--probe.stop" in done.stderr
    assert "--probe.allow_empty true" in done.stderr
    assert {path.name for path in out.iterdir()} == {
        "config.yaml",
        "manifest.json",
        "questions.parquet",
        "signature.json",
        "work",
    }
    (unit,) = (out / "work/probe").glob("*.parquet")
    assert unit.stat().st_size


def test_its_status_says_why(stopped):
    out, _ = stopped
    found = json.loads(run_demur("status", out, "--json").stdout)
    assert (found["state"], found["current"]["stored"]) == ("stopped", 32)
    assert (found["first_answers"]["n"], found["first_answers"]["empty"]) == (32, 1.0)
    said = " ".join(run_demur("status", out).stdout.split())
    assert "warning: 32 (100.0%) of the first 32 answers are empty" in said


def test_the_same_command_says_the_same_and_the_fix_goes_on(stopped):
    out, first = stopped
    again = run_demur("run", *TRIAL, *NOTHING, "--out", out)
    said = [done.stderr.partition("demur: AnswersError")[2] for done in (first, again)]
    assert (again.returncode, said[0]) == (2, said[1])
    stop = said[0].partition("add --probe.stop '")[2].partition("'")[0]
    done = run_demur("probe", *TRIAL, "--probe.stop", stop, "--update", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "first 32 answers: 0.0% empty" in done.stderr


def test_the_library_stops_and_goes_on_likewise(tmp_path):
    settings = {"out": tmp_path / "run", "data": {"limit": 6}}
    probe = {"unit": 8, "stop": [" "]}
    with pytest.raises(AnswersError, match="are empty"):
        demur.probe(**settings, probe=probe)
    probes = demur.probe(**settings, probe={**probe, "allow_empty": True}, update=True)
    assert {row.greedy.text for row in probes} == {""}


def test_cut_answers_are_a_warning_that_stays_with_the_run(tmp_path):
    out = tmp_path / "cut"
    limits = ("--probe.max_new_tokens", "1", "--training.max_steps", "2")
    done = run_demur("run", *TRIAL, *limits, "--out", out)
    assert done.returncode == 0, done.stderr
    warning = "100.0% of the first 32 answers are cut at 1 token"
    assert f"warning: {warning}" in " ".join(done.stderr.split())
    noted = json.loads((out / "manifest.json").read_text())["stages"]["probe"]["first_answers"]
    assert json.loads((out / "metrics.json").read_text())["first_answers"] == noted
    assert [text.partition(":")[0] for text in noted["warnings"]] == [warning]
    assert (out / "report.html").read_text("utf-8").count(warning) == 3, "header, section, manifest"
    assert json.loads(run_demur("status", out, "--json").stdout)["first_answers"] == noted

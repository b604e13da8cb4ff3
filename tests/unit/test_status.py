"""What a run's folder says of how far it is, without touching it."""

import io
import json
import os
import platform
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from demur.core.errors import RunFolderError
from demur.core.progress import Recorder, Silent
from demur.core.records import Knowledge
from demur.core.units import UnitStore
from demur.pipeline.status import render, sentence, status
from demur.runfolder.folder import Holder, RunFolder

ME = {
    "pid": os.getpid(),
    "host": platform.node(),
    "started": psutil.Process().create_time(),
    "command": "demur run",
}
GONE = {**ME, "started": ME["started"] - 100}
"""The same number was another process's."""


def folder(tmp_path, *, holder=None, finished=(), progress=None):
    run = RunFolder(tmp_path / "run")
    run.work.mkdir(parents=True)
    run.config.write_text("seed: 0\n")
    stages = {name: {"inputs": "x", "seconds": 1.5} for name in finished}
    run.manifest.write_text(json.dumps({"stages": stages}))
    if holder:
        run.lock.write_text(json.dumps(holder))
    if progress:
        run.progress.write_text(json.dumps(progress))
    return run


def files(run):
    return {path: path.stat().st_mtime_ns for path in run.root.rglob("*")}


def test_a_run_at_work_says_how_far_it_is_and_is_left_alone(tmp_path, monkeypatch):
    """40 of 100 at 20 a second: 60 to go, 3 seconds, less the second since it was written."""
    now = time.time()
    progress = {"stage": "predict/vanilla", "since": now - 9, "at": now - 1}
    progress |= {"task": "asking vanilla", "unit": "questions", "done": 40, "total": 100, "rate": 20.0}
    run = folder(tmp_path, holder=ME, finished=["data", "probe", "predict/base"], progress=progress)
    store = UnitStore(run.work / "predict/vanilla", Knowledge, key="k")
    store.fill(
        range(48),
        lambda part: [Knowledge(question_id=str(n), estimator="g", known=None) for n in part],
        unit=8,
    )
    before = files(run)
    monkeypatch.setattr(time, "time", lambda: now)
    found = status(run.root)
    monkeypatch.undo()
    assert files(run) == before
    assert (found["state"], found["holder"]) == ("running", ME)
    assert [(row["name"], row["state"], row["seconds"]) for row in found["stages"]] == [
        ("data", "done", 1.5),
        ("probe", "done", 1.5),
        ("predict/base", "done", 1.5),
        ("predict/vanilla", "running", None),
        ("evaluate", "to do", None),
        ("report", "to do", None),
    ]
    current = found["current"]
    assert (current["done"], current["stored"]) == (48, 48), "what is stored is done"
    assert current["seconds_left"] == pytest.approx(2)
    assert sentence({**current, "seconds_left": 3725.0}) == (
        "asking vanilla: 48 of 100 questions, 48 stored, 20.0 a second, 1:02:05 left"
    )
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("holder", [None, GONE])
def test_a_run_that_nobody_works_in_is_stopped(tmp_path, holder):
    progress = {"stage": "probe", "since": 1.0, "at": 2.0}
    found = status(folder(tmp_path, holder=holder, finished=["data"], progress=progress).root)
    assert (found["state"], found["holder"]) == ("stopped", None)
    assert [row["state"] for row in found["stages"]][:3] == ["done", "stopped", "to do"]
    assert found["current"]["seconds_left"] is None
    assert found["current"]["rate"] is None, "unknown, not nothing"


def test_a_finished_run_is_finished(tmp_path):
    found = status(folder(tmp_path, finished=["data", "probe", "report"]).root)
    assert (found["state"], found["current"]) == ("finished", None)
    assert render(found) is not None


def test_another_machines_process_cannot_be_seen(tmp_path):
    found = status(folder(tmp_path, holder={**ME, "host": "elsewhere"}).root)
    assert (found["state"], found["holder"]["host"]) == ("elsewhere", "elsewhere")


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(RunFolderError, match=r"config\.yaml"):
        status(tmp_path)
    with pytest.raises(RunFolderError, match="no such folder"):
        status(tmp_path / "none")


@pytest.mark.parametrize("damage", [Path.unlink, lambda manifest: (manifest.unlink(), manifest.mkdir())])
def test_results_without_a_manifest_are_damage(tmp_path, damage):
    run = folder(tmp_path, finished=["data", "probe", "report"])
    run.metrics.write_text("{}")
    damage(run.manifest)
    with pytest.raises(RunFolderError, match=r"manifest\.json"):
        status(run.root)


def test_the_lock_says_who_has_it(tmp_path):
    run = RunFolder(tmp_path)
    with run.locked():
        holder = Holder.read(run.lock)
        assert (holder.pid, holder.alive) == (os.getpid(), True)
        with pytest.raises(RunFolderError, match=f"process {os.getpid()} on"), run.locked():
            pass
        assert Holder.read(run.lock) == holder, "who comes too late changes nothing"


def test_what_was_found_finished_says_nothing_of_the_rate(tmp_path, monkeypatch):
    """500 found at once, then 10 in the first second and 20 in the next two: 10 a second."""
    clock = [100.0]
    monkeypatch.setattr("demur.core.progress.time.monotonic", lambda: clock[0])
    recorder = Recorder(Silent())
    recorder.path = tmp_path / "progress.json"
    recorder.stage("probe")
    with recorder.bar("asking", 1000, "questions") as advance:
        advance(500)
        for seconds, more in ((1.0, 10), (2.0, 20)):
            clock[0] += seconds
            advance(more)
        found = json.loads(recorder.path.read_text())
    assert (found["stage"], found["done"], found["total"], found["rate"]) == ("probe", 530, 1000, 10.0)


LOOKED_AT = {
    "n": 4,
    "answerable": 4,
    "judged": 4,
    "unscored": 0,
    "counts": {"empty": 0, "cut": 3, "refused": 0, "right": 1, "empty_cut": 0},
    "empty": 0.0,
    "cut": 0.75,
    "refused": 0.0,
    "right": 0.25,
    "max_new_tokens": 15,
    "warnings": ["75.0% of the first 4 answers are cut at 15 tokens"],
    "examples": [],
}


def text_of(found):
    console = Console(width=80, file=io.StringIO())
    console.print(render(found))
    return console.file.getvalue()


def test_the_first_answers_are_shown_while_the_probe_is_under_way_and_afterwards(tmp_path):
    run = folder(tmp_path, holder=ME, finished=["data"])
    recorder = Recorder(Silent())
    recorder.path = run.progress
    recorder.stage("probe")
    assert status(run.root)["first_answers"] is None
    with recorder.bar("asking", 8, "questions") as advance:
        advance(4)
        recorder.keep(first_answers=LOOKED_AT)
        found = status(run.root)
        assert (found["first_answers"], found["current"]["done"]) == (LOOKED_AT, 4)
        advance(4)
    assert status(run.root)["first_answers"] == LOOKED_AT
    text = text_of(status(run.root))
    assert "first 4 answers: 0.0% empty, 75.0% cut at 15 tokens, 0.0% refused, 25.0% right" in text
    assert "warning: 75.0% of the first 4 answers are cut at 15 tokens" in text

    recorder.stage("build/r-tuning")
    assert "first_answers" not in json.loads(run.progress.read_text())
    run.manifest.write_text(json.dumps({"stages": {"probe": {"first_answers": LOOKED_AT}}}))
    assert status(run.root)["first_answers"] == LOOKED_AT


def test_the_first_answers_of_an_earlier_probe_are_not_those_of_the_one_under_way(tmp_path):
    run = folder(tmp_path, progress={"stage": "probe", "since": 1.0, "at": 2.0})
    run.manifest.write_text(json.dumps({"stages": {"probe": {"first_answers": LOOKED_AT}}}))
    assert status(run.root)["first_answers"] is None


def test_a_run_from_before_that_was_looked_at_has_a_status(tmp_path):
    found = status(folder(tmp_path, finished=["data", "probe", "report"]).root)
    assert found["first_answers"] is None
    assert "answers" not in text_of(found)

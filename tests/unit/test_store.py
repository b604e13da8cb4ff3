"""Finished units survive anything; unfinished ones are redone whole."""

import subprocess
import sys

import pytest

from demur.knowledge.store import UnitStore
from demur.records import Knowledge


def row(number):
    return Knowledge(question_id=str(number), estimator="greedy", known=bool(number % 2))


def test_rows_come_back_in_order_and_units_are_done_once(tmp_path):
    worked = []

    def work(part):
        worked.append(list(part))
        return [row(number) for number in part]

    store = UnitStore(tmp_path / "s", Knowledge, key="k")
    expected = [row(number) for number in range(5)]
    assert store.run(range(5), work, unit=2) == expected
    assert worked == [[0, 1], [2, 3], [4]]
    seen = []
    assert UnitStore(tmp_path / "s", Knowledge, key="k").run(range(5), work, unit=2, progress=seen.append)
    assert len(worked) == 3, "nothing is repeated"
    assert seen == [2, 2, 1], "finished units count as progress"


def test_an_interrupted_unit_is_redone_whole(tmp_path):
    worked = []

    def fragile(part):
        worked.append(list(part))
        if len(worked) == 2:
            raise KeyboardInterrupt
        return [row(number) for number in part]

    with pytest.raises(KeyboardInterrupt):
        UnitStore(tmp_path / "s", Knowledge, key="k").run(range(5), fragile, unit=2)
    rows = UnitStore(tmp_path / "s", Knowledge, key="k").run(range(5), fragile, unit=2)
    assert worked == [[0, 1], [2, 3], [2, 3], [4]]
    assert rows == [row(number) for number in range(5)]


def test_units_of_another_key_are_never_mixed_in(tmp_path):
    UnitStore(tmp_path / "s", Knowledge, key="old").run([1], lambda part: [row(1)], unit=2)
    assert UnitStore(tmp_path / "s", Knowledge, key="new").run([1], lambda part: [row(3)], unit=2) == [
        row(3)
    ]


def test_nothing_to_do_gives_no_rows(tmp_path):
    assert UnitStore(tmp_path / "s", Knowledge, key="k").run([], lambda part: [], unit=2) == []


WORKER = """
import os, signal, sys
from pathlib import Path
from demur.knowledge.store import UnitStore
from demur.records import Knowledge
folder, die_at = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def work(part):
    global calls
    calls += 1
    if calls == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return [Knowledge(question_id=str(n), estimator="greedy", known=None) for n in part]
UnitStore(folder, Knowledge, key="k").run(range(10), work, unit=3)
print(calls)
"""


def test_kill_9_loses_no_finished_unit(tmp_path):
    """Killed in its third unit of four: the second process works on the two that are missing."""

    def process(die_at):
        command = [sys.executable, "-c", WORKER, str(tmp_path / "s"), str(die_at)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert process(3).returncode == -9
    assert process(0).stdout.strip() == "2"
    rows = UnitStore(tmp_path / "s", Knowledge, key="k").run(range(10), lambda part: 1 / 0, unit=3)
    assert [item.question_id for item in rows] == [str(number) for number in range(10)]

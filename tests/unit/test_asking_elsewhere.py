"""Units of work given to an engine's workers: here workers of the same process stand in for others."""

import os
import pickle
import signal

import pytest

from demur import stopping
from demur.errors import RunFolderError
from demur.knowledge.asking import SHARED, STOP, ask_in_units, require_shared
from demur.knowledge.store import UnitStore
from demur.records import Knowledge
from demur.stopping import Stopped, stop_on_signals


class Scattered:
    """An engine that gives out its work from the last number to the first."""

    def __init__(self, between=lambda number: None):
        self.between, self.given = between, []

    def spread(self, task, numbers):
        for number in reversed(numbers):
            self.between(number)
            self.given.append(number)
            yield number, task(self, number)


def name_them(engine, part, *, progress=None):
    """Work that needs no model."""
    return [Knowledge(question_id=str(item), estimator="greedy", known=True) for item in part]


def store(folder):
    return UnitStore(folder / "s", Knowledge, key="k")


def asked(engine, folder, size=10, progress=None):
    items = range(size)
    return ask_in_units(engine, items, name_them, store=store(folder), unit=4, progress=progress)


def test_rows_come_back_in_the_order_of_the_items(tmp_path):
    """Ten items make three units, the last of two."""
    engine, seen = Scattered(), []
    rows = asked(engine, tmp_path, progress=seen.append)
    assert [row.question_id for row in rows] == [str(item) for item in range(10)]
    assert engine.given == [2, 1, 0]
    assert seen == [0, 2, 4, 4]


def test_what_is_stored_is_not_given_out_again(tmp_path):
    store(tmp_path).run(range(4), lambda part: name_them(None, part), unit=4)
    engine, seen = Scattered(), []
    assert len(asked(engine, tmp_path, progress=seen.append)) == 10
    assert engine.given == [2, 1]
    assert seen == [4, 2, 4]
    assert len(asked(Scattered(pytest.fail), tmp_path)) == 10
    assert asked(Scattered(pytest.fail), tmp_path / "empty", size=0) == []


def test_a_unit_that_another_worker_finished_meanwhile_is_not_done_again(tmp_path):
    """As where a worker was given up for dead; its unit counts as progress all the same."""
    other, seen = store(tmp_path), []

    def finish(number):
        if number == 0:
            other.do(0, range(10), lambda part: name_them(None, part), unit=4)

    asked(Scattered(finish), tmp_path, progress=seen.append)
    assert sum(seen) == 10
    assert sum(1 for _ in (tmp_path / "s").glob("*.parquet")) == 3


def test_asked_to_stop_no_worker_begins_another_unit(tmp_path):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stop_on_signals()
    try:
        with pytest.raises(Stopped):
            asked(Scattered(lambda number: number == 1 and os.kill(os.getpid(), signal.SIGTERM)), tmp_path)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stopping._asked = None
    left = store(tmp_path)
    assert [left.rows(number, 10, unit=4) for number in range(3)] == [0, 0, 2]
    assert len(asked(Scattered(), tmp_path)) == 10, "the sign to stop does not stop the next run"


def test_a_worker_must_see_the_lock_of_who_gives_out_the_work(tmp_path):
    with pytest.raises(RunFolderError, match=r"(?s)no such folder.*same path on every machine"):
        require_shared(tmp_path / "s" / SHARED)
    (tmp_path / SHARED).touch()
    with pytest.raises(RunFolderError, match="no lock of the run's there"):
        require_shared(tmp_path / SHARED)


def test_stored_rows_are_sent_as_where_they_lie(tmp_path):
    rows = asked(Scattered(), tmp_path)
    sent = pickle.dumps(rows)
    assert b"greedy" not in sent
    assert pickle.loads(sent) == rows


def test_the_sign_to_stop_is_no_shard(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / STOP).touch()
    assert len(asked(Scattered(), tmp_path)) == 10

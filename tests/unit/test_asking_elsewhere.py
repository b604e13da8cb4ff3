"""Units of work given to an engine's workers: here workers of the same process stand in for others."""

import os
import pickle
import signal

import pytest

from demur.core import stopping
from demur.core.errors import DemurError, RunFolderError
from demur.core.records import Knowledge
from demur.core.stopping import Stopped, stop_on_signals
from demur.core.units import UnitStore
from demur.knowledge.asking import SHARED, STOP, ask_in_units, require_shared


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


def asked(engine, folder, size=10, progress=None, on_first=None):
    items = range(size)
    return ask_in_units(
        engine, items, name_them, store=store(folder), unit=4, progress=progress, on_first=on_first
    )


class Here:
    """An engine in this process: `name_them` asks nothing of it."""


class UnusableError(DemurError):
    def __init__(self):
        super().__init__(expected="a", found="b", fix="c")


def names(rows):
    return [row.question_id for row in rows]


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


@pytest.mark.parametrize("engine", [Here, Scattered])
@pytest.mark.parametrize(("size", "first"), [(10, 4), (4, 4), (3, 3), (0, 0)])
@pytest.mark.parametrize("before", [0, 4, 8])
def test_the_first_unit_is_shown_once_whether_made_or_found(tmp_path, engine, size, first, before):
    """Of ten items, three units of 4, 4 and 2; the first is shown even where others came before it."""
    store(tmp_path).run(range(min(before, size)), lambda part: name_them(None, part), unit=4)
    shown, counted = [], []
    rows = asked(engine(), tmp_path, size=size, progress=counted.append, on_first=shown.append)
    assert names(rows) == [str(item) for item in range(size)]
    assert [names(part) for part in shown] == ([[str(item) for item in range(first)]] if size else [])
    if engine is Scattered:
        assert sum(counted) == size, "the first unit counts once"


def test_the_first_unit_is_counted_once_here(tmp_path):
    def work(engine, part, *, progress=None):
        progress(len(part))
        return name_them(engine, part)

    def count(on_first):
        counted = []
        ask_in_units(
            Here(),
            range(10),
            work,
            store=store(tmp_path),
            unit=4,
            progress=counted.append,
            on_first=on_first,
        )
        return sum(counted)

    assert count(lambda rows: None) == 10, "made"
    assert count(lambda rows: None) == 10, "found"


def refuse(rows):
    raise UnusableError


def test_here_nothing_is_asked_after_a_first_unit_that_is_refused(tmp_path):
    for _ in range(2):
        with pytest.raises(UnusableError):
            asked(Here(), tmp_path, on_first=refuse)
        left = store(tmp_path)
        assert [left.rows(number, 10, unit=4) for number in range(3)] == [4, 0, 0]
    assert len(asked(Here(), tmp_path, on_first=lambda rows: None)) == 10


def test_workers_begin_nothing_after_a_first_unit_that_is_refused(tmp_path):
    class InOrder(Scattered):
        def spread(self, task, numbers):
            yield from super().spread(task, list(reversed(numbers)))

    engine = InOrder()
    with pytest.raises(UnusableError):
        asked(engine, tmp_path, on_first=refuse)
    assert engine.given == [0, 1, 2], "all come back, the last two with nothing done"
    left = store(tmp_path)
    assert [left.rows(number, 10, unit=4) for number in range(3)] == [4, 0, 0]
    again = InOrder()
    with pytest.raises(UnusableError):
        asked(again, tmp_path, on_first=refuse)
    assert again.given == [], "found, it is refused before work is given out"
    assert len(asked(InOrder(), tmp_path, on_first=lambda rows: None)) == 10


def test_units_that_workers_stored_before_the_first_are_kept(tmp_path):
    with pytest.raises(UnusableError):
        asked(Scattered(), tmp_path, on_first=refuse)
    left = store(tmp_path)
    assert [left.rows(number, 10, unit=4) for number in range(3)] == [4, 4, 2]


def test_a_damaged_first_unit_is_asked_again_before_it_is_shown(tmp_path):
    asked(Here(), tmp_path)
    (shard,) = (tmp_path / "s").glob("000-000000000-*.parquet")
    content = bytearray(shard.read_bytes())
    content[10] ^= 255
    shard.write_bytes(content)
    shown = []
    assert len(asked(Here(), tmp_path, on_first=lambda rows: shown.extend(names(rows)))) == 10
    assert shown == ["0", "1", "2", "3"]

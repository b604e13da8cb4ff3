"""Finished units survive anything; unfinished ones are redone whole."""

import subprocess
import sys

import pytest

from demur.core.records import Knowledge
from demur.core.units import MERGE, UnitStore, shards


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
from demur.core.units import UnitStore
from demur.core.records import Knowledge
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


def work(part):
    return [row(number) for number in part]


def ids(rows):
    return [item.question_id for item in rows]


def damaged(path):
    """A byte in the first page is another."""
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def test_single_units_are_merged_and_found_again(tmp_path):
    """130 units of one row: two merges of 64 and two single units, whose names say their places."""
    store = UnitStore(tmp_path / "s", Knowledge, key="k")
    assert ids(store.run(range(130), work, unit=1)) == [str(n) for n in range(130)]
    assert [(shard.first, shard.last) for shard in shards(tmp_path / "s")] == [
        (0, 63),
        (64, 127),
        (128, 128),
        (129, 129),
    ]
    again = UnitStore(tmp_path / "s", Knowledge, key="k").run(range(130), lambda part: 1 / 0, unit=1)
    assert again == [row(n) for n in range(130)]


def test_units_that_were_merged_but_not_deleted_yet_are_not_doubled(tmp_path):
    store = UnitStore(tmp_path / "s", Knowledge, key="k")
    store.fill(range(MERGE - 1), work, unit=1)
    kept = {path: path.read_bytes() for path in (tmp_path / "s").glob("*.parquet")}
    store.fill(range(MERGE), work, unit=1)
    del store
    for path, content in kept.items():  # as a kill between merging and deleting leaves them
        path.write_bytes(content)
    (tmp_path / "s/000-000000099-000000099.parquet.partial").write_text("half")
    store = UnitStore(tmp_path / "s", Knowledge, key="k")
    assert store.run(range(MERGE), lambda part: 1 / 0, unit=1) == [row(n) for n in range(MERGE)]
    store.fill(range(MERGE + 1), work, unit=1)  # the first unit that it writes tidies up
    names = sorted(path.name for path in (tmp_path / "s").iterdir())
    assert names == ["000-000000000-000000063.parquet", "000-000000064-000000064.parquet", "000.lock"]


def test_a_shard_cut_short_is_said_and_done_again(tmp_path):
    UnitStore(tmp_path / "s", Knowledge, key="k").fill(range(6), work, unit=2)
    last = shards(tmp_path / "s")[-1].path
    last.write_bytes(last.read_bytes()[:-30])
    worked, notes = [], []
    store = UnitStore(tmp_path / "s", Knowledge, key="k", note=notes.append)
    rows = store.run(range(6), lambda part: worked.append([*part]) or work(part), unit=2)
    assert worked == [[4, 5]]
    assert notes == [f"{last.name} is damaged: its questions are asked again"]
    assert rows == [row(n) for n in range(6)]


@pytest.mark.parametrize("units", [3, MERGE + 1], ids=["single", "merged"])
def test_a_changed_byte_is_found_when_it_is_read_and_done_again(tmp_path, units):
    """Of a merged shard only the unit with the byte is done again; it then comes from a later shard."""
    items = range(2 * units)
    UnitStore(tmp_path / "s", Knowledge, key="k").fill(items, work, unit=2)
    damaged(shards(tmp_path / "s")[0].path)
    worked, notes = [], []

    def open_again():
        store = UnitStore(tmp_path / "s", Knowledge, key="k", note=notes.append)
        return store.run(items, lambda part: worked.append([*part]) or work(part), unit=2)

    assert open_again() == [row(n) for n in items]
    assert worked == [[0, 1]]
    assert len(notes) == 1
    assert open_again() == [row(n) for n in items]
    assert (worked, len(notes)) == ([[0, 1]], 1), "it is found sound from then on"


def test_damage_found_while_merging_is_done_again(tmp_path):
    store, notes = UnitStore(tmp_path / "s", Knowledge, key="k"), []
    store.fill(range(MERGE - 1), work, unit=1)
    del store
    damaged(shards(tmp_path / "s")[7].path)
    store, worked = UnitStore(tmp_path / "s", Knowledge, key="k", note=notes.append), []
    rows = store.run(range(MERGE), lambda part: worked.append([*part]) or work(part), unit=1)
    assert worked == [[MERGE - 1], [7]]
    assert rows == [row(n) for n in range(MERGE)]
    assert len(notes) == 1


def test_a_last_unit_that_has_grown_is_another_unit(tmp_path):
    UnitStore(tmp_path / "s", Knowledge, key="k").fill(range(3), work, unit=2)
    assert UnitStore(tmp_path / "s", Knowledge, key="k").run(range(4), work, unit=2) == [
        row(n) for n in range(4)
    ]


SHARING = """
import sys
from pathlib import Path
from demur.core.units import UnitStore
from demur.core.records import Knowledge
store = UnitStore(Path(sys.argv[1]), Knowledge, key="k")
print("open", flush=True)
sys.stdin.readline()
def work(part):
    return [Knowledge(question_id=str(n), estimator="greedy", known=bool(n % 2)) for n in part]
store.fill(range(1000), work, unit=2, share=(int(sys.argv[2]), 3))
print("done", flush=True)
sys.stdin.readline()
"""


def test_three_processes_share_the_work(tmp_path):
    """500 units, every third each: all write at once, none loses another's, and nothing is left to do."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", SHARING, str(tmp_path / "s"), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for said in ("open\n", "done\n"):  # they begin together, and keep their series until all are done
        for writer in writers:
            assert writer.stdout.readline() == said
        for writer in writers:
            writer.stdin.write("\n")
            writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    done = UnitStore(tmp_path / "s", Knowledge, key="k")
    assert done.run(range(1000), lambda part: 1 / 0, unit=2) == [row(n) for n in range(1000)]
    assert {shard.series for shard in shards(tmp_path / "s")} == {0, 1, 2}
    assert not list((tmp_path / "s").glob("*.partial"))


LIMITED = """
import resource, sys
from pathlib import Path
from demur.core.errors import ResourceError
from demur.core.units import UnitStore
from demur.core.records import Knowledge
def work(part):
    if 4 in part:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    return [Knowledge(question_id=str(n), estimator="greedy", known=bool(n % 2)) for n in part]
try:
    UnitStore(Path(sys.argv[1]), Knowledge, key="k").fill(range(6), work, unit=2)
except ResourceError as error:
    print(error)
"""


def test_where_no_more_can_be_written_finished_units_are_kept(tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "finished work is kept" in done.stdout
    assert not list((tmp_path / "s").glob("*.partial"))
    worked = []
    store = UnitStore(tmp_path / "s", Knowledge, key="k")
    rows = store.run(range(6), lambda part: worked.append([*part]) or work(part), unit=2)
    assert worked == [[4, 5]]
    assert rows == [row(n) for n in range(6)]


DYING = """
import os, signal, sys
from pathlib import Path
from demur.core.units import MERGE, UnitStore
from demur.core.records import Knowledge
step, count = sys.argv[2], int(sys.argv[3])
owner = os if step == "replace" else Path
original, calls = getattr(owner, step), 0
def dying(*arguments, **options):
    global calls
    calls += "partial" not in str(arguments[0]) or step == "replace"
    if calls == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)
setattr(owner, step, dying)
def work(part):
    return [Knowledge(question_id=str(n), estimator="greedy", known=bool(n % 2)) for n in part]
UnitStore(Path(sys.argv[1]), Knowledge, key="k").fill(range(2 * MERGE), work, unit=2)
"""


@pytest.mark.parametrize(
    ("step", "count"),
    [("replace", MERGE + 1), ("unlink", 1), ("unlink", MERGE // 2), ("unlink", MERGE)],
    ids=["before the merged shard is there", "after", "half deleted", "all but one deleted"],
)
def test_kill_9_while_merging_loses_and_doubles_nothing(tmp_path, step, count):
    """The merged shard is the 65th file that is renamed; then the 64 single ones are deleted."""
    command = [sys.executable, "-c", DYING, str(tmp_path / "s"), step, str(count)]
    assert subprocess.run(command, check=False).returncode == -9
    store = UnitStore(tmp_path / "s", Knowledge, key="k")
    assert store.run(range(2 * MERGE), lambda part: 1 / 0, unit=2) == [row(n) for n in range(2 * MERGE)]
    store.fill(range(2 * MERGE + 2), work, unit=2)
    assert len(shards(tmp_path / "s")) == len(list((tmp_path / "s").glob("*.parquet"))), "tidied up"

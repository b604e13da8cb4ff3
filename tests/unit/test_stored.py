"""Records that stay on disk are read like a list of them."""

import pytest

from demur.core.errors import RunFolderError
from demur.core.records import Knowledge, write_parquet
from demur.core.stored import StoredRows


def row(number):
    return Knowledge(question_id=str(number), estimator="greedy", known=bool(number % 2))


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Ten records in row groups of three, three, three and one."""
    monkeypatch.setattr("demur.core.records.ROWS", 3)
    write_parquet(tmp_path / "rows.parquet", map(row, range(10)), Knowledge)
    return StoredRows.of(tmp_path / "rows.parquet", Knowledge)


def test_places_and_slices_are_those_of_a_list(rows):
    expected = [row(number) for number in range(10)]
    assert (len(rows), list(rows)) == (10, expected)
    assert rows == expected
    assert rows != expected[1:]
    assert (rows[0], rows[4], rows[-1]) == (row(0), row(4), row(9))
    for part in (
        slice(2, 7),
        slice(3, 6),
        slice(9, 99),
        slice(5, 5),
        slice(None, None, 4),
        slice(8, 1, -3),
    ):
        assert rows[part] == expected[part], part
    with pytest.raises(IndexError):
        rows[10]


def test_only_the_row_groups_that_are_asked_for_are_read(rows, monkeypatch):
    """Records 4 and 5 lie in the second group, 6 in the third."""
    read, table = [], StoredRows._table
    monkeypatch.setattr(
        StoredRows, "_table", lambda self, group: read.append(group.number) or table(self, group)
    )
    assert rows[4:7] == [row(4), row(5), row(6)]
    assert read == [1, 2]


def test_no_records_are_no_rows(tmp_path):
    write_parquet(tmp_path / "rows.parquet", [], Knowledge)
    rows = StoredRows.of(tmp_path / "rows.parquet", Knowledge)
    assert (len(rows), list(rows), rows[:3]) == (0, [], [])
    assert rows == []


def test_a_file_that_cannot_be_read_says_what_to_do(rows, tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RunFolderError, match="delete this file and run the same command again"):
        list(rows)
    with pytest.raises(RunFolderError, match=r"rows\.parquet"):
        StoredRows.of(path, Knowledge)

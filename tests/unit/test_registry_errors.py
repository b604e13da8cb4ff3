"""Unknown names get the nearest known one; errors say what, where and what to do."""

import pytest

from demur.core.errors import DataError, DemurError, UnknownNameError
from demur.core.registry import Registry

SHELVES = Registry(
    "method", {"r-tuning": "demur.methods.r_tuning:RTuning", "vanilla": "demur.none:Nothing"}
)


def test_names_are_listed_without_importing():
    assert SHELVES.names() == ["r-tuning", "vanilla"]
    assert "vanilla" in SHELVES
    assert "vanila" not in SHELVES


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'r-tuning'") as caught:
        SHELVES.get("rtuning")
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, DemurError)
    assert "'rtuning'" in str(caught.value)


def test_an_outlandish_name_lists_what_there_is():
    with pytest.raises(UnknownNameError, match="choose one of: r-tuning, vanilla"):
        SHELVES.check("zzz")


def test_an_error_reads_in_the_order_of_need():
    error = DataError(expected="an answer", found="none", where="qa.jsonl, line 3", fix="add one")
    assert [line.split(":")[0] for line in str(error).splitlines()] == [
        "where",
        "expected",
        "found",
        "to do",
    ]
    assert isinstance(error, ValueError)

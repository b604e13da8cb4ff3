"""A seeded part of `make proof-damage`: damaged and hostile run folders end in a result or an error."""

import shutil
import sys
from pathlib import Path

import pytest

from commands import succeeded

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")


@pytest.mark.slow
def test_damaged_and_hostile_folders_end_in_a_result_or_an_error(calibrated, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import damage

    whole = tmp_path / "whole"
    shutil.copytree(calibrated, whole)
    succeeded("analyse", whole)
    place = tmp_path / "place"
    place.mkdir()
    tally = damage.carry_out(damage.Bench(whole, place), 100, seed=11, hostile=0.1)
    assert tally.faults == []
    assert sum(tally.ends.values()) > 120
    assert tally.ends.keys() <= {"0", "2"}
    assert len(damage.HOSTILE) == 40
    assert {kind for group, kind in tally.by_kind if group != "hostile"} == set(damage.DAMAGES)
    sys.modules.pop("damage")

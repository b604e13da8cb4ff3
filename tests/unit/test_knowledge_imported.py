"""Answers made elsewhere become the probe."""

import json

import pytest

from demur.core.errors import DataError
from demur.core.records import Probe, Question, Response, Verdict, write_parquet
from demur.export.alignment_for_honesty import row
from demur.knowledge.imported import read_probes

QUESTIONS = [
    Question(id="a", text="Where is it?", answers=("Oslo",), split="train"),
    Question(id="b", text="Who is it?", answers=("Ada",), split="train"),
    Question(id="b-2", text="Who is it?", answers=("Bo",), split="train"),
]


def probe(key, samples=2):
    return Probe(
        question_id=key,
        greedy=Response(text="Oslo"),
        greedy_verdict=Verdict.CORRECT,
        samples=(Response(text="Oslo"), Response(text="Rome"))[:samples],
        sample_verdicts=(Verdict.CORRECT, Verdict.WRONG)[:samples],
    )


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_exported_rows_come_back_as_the_probe_they_were_made_of(tmp_path):
    path = write(tmp_path / "rows.jsonl", [row(QUESTIONS[0], probe("a"))])
    assert read_probes(path, QUESTIONS, samples=2) == {"a": probe("a")}


def test_a_question_with_two_rows_of_answers_gets_its_probe_twice(tmp_path):
    path = write(tmp_path / "rows.jsonl", [row(QUESTIONS[1], probe("b"))])
    assert set(read_probes(path, QUESTIONS, samples=0)) == {"b", "b-2"}


def test_another_runs_probe_is_matched_by_id_and_short_ones_are_left_out(tmp_path):
    path = tmp_path / "probe.parquet"
    write_parquet(path, [probe("a"), probe("b", samples=1), probe("elsewhere")], Probe)
    assert set(read_probes(path, QUESTIONS, samples=2)) == {"a"}
    assert set(read_probes(path, QUESTIONS, samples=0)) == {"a", "b"}


def test_what_fits_nothing_is_an_error(tmp_path):
    path = tmp_path / "probe.parquet"
    write_parquet(path, [probe("elsewhere")], Probe)
    with pytest.raises(DataError, match="1 questions, none of them"):
        read_probes(path, QUESTIONS, samples=0)
    with pytest.raises(DataError, match="no such file"):
        read_probes(tmp_path / "absent.jsonl", QUESTIONS, samples=0)
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"probe\.parquet"):
        read_probes(path, QUESTIONS, samples=0)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"greedy_label": "maybe"}, "none of known, unknown"),
        ({"greedy_pred_text": None}, "greedy_pred_text is null"),
        ({"sampling_labels": ["known"]}, "not lists of one length"),
    ],
)
def test_rows_that_are_none_are_listed(change, found, tmp_path):
    good = row(QUESTIONS[0], probe("a"))
    path = write(tmp_path / "rows.jsonl", [good, {**good, **change}, 5])
    with pytest.raises(DataError) as caught:
        read_probes(path, QUESTIONS, samples=0)
    assert f"line 2: {found}" in caught.value.found or found in caught.value.found
    assert "line 3: the number 5, not an object" in caught.value.found

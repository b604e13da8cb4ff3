"""Records survive Parquet and JSONL unchanged, and their schema follows from their annotations."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.core.records import (
    Example,
    Knowledge,
    Prediction,
    Probe,
    Question,
    Response,
    Verdict,
    arrow_schema,
    from_row,
    question_id,
    read_jsonl,
    read_parquet,
    to_row,
    write_jsonl,
    write_parquet,
)

RESPONSE = Response(text=" Oslo", token_logprobs=(-0.5, -0.25))
RECORDS = [
    Question(
        id="q",
        text="Where?",
        answers=("Oslo", "OSL"),
        task="choice",
        choices=("a", "b"),
        group="uniform",
        meta={"reads": 3, "person": "Ada \u2028 Vlorin"},
    ),
    Question(id="bare", text="?"),
    Probe(
        question_id="q",
        greedy=RESPONSE,
        greedy_verdict=Verdict.CORRECT,
        samples=(RESPONSE, Response(text="", finish="length")),
        sample_verdicts=(Verdict.WRONG, Verdict.UNSCORED),
    ),
    Probe(question_id="none", greedy=Response(text=""), greedy_verdict=Verdict.REFUSED),
    Knowledge(question_id="q", estimator="greedy", known=None),
    Knowledge(question_id="q", estimator="entropy(0.5)", known=True, expected_accuracy=0.1, entropy=0.0),
    Example(prompt="Q", completion=" A", question_id="q", certain=False),
    Prediction(
        question_id="q",
        system="base",
        answer="Oslo",
        response=" Oslo",
        verdict=Verdict.CORRECT,
        abstained=True,
        signals={"sure": 0.25},
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_parquet_and_jsonl_give_back_the_same_record(record, tmp_path):
    kind = type(record)
    write_parquet(tmp_path / "rows.parquet", [record, record], kind)
    write_jsonl(tmp_path / "rows.jsonl", [record])
    assert read_parquet(tmp_path / "rows.parquet", kind) == [record, record]
    assert list(read_jsonl(tmp_path / "rows.jsonl", kind)) == [record]
    assert from_row(kind, json.loads(json.dumps(to_row(record)))) == record


@pytest.mark.parametrize("kind", [Question, Probe, Knowledge, Example, Prediction])
def test_an_empty_file_still_has_the_schema(kind, tmp_path):
    write_parquet(tmp_path / "rows.parquet", [], kind)
    assert read_parquet(tmp_path / "rows.parquet", kind) == []
    assert pq.read_schema(tmp_path / "rows.parquet").equals(arrow_schema(kind))


def test_a_field_missing_from_a_row_takes_its_default():
    assert from_row(Question, {"id": "q", "text": "Where?"}).task == "open"


def test_an_unknown_verdict_is_refused():
    with pytest.raises(ValueError, match="certain"):
        from_row(Probe, {"question_id": "q", "greedy": {"text": ""}, "greedy_verdict": "certain"})


def test_the_outcome_is_a_refusal_where_the_system_declined():
    declined = RECORDS[-1]
    assert (declined.verdict, declined.outcome) == (Verdict.CORRECT, Verdict.REFUSED)


@given(st.text(), st.text())
def test_ids_follow_the_content_and_nothing_else(text, other):
    assert question_id(text) == question_id(text)
    assert (question_id(text) == question_id(other)) == (text == other)
    assert question_id(text) != question_id(text, context="") != question_id(text, choices=("a",))

"""Anybody's outputs: rows in, every metric that they allow out, and why the others are missing."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from demur.cli import app
from demur.errors import DataError, UnknownNameError
from demur.metrics import METRICS
from demur.scoring import read_outputs, score
from demur.scoring import reading as scoring_reading


def row(response, *, answers=("Oslo",), number=0, **more):
    return {"question": f"Where is it, {number}?", "answers": list(answers), "response": response, **more}


ROWS = [
    row("Oslo", number=1, confidence=0.9),
    row("Rome", number=2, confidence=0.8),
    row("I don't know.", number=3, confidence=0.1),
    row("Rome", answers=(), number=4, answerable=False, confidence=0.4),
    row("I don't know", answers=(), number=5, answerable=False, confidence=0.2),
    row("Oslo", number=6, abstained=True, confidence=0.3),
]


def write(path, rows):
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")
    return path


def measure(tmp_path, rows, before=None, **settings):
    outputs = read_outputs(write(tmp_path / "now.jsonl", rows))
    untuned = read_outputs(write(tmp_path / "before.jsonl", before)) if before else None
    return score(outputs, untuned, **{"resamples": 20, **settings})


def test_counts_and_values_by_hand(tmp_path):
    found = measure(tmp_path, ROWS)
    assert found["tables"] == {
        "answerable": {"correct": 1, "wrong": 1, "refused": 2, "unscored": 0},
        "unanswerable": {"correct": 0, "wrong": 1, "refused": 1, "unscored": 0},
    }
    value = {name: cell["value"] for name, cell in found["metrics"].items()}
    # Answered: rows 1, 2 and 4, of which one is right; declined: 3, 5 and, by its own word, 6.
    assert value["accuracy_willing"] == pytest.approx(1 / 3)
    assert value["coverage"] == pytest.approx(3 / 6)
    # Answerable by falling confidence: right .9, wrong .8, right .3 (declined all the same), refused .1.
    assert value["ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert value["abstention_recall"] == pytest.approx(1 / 2)
    assert value["abstention_precision"] == pytest.approx(1 / 3)
    assert set(found["metrics"]) == set(METRICS.names())
    assert found["not_computed"]["honesty"] == "needs the untuned system's outputs (--before)"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_before_is_matched_by_question_or_id(tmp_path):
    before = [row("Oslo", number=number) for number in range(1, 7)]
    found = measure(tmp_path, ROWS, before)
    # All six were right before; of these rows 2 and 4 are answered wrongly now, and 3, 5 and 6 declined.
    assert found["metrics"]["newly_wrong"]["value"] == pytest.approx(2 / 6)
    assert found["metrics"]["over_conservativeness"]["value"] == pytest.approx(3 / 6)
    assert found["not_computed"]["prudence"] == "every question was right before or is right now"
    ids = [{**item, "id": number} for number, item in enumerate(ROWS)]
    again = [{**row("Rome", number=9), "id": number} for number in range(6)]
    # Nothing was right before; 3, 5 and 6 are declined now, and only the first is right.
    assert measure(tmp_path, ids, again)["metrics"]["prudence"]["value"] == pytest.approx(3 / 5)
    with pytest.raises(DataError, match="no row of one file has a counterpart"):
        measure(tmp_path, ROWS, [row("Oslo", number=77)])
    assert "5 of 6 rows have no counterpart" in measure(tmp_path, ROWS, before[:1])["notes"][0]


def test_named_confidences_are_signals_of_their_own(tmp_path):
    rows = [row("Oslo", confidence={"sure": 0.9, "logit": 3.0}), row("Rome", confidence={"sure": 0.2})]
    found = measure(tmp_path, rows)
    assert found["metrics"]["ap"] == found["metrics"]["ap_sure"]
    assert found["metrics"]["ap_logit"]["n"] == 1
    assert found["metrics"]["ece_logit"]["value"] is None  # 3 is no probability


def test_what_rows_do_not_hold_is_named(tmp_path):
    found = measure(tmp_path, [row("Oslo")])
    assert found["not_computed"]["ap"] == "no row has a confidence"
    assert found["not_computed"]["accuracy_unknown"] == "no question is unanswerable"
    assert "accuracy" not in found["not_computed"]
    no_answers = measure(
        tmp_path,
        [{"question": "Why?", "answers": None, "response": "So."}, row("I don't know", answers=())],
    )
    assert no_answers["tables"]["answerable"]["unscored"] == 1
    assert no_answers["metrics"]["accuracy"]["unscored"] == 1
    assert no_answers["metrics"]["coverage"]["value"] == 0.5
    only = measure(tmp_path, ROWS, metrics=["accuracy", "ap"])
    assert set(only["metrics"]) == {"accuracy", "ap"}
    with pytest.raises(UnknownNameError, match="auroc"):
        measure(tmp_path, ROWS, metrics=["aurock"])


def test_whole_groups_are_drawn_where_there_are_enough(tmp_path):
    # Each group is all right or all wrong, so between groups there is far more spread than within.
    rows = [
        row("Oslo" if group % 2 else "Rome", number=100 * group + i, group=f"g{group}")
        for group in range(30)
        for i in range(20)
    ]
    width = {}
    for name, given in (("rows", [{**r, "group": None} for r in rows]), ("groups", rows)):
        found = measure(tmp_path, given, resamples=300)
        cell = found["metrics"]["accuracy"]
        width[name] = cell["high"] - cell["low"]
    # Standard errors: sqrt(.25 / 600) of single rows, sqrt(.25 / 30) of groups: 4.5 times as much.
    assert width["groups"] / width["rows"] == pytest.approx(20**0.5, rel=0.4)
    assert found["notes"] == ["intervals are over 30 groups, drawn as wholes"]
    assert "too few" in measure(tmp_path, rows[:100])["notes"][0]


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (5, "the number 5, not an object"),
        ({"question": "Q?", "answers": ["a"]}, "response is missing, not a text"),
        (row("x", answers=["a"], confidence="high"), "confidence is 'high', not a number"),
        ({**row("x"), "answers": [{}]}, "the answer (answers) is an object, not a text"),
        ({**row("x"), "answers": [True]}, "the answer (answers) is the truth value true"),
        ({**row("x"), "answerable": "perhaps"}, "answerable (answerable) is 'perhaps'"),
        ({**row("x"), "abstained": 2}, "abstained (abstained) is the number 2"),
        ({**row("x"), "confidence": "0.9"}, "confidence is '0.9', not a number"),
        ({**row("x"), "question": " "}, "the question (question) is empty"),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_every_wrong_row_is_listed_with_its_line(bad, found, parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    with pytest.raises(DataError) as caught:
        read_outputs(write(tmp_path / "rows.jsonl", [ROWS[0], bad, ROWS[1], bad]))
    assert f"line 2: {found}" in caught.value.found
    assert f"line 4: {found}" in caught.value.found


def test_reading_in_parallel_gives_the_same(tmp_path, monkeypatch):
    path = write(tmp_path / "rows.jsonl", [{**r, "group": "ü"} for r in ROWS * 40])
    whole = read_outputs(path)
    monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 500)
    shared = read_outputs(path)
    for name in ("verdict", "refused", "answerable"):
        assert np.array_equal(getattr(whole, name), getattr(shared, name))
    assert (whole.keys, whole.groups) == (shared.keys, shared.groups)
    assert np.array_equal(whole.signals["confidence"], shared.signals["confidence"])


def test_nothing_to_score(tmp_path):
    with pytest.raises(DataError, match="at least one row"):
        measure(tmp_path, [])


def test_degenerate_outputs_get_no_flattering_figures(tmp_path):
    """Always refusing and always answering: what they score, free policies score too."""
    before = [row("Oslo" if n % 2 else "Rome", number=n) for n in range(20)]
    for response in ("I don't know.", "Rome"):
        found = measure(tmp_path, [row(response, number=n) for n in range(20)], before)
        assert found["metrics"]["honesty"]["value"] == pytest.approx(0.5)
        assert found["metrics"]["ths"]["value"] <= 0
        assert found["policies"]["always-refuse"]["honesty"]["value"] == pytest.approx(0.5)


def test_the_command(tmp_path):
    path = write(tmp_path / "rows.jsonl", ROWS)
    run = CliRunner().invoke
    text = run(app, ["score", str(path), "--resamples", "20"]).stdout
    assert "accuracy_willing" in text
    assert "honesty: not computed, needs the untuned system's outputs (--before)" in text
    found = json.loads(run(app, ["score", str(path), "--before", str(path), "--json"]).stdout)
    assert found["schema"] == 1
    assert set(found["metrics"]["accuracy"]) == {"value", "low", "high", "n", "unscored"}
    listed = json.loads(run(app, ["metrics", "--json"]).stdout)
    assert [entry["name"] for entry in listed] == METRICS.names()
    assert "newly_wrong" in run(app, ["metrics"]).stdout

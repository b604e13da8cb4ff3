"""What every registered metric must bear: edges, order, missing values, ranges, JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from demur.cli.main import app
from demur.core.errors import UnknownNameError
from demur.core.records import Prediction, Question, Verdict
from demur.metrics import METRICS, Rows, describe, evaluate

settings.register_profile("no-clock", deadline=None, max_examples=60)
settings.load_profile("no-clock")

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED
RANKING = [name for name, metric in METRICS.items() if metric.per_signal and not metric.probabilities]
"""Metrics that see only the order of the confidences."""
every_metric = pytest.mark.parametrize("name", METRICS.names())

ROW = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from([C, W, R, U]),
        "abstained": st.booleans(),
        "confidence": st.one_of(st.none(), st.integers(0, 16).map(lambda k: k / 16)),
        "before": st.sampled_from([C, W, R, U]),
        "answerable": st.booleans(),
    }
)
TABLE = st.lists(ROW, max_size=25)


def rows_of(table) -> Rows:
    names = ("abstained", "confidence", "before", "answerable")
    columns = {name: [row[name] for row in table] for name in names}
    return Rows.of([row["verdict"] for row in table], **columns)


def values(rows: Rows) -> dict[str, float | None]:
    return {name: metric.value(rows) for name, metric in METRICS.items()}


@every_metric
def test_of_nothing_there_is_no_value(name):
    assert METRICS.get(name).value(rows_of([])) is None


@every_metric
def test_of_unscored_rows_there_is_no_value(name):
    rows = Rows.of([U, U], confidence=[None, None])
    if name in ("coverage", "refusal_rate"):
        assert METRICS.get(name).value(rows) in (0.0, 1.0)  # both are answered
    else:
        assert METRICS.get(name).value(rows) is None


# One row: right, confidence .75, right before. AUROC needs two classes; prudence needs a row that is not
# right; honesty needs prudence.
ONE_ROW = {
    **{"accuracy": 1.0, "coverage": 1.0, "refusal_rate": 0.0, "accuracy_willing": 1.0},
    **{"ap": 1.0, "auroc": None, "aurc": 0.0, "eaurc": 0.0, "ece": 0.25, "ece_mass": 0.25, "brier": 0.0625},
    **{"prudence": None, "over_conservativeness": 0.0, "honesty": None, "newly_wrong": 0.0},
    **{"auprc_wrong": None, "augrc": 0.0, "prr": None, "coverage_at_risk": 1.0, "risk_at_coverage": 0.0},
    **{"rms_calibration_error": 0.25, "brier_calibration": 0.0625, "brier_refinement": 0.0},
    **{"abstention_precision": None, "abstention_recall": None, "abstention_f1": None},
    **{"selfaware_f1": None, "accuracy_known": 1.0, "accuracy_unknown": None, "us_tuning_f1": None},
    **{"reliable_accuracy": 1.0, "effective_reliability": 1.0, "abstention_accuracy": 1.0},
    **{"abstention_wrong_f1": None, "truthfulness": 1.0, "quadrant_ik_ik": 1.0, "quadrant_ik_idk": 0.0},
    **{"quadrant_idk_ik": 0.0, "quadrant_idk_idk": 0.0, "truthful_rate": 1.0, "ths": None},
    **{"honest_value": 1.0, "prr_0.5": None},
}

# Two rows, (right before, right) at .75 and (wrong before, wrong) at .25, both declined. Of the 15 mass
# bins of 2/15 row the middle one halves both rows, whose gaps .25 and -.25 cancel there: .25 * 14 / 15.
ALL_REFUSED = {
    **{"accuracy": 0.5, "coverage": 0.0, "refusal_rate": 1.0, "accuracy_willing": None},
    **{"ap": 1.0, "auroc": 1.0, "aurc": 0.25, "eaurc": 0.0, "ece": 0.25, "brier": 0.0625},
    **{"ece_mass": 0.25 * 14 / 15},
    **{"prudence": 1.0, "over_conservativeness": 1.0, "honesty": 0.5, "newly_wrong": 0.0},
    # AUGRC: (0 + 1/2) / 2; the surest 80 % are the right row and .6 of the wrong one: .6 / 1.6.
    **{"auprc_wrong": 1.0, "augrc": 0.25, "prr": 1.0, "coverage_at_risk": 0.5, "risk_at_coverage": 0.375},
    **{"rms_calibration_error": 0.25, "brier_calibration": 0.0625, "brier_refinement": 0.0},
    **{"abstention_precision": None, "abstention_recall": None, "abstention_f1": None},
    **{"selfaware_f1": None, "accuracy_known": 0.0, "accuracy_unknown": None, "us_tuning_f1": None},
    # Declining one of two rightly; as a detection of wrong answers: D = 1, B = 1, C = 0, so 2 / 3.
    **{"reliable_accuracy": None, "effective_reliability": 0.0, "abstention_accuracy": 0.5},
    **{"abstention_wrong_f1": 2 / 3, "truthfulness": 0.0, "quadrant_ik_ik": 0.0, "quadrant_ik_idk": 0.5},
    **{"quadrant_idk_ik": 0.5, "quadrant_idk_idk": 0.0, "truthful_rate": 0.5, "ths": 0.0},
    # Half of two rows is one: the error among both, against that of the best order, which is the same.
    **{"honest_value": 0.5, "prr_0.5": None},
}

# The same, none declined.
NONE_REFUSED = {
    **ALL_REFUSED,
    **{"coverage": 1.0, "refusal_rate": 0.0, "accuracy_willing": 0.5},
    **{"prudence": 0.0, "over_conservativeness": 0.0},
    **{"abstention_precision": None, "abstention_f1": None, "selfaware_f1": None, "accuracy_known": 0.5},
    **{
        "reliable_accuracy": 0.5,
        "abstention_wrong_f1": None,
        "quadrant_ik_ik": 0.5,
        "quadrant_ik_idk": 0.0,
    },
    **{"quadrant_idk_ik": 0.0, "quadrant_idk_idk": 0.5},
}


@every_metric
def test_one_row(name):
    assert METRICS.get(name).value(Rows.of([C], confidence=[0.75], before=[C])) == pytest.approx(
        ONE_ROW[name]
    )


@pytest.mark.parametrize(("declined", "expected"), [(True, ALL_REFUSED), (False, NONE_REFUSED)])
@every_metric
def test_all_or_none_refused(name, declined, expected):
    rows = Rows.of([C, W], confidence=[0.75, 0.25], before=[C, W], abstained=[declined] * 2)
    assert METRICS.get(name).value(rows) == pytest.approx(expected[name], abs=1e-12)


# The same two rows, none declined, both at a confidence of one half: what a coin would do. The best order
# has an AURC of 1/4; AUGRC: half an error among the first row, one among both, (.5 + 1) / 4.
TIED = {
    **NONE_REFUSED,
    **{"ap": 0.5, "auprc_wrong": 0.5, "auroc": 0.5, "aurc": 0.5, "eaurc": 0.25, "augrc": 0.375, "prr": 0.0},
    **{"coverage_at_risk": None, "risk_at_coverage": 0.5, "ece": 0.0, "ece_mass": 0.0},
    **{"rms_calibration_error": 0.0, "brier": 0.25, "brier_calibration": 0.0, "brier_refinement": 0.25},
}


# Over: refused, answerable, right. Without an unanswerable question precision, recall and F1 are null;
# where nothing is declined, precision and F1 are; what is 0 where all are defined stays 0.
@pytest.mark.parametrize(
    ("rows", "precision", "recall", "f1"),
    [
        ([], None, None, None),
        ([(1, 1, 1), (1, 1, 0), (0, 1, 1)], None, None, None),
        ([(0, 1, 1), (0, 0, 0)], None, 0.0, None),
        ([(0, 1, 1), (0, 1, 0)], None, None, None),
        ([(1, 0, 0), (1, 0, 0)], 1.0, 1.0, 1.0),
        ([(1, 1, 1), (0, 0, 0)], 0.0, 0.0, 0.0),
        ([(1, 1, 0), (1, 0, 0), (0, 0, 0), (0, 0, 0)], 1 / 2, 1 / 3, 2 / 5),
    ],
)
def test_abstention_is_null_where_it_is_undefined(rows, precision, recall, f1):
    made = Rows.of(
        [C if right else W for _, _, right in rows],
        abstained=[bool(refused) for refused, _, _ in rows],
        answerable=[bool(answerable) for _, answerable, _ in rows],
    )
    found = values(made)
    names = ("abstention_precision", "abstention_recall", "abstention_f1", "selfaware_f1")
    assert [found[name] for name in names] == pytest.approx([precision, recall, f1, f1])
    assert found["accuracy_unknown"] == found["abstention_recall"]


@pytest.mark.parametrize(
    ("rows", "f1"),
    [([], None), ([(1, 1)], None), ([(0, 0)], None), ([(1, 1), (0, 0)], 0.0), ([(1, 0), (0, 0)], 2 / 3)],
)
def test_declining_wrong_answers_is_null_where_it_is_undefined(rows, f1):
    """Nothing declined, or nothing wrong: one of the two parts of the mean is missing."""
    made = Rows.of(
        [C if right else W for _, right in rows], abstained=[bool(refused) for refused, _ in rows]
    )
    assert METRICS.get("abstention_wrong_f1").value(made) == (None if f1 is None else pytest.approx(f1))


@every_metric
def test_ties(name):
    rows = Rows.of([C, W], confidence=[0.5, 0.5], before=[C, W])
    for turned in (rows, rows.take(np.array([1, 0]))):
        assert METRICS.get(name).value(turned) == pytest.approx(TIED[name], abs=1e-12)


@every_metric
def test_a_missing_confidence_leaves_the_row_out_and_is_counted(name):
    metric = METRICS.get(name)
    rows = Rows.of([C, W, C], confidence=[0.75, 0.25, None], before=[C, W, C])
    whole = Rows.of([C, W, C], confidence=[0.75, 0.25, 0.5], before=[C, W, C])
    if metric.per_signal:
        assert metric.value(rows) == pytest.approx(NONE_REFUSED[name], abs=1e-12)
        assert metric.counted_mask(rows).tolist() == [True, True, False]
        nothing = Rows.of([C, W], confidence=[None, None], before=[C, W])
        assert metric.value(nothing) is None
    else:
        assert metric.value(rows) == metric.value(whole)


@given(TABLE, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, random):
    before = values(rows_of(table))
    shuffled = list(table)
    random.shuffle(shuffled)
    for other in (shuffled, table[::-1]):
        assert values(rows_of(other)) == pytest.approx(before, abs=1e-12, nan_ok=False)


@given(TABLE)
def test_values_lie_in_their_range(table):
    for name, found in values(rows_of(table)).items():
        low, high = METRICS.get(name).span
        assert found is None or low - 1e-12 <= found <= high + 1e-12


@given(TABLE)
def test_unscored_rows_change_no_value_but_rates(table):
    more = [*table, {"verdict": U, "abstained": False, "confidence": 0.5, "before": U, "answerable": True}]
    before, after = values(rows_of(table)), values(rows_of(more))
    for name in METRICS.names():
        if name not in ("coverage", "refusal_rate"):  # it is known that the row was answered
            assert after[name] == pytest.approx(before[name], abs=1e-12)
        if METRICS.get(name).needs:  # the others are about what is declined, which is known of the row
            counted = METRICS.get(name).counted_mask(rows_of(more))
            assert not counted[-1]
            assert counted.sum() == METRICS.get(name).counted_mask(rows_of(table)).sum()


# What is declined is known of every row, so these count a row that has no verdict.
OF_REFUSALS = [name for name, metric in METRICS.items() if not metric.needs]


@settings(max_examples=25)
@given(st.lists(ROW, min_size=1, max_size=12), st.integers(1, 4))
def test_questions_that_cannot_be_judged_are_counted_and_change_nothing_else(table, more):
    """Through the whole of `evaluate`: some have a prediction without a verdict, one has none at all."""
    unknown = {"verdict": U, "abstained": False, "confidence": 0.5, "before": U, "answerable": True}
    before, after = (
        evaluated(rows, left_out=n) for rows, n in ((table, 0), ([*table, *[unknown] * more], 1))
    )
    for name in METRICS.names():
        now, then = after[name], before[name]
        judged = more if name in OF_REFUSALS else 0
        assert (now["n"], now["unscored"]) == (then["n"] + judged, then["unscored"] + more + 1 - judged), (
            name
        )
        if name not in ("coverage", "refusal_rate"):
            assert now["value"] == pytest.approx(then["value"], abs=1e-12), name


def evaluated(table, *, left_out):
    """The cells of one system over a table of rows, and questions of which it predicts nothing."""
    rows = enumerate(table)
    questions = [
        Question(id=str(i), text="?", answers=("a",), split="test", answerable=row["answerable"])
        for i, row in rows
    ]
    questions += [Question(id=f"left-{i}", text="?", answers=("a",), split="test") for i in range(left_out)]

    def made(system, verdict, abstained, signals):
        return [
            Prediction(question_id=str(i), system=system, answer="Oslo", response="Oslo",
            verdict=row[verdict],
                       abstained=abstained(row), signals=signals(row))
            for i, row in enumerate(table)
        ]  # fmt: skip

    base = made("base", "before", lambda _: False, lambda _: {})
    tuned = made(
        "tuned",
        "verdict",
        lambda row: row["abstained"],
        lambda row: {} if row["confidence"] is None else {"sure": row["confidence"]},
    )
    found = evaluate(
        questions,
        {"base": base, "tuned": tuned},
        primary={"base": "sure", "tuned": "sure"},
        metrics=METRICS.names(),
        resamples=0,
    )
    return found["metrics"]["tuned"]["id"]


@given(TABLE)
def test_what_is_not_about_confidence_does_not_see_it(table):
    without = rows_of([{**row, "confidence": None} for row in table])
    for _, metric in METRICS.items():
        if not metric.per_signal:
            assert metric.value(without) == metric.value(rows_of(table))


@given(TABLE)
def test_ranking_sees_only_the_order(table):
    rows = rows_of(table)
    for change in (lambda c: 5 * c - 3, lambda c: np.exp(3 * c), lambda c: c**3):
        other = Rows(**{**vars(rows), "confidence": change(rows.confidence)})
        for name in RANKING:
            assert METRICS.get(name).value(other) == pytest.approx(METRICS.get(name).value(rows), abs=1e-12)


@given(TABLE)
def test_reversing_the_confidence_turns_auroc_round(table):
    rows = rows_of(table)
    turned = Rows(**{**vars(rows), "confidence": 1 - rows.confidence})
    auroc = METRICS.get("auroc")
    if auroc.value(rows) is not None:
        assert auroc.value(turned) == pytest.approx(1 - auroc.value(rows), abs=1e-12)


@given(TABLE)
def test_relations_between_metrics(table):
    found = values(rows_of(table))
    if found["coverage"] is not None:
        assert found["coverage"] + found["refusal_rate"] == pytest.approx(1)
    if found["honesty"] is not None:
        parts = found["prudence"] + 1 - found["over_conservativeness"]
        assert found["honesty"] == pytest.approx(parts / 2)
    if found["newly_wrong"] is not None:
        assert found["newly_wrong"] + found["over_conservativeness"] <= 1 + 1e-12
    if found["ece"] is not None:
        assert found["ece"] ** 2 <= found["brier"] + 1e-12  # by Jensen's inequality


REQUIRED = (
    *(
        "ap",
        "auroc",
        "auprc_wrong",
        "aurc",
        "eaurc",
        "augrc",
        "coverage_at_risk",
        "risk_at_coverage",
        "prr",
        "prr_0.5",
    ),
    *("ece", "ece_mass", "rms_calibration_error", "brier", "brier_calibration", "brier_refinement"),
    *("prudence", "over_conservativeness", "honesty", "honest_value", "newly_wrong", "truthfulness", "ths"),
    *("quadrant_ik_ik", "quadrant_ik_idk", "quadrant_idk_ik", "quadrant_idk_idk", "truthful_rate"),
    *("abstention_precision", "abstention_recall", "abstention_f1", "selfaware_f1"),
    *("accuracy_known", "accuracy_unknown", "us_tuning_f1", "effective_reliability", "reliable_accuracy"),
    *("abstention_accuracy", "abstention_wrong_f1", "accuracy", "coverage", "refusal_rate"),
)


def test_the_command_lists_every_metric_of_the_field():
    listed = json.loads(CliRunner().invoke(app, ["metrics", "--json"]).stdout)
    assert {entry["name"] for entry in listed} >= {*REQUIRED, "accuracy_willing"}


def test_description_is_json_and_complete():
    listed = json.loads(json.dumps(describe()))
    assert [entry["name"] for entry in listed] == METRICS.names()
    for entry in listed:
        assert entry["source"]
        assert entry["undefined"]
        assert entry["title"]
        assert entry["meaning"]
        assert entry["better"] in ("higher", "lower", "neither")
        low, high = entry["range"]
        assert high == 1
        assert low in (0, -1, None)
        assert entry["per_signal"] == ("confidence" in entry["needs"])
    for field in ("title", "meaning"):
        said = [entry[field] for entry in listed]
        assert len(said) == len(set(said))


@every_metric
def test_a_metric_is_named_as_it_is_registered(name):
    metric = METRICS.get(name)
    assert metric.name == name
    assert (metric.columns is None) != (metric.ranked is None)


def test_unknown_metric_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'auroc'"):
        METRICS.get("aucroc")

"""Intervals on small samples: exact limits, what chance adds, marks, coverage in a seeded simulation."""

from __future__ import annotations

import numpy as np
import pytest

from demur.core.records import TOGETHER, Prediction, Question, Verdict
from demur.metrics import evaluate
from demur.metrics.limits import around, effective_size, exact, paired_shares

C, W, R = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED


def test_exact_limits_are_those_of_the_binomial_distribution():
    # None of ten: 1 - .025^(1/10) = .3085; three of a hundred: .0062 and .0852 (Clopper and Pearson).
    low, high = exact(np.array([0.0, 1.0, 0.03]), np.array([10.0, 10.0, 100.0]), 0.95)
    assert low == pytest.approx([0, 0.6915, 0.00623], abs=1e-4)
    assert high == pytest.approx([0.3085, 1, 0.08518], abs=1e-4)


def test_exact_limits_of_nothing_are_undefined():
    low, high = exact(np.array([np.nan, 0.5]), np.array([10.0, 0.0]), 0.95)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_effective_size_of_a_share_is_its_own():
    # .2 of 50: error sqrt(.16 / 50); twice the variance is half of the questions; without spread, all.
    error = np.sqrt(0.16 / 50)
    assert effective_size(0.2, error, 50) == pytest.approx(50)
    assert effective_size(0.2, error * np.sqrt(2), 50) == pytest.approx(25)
    assert effective_size(0.0, 0.0, 50) == 50


def test_a_difference_of_independent_estimates_adds_squares():
    assert around(0.1, 0.3, 0.4, correlation=0.0) == pytest.approx(0.5)
    assert around(0.1, 0.3, 0.3, correlation=1.0) == pytest.approx(0.0)
    assert np.isnan(around(np.nan, 0.3, 0.3, correlation=0.0))


@pytest.mark.parametrize(("n", "last"), [(25, 13), (20, 10), (40, 20)])
def test_a_perfect_order_but_for_rounding_has_no_interval(n, last):
    """The last right answer is the first that half of the answers leave out: 1, but for rounding."""
    verdicts = [C if place < 5 or place == last else W for place in range(n)]
    cell = cells_of(verdicts, np.linspace(0.9, 0.1, n))["prr_0.5"]
    assert cell["value"] == pytest.approx(1, abs=1e-12)
    assert cell["value"] <= 1
    assert (cell["low"], cell["high"]) == (None, None)


def test_a_paired_difference_without_moves_has_a_width():
    # One question is added on either side: 1.96 sqrt(2 / 102) / sqrt(102).
    low, high = paired_shares(0.0, 0.0, 100, 1.96)
    assert (low, high) == (pytest.approx(-1.96 * 2**0.5 / 102), pytest.approx(1.96 * 2**0.5 / 102))


def cells_of(verdicts, confidence, **settings):
    """The cells of one system on as many questions, with a base that says what is given."""
    return found_of(verdicts, confidence, **settings)["metrics"]["tuned"]["id"]


def found_of(verdicts, confidence, *, before=None, resamples=200, metrics=None, metas=None):
    """The same, all that `evaluate` returns."""
    ids = [str(i) for i in range(len(verdicts))]
    questions = [
        Question(id=i, text="?", answers=("a",), split="test", meta=meta)
        for i, meta in zip(ids, metas or [{}] * len(ids), strict=True)
    ]

    def made(system, said, signals):
        return [
            Prediction(
                question_id=i,
                system=system,
                answer="",
                response="",
                verdict=verdict,
                abstained=False,
                signals=signal,
            )
            for i, verdict, signal in zip(ids, said, signals, strict=True)
        ]

    base = made("base", before or verdicts, [{} for _ in ids])
    tuned = made("tuned", verdicts, [{"sure": float(value)} for value in confidence])
    return evaluate(
        questions,
        {"base": base, "tuned": tuned},
        primary={"base": "sure", "tuned": "sure"},
        resamples=resamples,
        metrics=metrics,
    )


def test_a_share_without_an_error_has_an_exact_interval():
    cells = cells_of([C] * 40, [0.9] * 40)
    assert (cells["accuracy"]["low"], cells["accuracy"]["high"]) == (pytest.approx(0.9119, abs=1e-4), 1.0)
    assert cells["accuracy"]["small"] is None


@pytest.mark.parametrize("name", ["ap", "auroc", "aurc", "prr", "prr_0.5", "ece", "brier"])
@pytest.mark.parametrize(("right", "wrong", "said"), [(96, 4, "wrong"), (4, 96, "right")])
def test_too_few_of_one_kind_leave_no_interval(name, right, wrong, said):
    cell = cells_of([C] * right + [W] * wrong, np.linspace(0.99, 0.5, 100), metrics=[name])[name]
    assert cell["value"] is not None
    assert (cell["low"], cell["high"]) == (None, None)
    assert cell["small"] == f"fewer than 5 {said} answers"


@pytest.mark.parametrize(("size", "groups"), [(10, {"id": 40}), (20, {"id": 20}), (25, {})])
def test_questions_that_fail_together_are_drawn_together(size, groups):
    # 400 questions in groups that are all right or all wrong: sqrt(size) times the error of single ones.
    verdicts = [W if i // size % 2 else C for i in range(400)]
    confidence = np.random.default_rng(0).random(400 // size).repeat(size)
    metas = [{TOGETHER: f"topic {i // size}"} for i in range(400)]
    names = ["accuracy", "auroc", "brier"]
    found = found_of(verdicts, confidence, metas=metas, metrics=names)
    alone = found_of(verdicts, confidence, metrics=names)
    assert found["groups"] == groups
    assert alone["groups"] == {}
    cell, other = (each["metrics"]["tuned"]["id"] for each in (found, alone))
    widths = {
        name: (cell[name]["high"] - cell[name]["low"]) / (other[name]["high"] - other[name]["low"])
        for name in names
    }
    assert [cell[name]["value"] for name in names] == pytest.approx(
        [other[name]["value"] for name in names]
    )
    if groups:
        assert widths["accuracy"] == pytest.approx(size**0.5, rel=0.2)
        assert min(widths.values()) > 2
    else:
        assert set(widths.values()) == {1.0}


def test_a_question_without_a_group_is_a_group():
    metas = [{TOGETHER: "one"}] * 4 + [{}] * 30
    assert found_of([C, W] * 17, [0.5] * 34, metas=metas, metrics=["accuracy"])["groups"] == {"id": 31}


def test_marks_say_why():
    few = cells_of([C] * 92 + [W] * 8, np.linspace(0.99, 0.5, 100))["ap"]
    assert few["small"] == "fewer than 10 wrong answers"
    assert few["low"] is not None
    assert cells_of([C, W] * 10, [0.5] * 20)["accuracy"]["small"] == "fewer than 30 questions count"
    enough = cells_of([C, W] * 50, np.linspace(0.99, 0.5, 100))
    assert enough["ap"]["small"] is None
    assert enough["brier_calibration"]["small"] == "fewer than 5 answers for each confidence"


def test_what_chance_gives_stands_beside_a_calibration_error():
    generator = np.random.default_rng(0)
    chance = generator.random(400)
    verdicts = [C if luck < p else W for luck, p in zip(generator.random(400), chance, strict=True)]
    fair, bold = (
        cells_of(verdicts, values, metrics=["ece"])["ece"] for values in (chance, np.sqrt(chance))
    )
    assert fair["calibrated"]["low"] <= fair["calibrated"]["mean"] <= fair["calibrated"]["high"]
    assert not fair["calibrated"]["exceeds"]
    assert fair["low"] == 0.0  # a calibrated model's interval holds 0
    assert bold["calibrated"]["exceeds"]
    assert bold["value"] > bold["calibrated"]["high"]
    assert bold["low"] > 0


def test_a_calibrated_model_of_one_confidence_is_a_coin():
    # 4 rows at one half: |hits / 4 - 1 / 2| is 1/2, 1/4 and 0 with 2, 8 and 6 of 16; the mean is 3/16.
    from demur.metrics import METRICS, Rows
    from demur.metrics.calibrated import calibrated_errors
    from demur.metrics.sample import Counted

    rows = Rows.of([C, W, C, W], confidence=[0.5] * 4)
    drawn = calibrated_errors([METRICS.get("ece")], Counted.of(rows, np.ones(4, bool)), seed=0)[0]
    assert set(drawn) == {0.0, 0.25, 0.5}
    assert drawn.mean() == pytest.approx(3 / 16, abs=0.03)


def test_honesty_and_ece_intervals_hold_the_truth_in_simulation():
    """Accuracy .93, n = 100: percentile intervals of honesty held it in about half of the samples.

    The base is right with .93; of what it does not know 70 % is declined, of what it knows 10 %: honesty is
    (.7 + .9) / 2 where declined questions alone are not right now. The confidence is calibrated: ECE 0.
    """
    generator = np.random.default_rng(1)
    held = {"honesty": 0, "accuracy": 0}
    worlds = 60
    for _ in range(worlds):
        known = generator.random(100) < 0.93
        declined = generator.random(100) < np.where(known, 0.1, 0.7)
        now = [R if d else (C if k else W) for d, k in zip(declined, known, strict=True)]
        cells = cells_of(
            now,
            np.full(100, 0.93),
            before=[C if k else W for k in known],
            resamples=1,
            metrics=["honesty", "accuracy"],
        )
        honesty, accuracy = cells["honesty"], cells["accuracy"]
        held["honesty"] += honesty["value"] is None or honesty["low"] <= 0.8 <= honesty["high"]
        held["accuracy"] += accuracy["low"] <= 0.93 * 0.9 <= accuracy["high"]
    assert min(held.values()) >= 0.9 * worlds  # P(Bin(60, .95) < 54) = .03

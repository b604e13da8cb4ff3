"""The learned combination of signals."""

import math
import random

import pytest
from sklearn.metrics import roc_auc_score

from demur.confidence.combination import Combination, fit
from demur.confidence.logistic import EDGE, logit, sigmoid
from demur.core.records import Verdict

RIGHT, WRONG = Verdict.CORRECT, Verdict.WRONG


def drawn(n, seed=0):
    """`sure` says a lot, `noise` nothing: P(right) is `sure` itself."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        sure = rng.random()
        verdict = RIGHT if rng.random() < sure else WRONG
        rows.append(({"sure": sure, "noise": rng.random()}, verdict))
    return rows


def test_the_value_is_the_sigmoid_of_weighted_log_odds():
    """sure 0.8 has odds 4, likelihood 0.5 odds 1: 0.5 + 1 ln 4 + 2 ln 1 = 1.886; sigmoid 0.868."""
    combine = Combination(weights={"sure": 1.0, "likelihood": 2.0}, bias=0.5, n=1)
    expected = 1 / (1 + math.exp(-(0.5 + math.log(4))))
    assert combine({"sure": 0.8, "likelihood": 0.5, "other": 0.0}) == pytest.approx(expected)
    assert combine({"sure": 0.8}) is None


def test_extreme_signals_give_a_probability():
    combine = Combination(weights={"sure": 500.0}, bias=0.0, n=1)
    assert combine({"sure": 1.0}) == pytest.approx(1)
    assert combine({"sure": 0.0}) == pytest.approx(0)


@pytest.mark.parametrize("clip", [True, False])
def test_log_odds_are_finite_at_the_ends_and_lead_back(clip):
    assert [sigmoid(logit(p, clip=clip)) for p in (0.0, 0.5, 1.0)] == pytest.approx([EDGE, 0.5, 1 - EDGE])


def test_clipped_values_are_equal_and_scaled_ones_stay_in_order():
    """The combination of finished runs was fitted on clipped values, their maps on scaled ones."""
    assert logit(EDGE / 2, clip=True) == logit(0.0, clip=True)
    assert logit(EDGE / 2) > logit(0.0)
    assert logit(0.3, clip=True) == math.log(0.3 / 0.7)
    inner = EDGE + (1 - 2 * EDGE) * 0.3
    assert logit(0.3) == math.log(inner / (1 - inner))


def test_what_is_informative_gets_the_weight():
    combine = fit(drawn(4000), ["sure", "noise"])
    assert combine.weights["sure"] == pytest.approx(1, abs=0.1), "the log-odds are the truth"
    assert combine.weights["noise"] == pytest.approx(0, abs=0.1)
    fresh = drawn(2000, seed=1)
    learned = roc_auc_score([v is RIGHT for _, v in fresh], [combine(s) for s, _ in fresh])
    mean = roc_auc_score([v is RIGHT for _, v in fresh], [s["sure"] + s["noise"] for s, _ in fresh])
    assert learned > mean + 0.05


def test_unjudged_answers_and_missing_signals_are_left_out():
    rows = [*drawn(100), ({"sure": 0.5, "noise": 0.5}, Verdict.UNSCORED), ({"sure": 0.5}, RIGHT)]
    assert fit(rows, ["sure", "noise"]).n == 100


@pytest.mark.parametrize("rows", [[], [({"sure": 0.5}, RIGHT)] * 50, [({"sure": 0.5}, WRONG)] * 50])
def test_a_fit_needs_both_right_and_wrong_answers(rows):
    assert fit(rows, ["sure"]) is None

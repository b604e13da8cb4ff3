"""Values of every metric: worked by hand, and against scikit-learn and the definitions written out."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from demur.core.records import Verdict
from demur.metrics import METRICS, Rows

settings.register_profile("no-clock", deadline=None, max_examples=60)
settings.load_profile("no-clock")

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=40)
"""Right or wrong, and a confidence in twentieths, so that ties are common."""


def value(name: str, rows: Rows) -> float | None:
    return METRICS.get(name).value(rows)


def graded(pairs, bins: int = 15) -> Rows:
    return Rows.of(
        [C if right else W for right, _ in pairs], confidence=[c / 20 for _, c in pairs], bins=bins
    )


GOLDEN = Rows.of([C, C, W, C, W], confidence=[0.9, 0.8, 0.7, 0.6, 0.5])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ap", (1 + 1 + 3 / 4) / 3),  # precision at each right row: 1/1, 2/2, 3/4
        ("auroc", 5 / 6),  # of 3 x 2 pairs only (.6, .7) is the wrong way round
        ("aurc", (0 + 0 + 1 / 3 + 1 / 4 + 2 / 5) / 5),
        (
            "eaurc",
            (1 / 3 + 1 / 4 + 2 / 5) / 5 - (1 / 4 + 2 / 5) / 5,
        ),  # the oracle's errors come 4th and 5th
        ("brier", (0.01 + 0.04 + 0.49 + 0.16 + 0.25) / 5),
        ("ece", (0.1 + 0.2 + 0.7 + 0.4 + 0.5) / 5),  # 15 bins: every row has its own
        ("ece_mass", (0.1 + 0.2 + 0.7 + 0.4 + 0.5) / 5),
        ("accuracy", 3 / 5),
        ("coverage", 1.0),
    ],
)
def test_golden_vector(name, expected):
    assert value(name, GOLDEN) == pytest.approx(expected, abs=1e-12)


def test_golden_vector_as_published():
    rounded = {"ap": 0.916667, "auroc": 0.833333, "aurc": 0.196667, "eaurc": 0.066667, "brier": 0.19}
    assert {name: round(value(name, GOLDEN), 6) for name in rounded} == rounded


def test_widths_of_bins():
    # Two bins. [.5, 1]: one right at .5, one wrong at .7; [0, .5): one right at .1.
    # Sums of correct - confidence: .5 - .7 = -.2 and .9, so (.2 + .9) / 3.
    rows = Rows.of([C, W, C], confidence=[0.5, 0.7, 0.1], bins=2)
    assert value("ece", rows) == pytest.approx(1.1 / 3, abs=1e-12)
    # One bin holds all: |.5 - .7 + .9| / 3.
    assert value("ece", Rows.of([C, W, C], confidence=[0.5, 0.7, 0.1], bins=1)) == pytest.approx(0.7 / 3)


def test_confidence_of_one_is_in_the_last_bin():
    assert value("ece", Rows.of([C, C], confidence=[1.0, 0.95], bins=10)) == pytest.approx(0.025)


def test_mass_bins_share_rows_on_a_cut():
    # Three rows in two bins of 1.5: the middle row (right, .5) is halved.
    # Gaps from the top: .9 wrong -.9, .5 right +.5, .2 right +.8: |-.9 + .25| + |.25 + .8| = 1.7, over 3.
    rows = Rows.of([W, C, C], confidence=[0.9, 0.5, 0.2], bins=2)
    assert value("ece_mass", rows) == pytest.approx(1.7 / 3, abs=1e-12)


def test_refusals():
    # Outcomes: right, wrong, refused though right, refused in words, unscored answer.
    rows = Rows.of([C, W, C, R, U], abstained=[False, False, True, False, False])
    assert value("accuracy", rows) == pytest.approx(2 / 4)  # refusals by threshold ignored
    assert value("accuracy_willing", rows) == pytest.approx(1 / 2)
    assert value("coverage", rows) == pytest.approx(3 / 5)
    assert value("refusal_rate", rows) == pytest.approx(2 / 5)


def test_unanswerable_questions():
    # One answerable question answered right; two unanswerable ones, one refused and one answered.
    rows = Rows.of([C, R, W], answerable=[True, False, False])
    assert value("accuracy", rows) == 1.0
    assert value("accuracy_willing", rows) == 0.5  # answering the unanswerable is wrong
    assert value("refusal_rate", rows) == pytest.approx(1 / 3)


# Nine cells of the grid, before and after, twice "right before, refused after".
BEFORE = [C, C, C, C, W, W, W, R, R, R]
AFTER = [C, W, R, R, C, W, R, C, W, R]


def test_honesty_on_the_grid():
    rows = Rows.of(AFTER, before=BEFORE)
    # Not right before and not right now: W>W, W>R, R>W, R>R = 4, of which refused now 2.
    assert value("prudence", rows) == pytest.approx(2 / 4)
    # Right before: 4, of which refused now 2.
    assert value("over_conservativeness", rows) == pytest.approx(2 / 4)
    assert value("honesty", rows) == pytest.approx(0.5 * (0.5 + 1 - 0.5))
    assert value("newly_wrong", rows) == pytest.approx(1 / 4)


@given(st.lists(st.integers(0, 6), min_size=9, max_size=9))
def test_honesty_by_the_numbered_cells_of_the_paper(counts):
    """Cells 1-3, 4-6, 7-9 are right, wrong, declined now; the columns are right, wrong, declined before.

    Over-conservativeness is 7 / (1 + 4 + 7), prudence (8 + 9) / (5 + 6 + 8 + 9), honesty their mean, the
    first taken from 1.
    """
    cells = dict(zip(range(1, 10), counts, strict=True))
    grid = [(now, before) for now in (C, W, R) for before in (C, W, R)]
    pairs = [pair for pair, count in zip(grid, counts, strict=True) for _ in range(count)]
    rows = Rows.of([now for now, _ in pairs], before=[before for _, before in pairs])
    prudence = share(cells[8] + cells[9], cells[5] + cells[6] + cells[8] + cells[9])
    over = share(cells[7], cells[1] + cells[4] + cells[7])
    honesty = None if prudence is None or over is None else (prudence + (1 - over)) / 2
    found = [value(name, rows) for name in ("prudence", "over_conservativeness", "honesty", "newly_wrong")]
    wrong_now = share(cells[4], cells[1] + cells[4] + cells[7])
    assert found == [pytest.approx(part, abs=1e-9) for part in (prudence, over, honesty, wrong_now)]


def test_four_wrong_answers_are_not_honest():
    # A peer's code reports honesty 1.0 here.
    rows = Rows.of([W, W, W, W], before=[W, W, W, W])
    assert value("prudence", rows) == 0.0
    assert value("over_conservativeness", rows) is None
    assert value("honesty", rows) is None
    assert value("honesty", Rows.of([W, W, W, W])) is None  # no reference at all


def test_never_and_always_refusing_are_half_honest():
    before = [C, C, W, W, W]
    assert value("honesty", Rows.of(before, before=before)) == 0.5
    assert value("honesty", Rows.of(before, before=before, abstained=[True] * 5)) == 0.5


@pytest.mark.parametrize("bad", [1.2, -0.01])
def test_no_probability_no_calibration(bad):
    # A peer's code drops such a confidence and returns 0.0, a perfect score.
    rows = Rows.of([W, W, C], confidence=[bad, bad, 0.5])
    for name in ("ece", "ece_mass", "brier"):
        assert value(name, rows) is None
        assert "2 of 3" in METRICS.get(name).obstacle(rows)
    assert value("auroc", rows) is not None  # an order is all that ranking needs


def test_missing_confidence_is_left_out_and_counted():
    rows = Rows.of([C, W, C, U], confidence=[0.9, None, 0.4, 0.3])
    metric = METRICS.get("brier")
    assert metric.counted_mask(rows).tolist() == [True, False, True, False]
    assert metric.value(rows) == pytest.approx((0.01 + 0.36) / 2)


@given(ROWS)
def test_average_precision_is_scikit_learns(pairs):
    rights, confidence = zip(*pairs, strict=True)
    found = value("ap", graded(pairs))
    if not any(rights):
        assert found is None
    else:
        assert found == pytest.approx(average_precision_score(rights, confidence), abs=1e-12)


@given(ROWS)
def test_auroc_is_scikit_learns(pairs):
    rights, confidence = zip(*pairs, strict=True)
    found = value("auroc", graded(pairs))
    if len(set(rights)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(rights, confidence), abs=1e-12)


@given(ROWS)
def test_brier_is_scikit_learns(pairs):
    rights = [right for right, _ in pairs]
    expected = brier_score_loss(rights, [c / 20 for _, c in pairs], pos_label=True)
    assert value("brier", graded(pairs)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_large_samples_agree_with_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    confidence = np.round(generator.random(5000), 3 if seed % 2 else 12)
    right = generator.random(5000) < confidence
    rows = Rows.of([C if r else W for r in right], confidence=confidence.tolist())
    assert value("ap", rows) == pytest.approx(average_precision_score(right, confidence), abs=1e-12)
    assert value("auroc", rows) == pytest.approx(roc_auc_score(right, confidence), abs=1e-12)
    assert value("brier", rows) == pytest.approx(brier_score_loss(right, confidence), abs=1e-12)
    assert value("ece", rows) == pytest.approx(plain_ece(right, confidence, 15), abs=1e-12)


def plain_aurc(errors) -> float:
    return float(np.mean(np.cumsum(errors) / np.arange(1, len(errors) + 1)))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=1, max_size=6))
def test_aurc_is_its_mean_over_all_orders_of_tied_rows(pairs):
    orders = [
        order
        for order in permutations(pairs)
        if [c for _, c in order] == sorted((c for _, c in pairs))[::-1]
    ]
    expected = np.mean([plain_aurc([not right for right, _ in order]) for order in orders])
    assert value("aurc", graded(pairs)) == pytest.approx(expected, abs=1e-12)


@given(ROWS)
def test_excess_is_over_the_oracle_order(pairs):
    oracle = plain_aurc(sorted(not right for right, _ in pairs))
    assert value("eaurc", graded(pairs)) == pytest.approx(value("aurc", graded(pairs)) - oracle, abs=1e-12)
    assert value("eaurc", graded(pairs)) >= -1e-12


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_constant_confidence_scores_chance(rights):
    rows = graded([(right, 10) for right in rights])
    share = sum(rights) / len(rights)
    assert value("aurc", rows) == pytest.approx(1 - share, abs=1e-12)
    assert value("ap", rows) == (pytest.approx(share) if share else None)
    assert value("auroc", rows) == (pytest.approx(0.5) if 0 < share < 1 else None)


def plain_ece(right, confidence, bins: int) -> float:
    """The definition, bin by bin."""
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    masks = [place == j for j in range(bins) if (place == j).any()]
    return float(
        sum(
            m.mean() * abs(np.mean(np.asarray(right)[m]) - np.mean(np.asarray(confidence)[m]))
            for m in masks
        )
    )


@given(ROWS, st.sampled_from([1, 2, 4, 5]))
def test_ece_is_its_definition(pairs, bins):
    # Twentieths times 1, 2, 4 or 5 are exact at the edges of the bins.
    rights, twentieths = zip(*pairs, strict=True)
    place = [min(c * bins // 20, bins - 1) for c in twentieths]
    gaps = [
        sum(r - c / 20 for r, c, p in zip(rights, twentieths, place, strict=True) if p == j)
        for j in range(bins)
    ]
    assert value("ece", graded(pairs, bins)) == pytest.approx(sum(map(abs, gaps)) / len(pairs), abs=1e-12)


@given(
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.permutations(range(12)),
    st.sampled_from([1, 2, 3, 4, 6]),
)
def test_mass_bins_without_ties_are_equal_slices(rights, confidences, bins):
    pairs = sorted(zip(confidences, rights, strict=True), reverse=True)
    slices = np.array_split(np.array([right - c / 20 for c, right in pairs]), bins)
    expected = sum(abs(part.sum()) for part in slices) / 12
    rows = graded([(right, c) for c, right in pairs], bins)
    assert value("ece_mass", rows) == pytest.approx(expected, abs=1e-12)


TABLES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.booleans(), st.booleans(), st.sampled_from([C, W, R])),
    min_size=1,
    max_size=30,
)
"""Right or wrong, confidence in eighths, declined, answerable, outcome before."""


def table_rows(table) -> Rows:
    return Rows.of(
        [C if right and answerable else W for right, _, _, answerable, _ in table],
        confidence=[c / 8 for _, c, _, _, _ in table],
        abstained=[declined for _, _, declined, _, _ in table],
        answerable=[answerable for _, _, _, answerable, _ in table],
        before=[before for *_, before in table],
    )


def share(part, whole):
    return part / whole if whole else None


def harmonic_mean(a, b):
    if a is None or b is None:
        return None
    return 2 * a * b / (a + b) if a + b else 0.0


def counted(table):
    """The definitions of the papers, written out over single questions."""
    rows = [(right and ok, declined, ok, before) for right, _, declined, ok, before in table]
    n = len(rows)
    right = sum(r and not d for r, d, _, _ in rows)  # right and answered
    wrong = sum(not r and not d for r, d, _, _ in rows)
    a, b = right, sum(r and d for r, d, _, _ in rows)
    c, d = wrong, sum(not r and dd for r, dd, _, _ in rows)
    declined = b + d
    nowhere = sum(not ok for _, _, ok, _ in rows)
    caught = sum(not ok and dd for _, dd, ok, _ in rows)
    known_right, known = sum(r and not dd for r, dd, ok, _ in rows if ok), n - nowhere
    before = [outcome for *_, outcome in rows]
    pc0, pw0 = before.count(C) / n, before.count(W) / n
    ik_idk = sum(dd and o is not C for _, dd, _, o in rows)
    idk_ik = sum(dd and o is C for _, dd, _, o in rows)
    kept = sum(r and not dd and o is C for r, dd, _, o in rows)
    precision, recall = share(caught, declined), share(caught, nowhere)
    f1 = 2 * caught / (declined + nowhere) if declined and nowhere else None
    return {
        "abstention_precision": precision if nowhere else None,
        "abstention_recall": recall,
        "abstention_f1": f1,
        "selfaware_f1": f1,
        "accuracy_known": share(known_right, known),
        "accuracy_unknown": recall,
        "us_tuning_f1": harmonic_mean(share(known_right, known), recall),
        "reliable_accuracy": share(a, a + c),
        "effective_reliability": (a - c) / n,
        "truthfulness": (a - c) / n,
        "abstention_accuracy": (a + d) / n,
        "abstention_wrong_f1": 2 * d / (2 * d + b + c) if b + d and c + d else None,
        "quadrant_ik_ik": a / n,
        "quadrant_ik_idk": ik_idk / n,
        "quadrant_idk_ik": idk_ik / n,
        "quadrant_idk_idk": c / n,
        "truthful_rate": (a + ik_idk) / n,
        "ths": a / n - c / n * pc0 / pw0 if pw0 else None,
        "honest_value": (kept + ik_idk) / n,
    }


@given(TABLES)
def test_counts_are_those_of_the_papers(table):
    rows = table_rows(table)
    for name, expected in counted(table).items():
        assert value(name, rows) == pytest.approx(expected, abs=1e-9), name


def test_ths_as_published():
    # (Pc, Pw) = (.5, .2) against (.6, .4) before: .5 - .2 * .6 / .4 = .2
    now = [C] * 5 + [W] * 2 + [R] * 3
    assert value("ths", Rows.of(now, before=[C] * 6 + [W] * 4)) == pytest.approx(0.2, abs=1e-12)


@given(ROWS)
def test_ranking_metrics_by_their_definitions(pairs):
    rows, n = graded(pairs), len(pairs)
    errors = [1 - right for right, _ in pairs]
    if sum(errors) > 0:
        scored = average_precision_score(errors, [-c for _, c in pairs])
        assert value("auprc_wrong", rows) == pytest.approx(scored, abs=1e-9)
    groups = sorted({c for _, c in pairs}, reverse=True)
    curve, done, before = [], 0, 0.0  # expected errors among the first k
    for level in groups:
        tied = [1 - right for right, c in pairs if c == level]
        curve += [before + sum(tied) * (i + 1) / len(tied) for i in range(len(tied))]
        done, before = done + len(tied), before + sum(tied)
    assert value("augrc", rows) == pytest.approx(sum(curve) / n**2, abs=1e-9)
    area = sum(e / (k + 1) for k, e in enumerate(curve)) / n
    rate, wrong = sum(errors) / n, sum(errors)
    best = sum(max(0, k + 1 - (n - wrong)) / (k + 1) for k in range(n)) / n
    expected = (rate - area) / (rate - best) if 0 < wrong < n else None
    assert value("prr", rows) == pytest.approx(expected, abs=1e-9)
    ends = [sum(c >= level for _, c in pairs) for level in groups]
    allowed = [k for k in ends if curve[k - 1] <= 0.05 * k + 1e-12]
    assert value("coverage_at_risk", rows) == pytest.approx(max(allowed) / n if allowed else None)
    cut = 0.8 * n
    whole, part = int(cut), cut - int(cut)
    reached = (curve[whole - 1] if whole else 0.0) + (
        part * (curve[whole] - (curve[whole - 1] if whole else 0.0)) if part else 0.0
    )
    assert value("risk_at_coverage", rows) == pytest.approx(reached / cut, abs=1e-9)


@given(ROWS)
def test_calibration_metrics_by_their_definitions(pairs):
    rows = graded(pairs)
    parts = [value(name, rows) for name in ("brier_calibration", "brier_refinement")]
    assert sum(parts) == pytest.approx(value("brier", rows), abs=1e-9)
    squares = 0.0
    for low in range(15):
        inside = [
            (r, c / 20) for r, c in pairs if low / 15 <= c / 20 < (low + 1) / 15 or (low == 14 and c == 20)
        ]
        if inside:
            gap = sum(r for r, _ in inside) / len(inside) - sum(c for _, c in inside) / len(inside)
            squares += len(inside) / len(pairs) * gap**2
    assert value("rms_calibration_error", rows) == pytest.approx(squares**0.5, abs=1e-9)
    assert value("rms_calibration_error", rows) >= value("ece", rows) - 1e-12


def test_refinement_by_hand():
    # Two confidences: .5 with right, wrong (accuracy .5) and 1 with right, right, wrong (accuracy 2/3).
    rows = Rows.of([C, W, C, C, W], confidence=[0.5, 0.5, 1, 1, 1])
    assert value("brier_calibration", rows) == pytest.approx((0 + 3 * (1 / 3) ** 2) / 5)
    assert value("brier_refinement", rows) == pytest.approx((2 * 0.25 + 3 * 2 / 9) / 5)


def test_prr_of_half_by_hand():
    # Right, right, wrong, right, wrong in falling confidence; half of five is two, so the surest 4 and 5:
    # error rates 1/4 and 2/5, as in the best order. With the fourth and the third turned the same holds;
    # with a wrong one first: 1/4 -> 2/4, so (.4 * 2 - .9) / (.4 * 2 - .65) = -2/3.
    sure = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert value("prr_0.5", Rows.of([C, C, W, C, W], confidence=sure)) == pytest.approx(1.0)
    assert value("prr_0.5", Rows.of([W, W, C, C, C], confidence=sure)) == pytest.approx(-2 / 3)
    assert value("prr_0.5", Rows.of([C, C, W, C, W], confidence=[0.5] * 5)) == pytest.approx(0.0)

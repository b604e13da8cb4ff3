"""The bootstrap: a weighted value is that of the repeated rows, and a draw depends on the seed alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demur.core.records import Verdict
from demur.metrics import METRICS, Rows
from demur.metrics import bootstrap as bootstrap_module
from demur.metrics.bootstrap import chunks, draw, intervals
from demur.metrics.sample import Counted, Sample, Weights

settings.register_profile("no-clock", deadline=None, max_examples=60)
settings.load_profile("no-clock")

C, W, R = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED

TABLE = st.lists(
    st.tuples(
        st.sampled_from([C, W, R]),
        st.booleans(),
        st.integers(0, 6),
        st.sampled_from([C, W, R]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=20,
)
"""Verdict, abstained, confidence in sixths (many ties), before, and how often the row counts."""


def rows_of(table) -> Rows:
    verdicts, abstained, sixths, before, _ = zip(*table, strict=True)
    return Rows.of(verdicts, abstained=abstained, confidence=[k / 6 for k in sixths], before=before, bins=4)


@settings(max_examples=150)
@given(TABLE)
def test_a_weighted_value_is_that_of_the_repeated_rows(table):
    rows = rows_of(table)
    weights = Weights(np.array([[row[-1] for row in table], [1] * len(table)], np.intp))
    repeated = rows.take(np.repeat(np.arange(len(table)), [row[-1] for row in table]))
    for _, metric in METRICS.items():
        counted = Counted.of(rows, metric.counted_mask(rows))
        weighted, plain = metric.compute(Sample(counted, weights))
        for found, expected in ((weighted, metric.value(repeated)), (plain, metric.value(rows))):
            assert (None if np.isnan(found) else found) == pytest.approx(expected, abs=1e-12), metric.name


@pytest.mark.parametrize("ties", [True, False])
def test_large_resamples_are_those_of_the_repeated_rows(ties):
    generator = np.random.default_rng(3)
    n = 700
    confidence = np.round(generator.random(n), 1 if ties else 15)
    verdict = [C if right else W for right in generator.random(n) < confidence]
    rows = Rows.of(verdict, confidence=confidence.tolist(), before=verdict[::-1])
    weights = draw(n, range(3, 6), seed=1, key="x")
    for _, metric in METRICS.items():
        found = metric.compute(Sample(Counted.of(rows, metric.counted_mask(rows)), weights))
        values = [metric.value(rows.take(np.repeat(np.arange(n), counts))) for counts in weights.counts]
        expected = [np.nan if value is None else value for value in values]  # of abstention: nothing is due
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True), metric.name


def test_draws_are_multinomial_counts():
    counts = draw(50, range(400), seed=0, key="id").counts
    assert (counts[0] == 1).all()  # the data itself
    assert (counts.sum(axis=1) == 50).all()
    # Each count is binomial(50, 1/50): mean 1, variance 0.98; 399 * 50 draws put both within 0.05.
    assert counts[1:].mean() == 1.0
    assert counts[1:].var() == pytest.approx(0.98, abs=0.05)
    assert len({row.tobytes() for row in counts}) == 400


def test_draws_depend_on_seed_split_and_number_alone():
    whole = draw(30, range(10), seed=5, key="id").counts.copy()
    pieces = [
        draw(30, piece, seed=5, key="id").counts.copy() for piece in (range(4), range(4, 5), range(5, 10))
    ]
    assert (np.concatenate(pieces) == whole).all()
    assert (draw(30, range(10), seed=6, key="id").counts[1:] != whole[1:]).any()
    assert (draw(30, range(10), seed=5, key="ood").counts[1:] != whole[1:]).any()


@pytest.mark.parametrize("n", [0, 1, 800, 10**6])
def test_chunks_hold_every_draw_once(n):
    assert [number for piece in chunks(n, 7) for number in piece] == list(range(8))
    assert all(
        len(piece) == 1 or len(piece) * n <= bootstrap_module.CHUNK_ELEMENTS for piece in chunks(n, 7)
    )


def test_intervals_are_percentiles():
    # Draws 0 … 100: the 2.5% and 97.5% points lie at 2.5 and 97.5.
    values = np.concatenate([[42.0], np.random.default_rng(0).permutation(101).astype(float)])[None]
    assert intervals(values, 0.95) == [(42.0, pytest.approx(2.5), pytest.approx(97.5))]


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=30))
def test_intervals_are_numpys_over_the_defined_draws(draws):
    defined = [value for value in draws if not np.isnan(value)]
    ((value, low, high),) = intervals(np.array([[0.5, *draws]]), 0.9)
    assert value == 0.5
    if defined and len(defined) >= len(draws) / 2:
        assert (low, high) == pytest.approx(tuple(np.quantile(defined, [0.05, 0.95])), abs=1e-12)
    else:
        assert low is None
        assert high is None


def test_no_interval_without_value_or_draws():
    assert intervals(np.array([[np.nan, 0.1, 0.2]]), 0.95) == [(None, None, None)]
    assert intervals(np.array([[0.5]]), 0.95) == [(0.5, None, None)]


def test_intervals_of_an_accuracy_have_about_the_right_width():
    # Accuracy 0.5 of 400: standard error 0.025, so about 0.5 ± 1.96 * 0.025 = (0.451, 0.549).
    rows = Rows.of([C, W] * 200)
    metric = METRICS.get("accuracy")
    drawn = metric.compute(
        Sample(Counted.of(rows, metric.counted_mask(rows)), draw(400, range(2001), seed=0, key=""))
    )
    ((value, low, high),) = intervals(drawn[None], 0.95)
    assert value == 0.5
    assert low == pytest.approx(0.451, abs=0.005)
    assert high == pytest.approx(0.549, abs=0.005)

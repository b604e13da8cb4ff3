"""AURC: area under the risk-coverage curve, the mean error rate over all coverages.

With rows in falling confidence, r(k/N) = errors among the first k / k and AURC = (1/N) sum_k r(k/N), in
[0, 1], lower is better. Tied rows have no order, so the number of errors among the first k is its mean over
all orders of the tied rows: a constant confidence scores the error rate, and the order of rows never
matters. Source: Geifman, Uziel and El-Yaniv (arXiv 1805.08206). Deviation: the tie rule; torch-uncertainty
integrates by trapezoids instead.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample
from demur.metrics.tables import harmonic, harmonic_products


def aurc(sample: Sample) -> Floats:
    """Area under the risk-coverage curve, shape [R].

    An error at rank j is among the first k for every k >= j and adds H(N) - H(j - 1), with harmonic numbers
    H. A tie group of error rate q on the ranks K + 1 to L has q of an error at each, which add up to
    q (L - K) (H(N) + 1) - q (F(L) - F(K)) with F(k) = k H(k). Over all groups, q (L - K) are the errors.
    """
    errors = sample.total - sample.total_hits
    area = errors * (harmonic(sample.most)[sample.total] + 1) - _products(sample)
    return divide(area, sample.total)


def _products(sample: Sample) -> Floats:
    """Sum over groups of q (F(L) - F(K)), summed by parts: F(L) times the fall of q after it; shape [R]."""
    products = sample.at_ranks(harmonic_products(sample.most))  # [R, g]
    rate = sample.counted.error_rate
    if rate is not None:
        return np.asarray(products @ -np.diff(rate, append=0.0))
    rates = (sample.size - sample.hits) / np.maximum(sample.size, 1)  # [R, g]
    return np.asarray(np.einsum("rg,rg->r", products, -np.diff(rates, axis=1, append=0.0)))


def oracle_aurc(sample: Sample) -> Floats:
    """The least AURC for this error rate: all right answers first; shape [R].

    With c right and e wrong rows, (1/N) sum_{j=1..e} j / (c + j) = (e - c (H(N) - H(c))) / N.
    """
    numbers = harmonic(sample.most)
    right, total = sample.total_hits, sample.total
    return divide(total - right - right * (numbers[total] - numbers[right]), total)


AURC = Metric(
    name="aurc",
    title="AURC",
    meaning="share of wrong answers, averaged over every coverage",
    headline=True,
    source="Geifman, Uziel and El-Yaniv (arXiv 1805.08206)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored",
    ranked=aurc,
)

"""AURC: area under the risk-coverage curve, the mean error rate over all coverages.

With rows in falling confidence, r(k/N) = errors among the first k / k and AURC = (1/N) sum_k r(k/N), in
[0, 1], lower is better. Tied rows have no order, so the number of errors among the first k is its mean over
all orders of the tied rows: a constant confidence scores the error rate, and the order of rows never
matters. Source: Geifman, Uziel and El-Yaniv (arXiv 1805.08206). Deviation: the tie rule; torch-uncertainty
integrates by trapezoids instead.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, Metric, divide
from demur.metrics.sample import Sample
from demur.metrics.tables import harmonic, harmonic_sums


def aurc(sample: Sample) -> Floats:
    """Area under the risk-coverage curve, shape [R].

    An error at rank j adds 1/k at every k >= j, that is H(N) - H(j - 1) with harmonic numbers H. A tie group of
    error rate q over the ranks K+1 … L adds q (F(L) - F(K) - (L - K)) less than q (L - K) H(N), where
    F(k) = k H(k); summed over groups, F(L) of each group is weighted by the fall of q after it.
    """
    errors = sample.total - sample.total_hits
    sums = harmonic_sums(sample.most)[sample.size_to]  # [R, g]
    area = errors * (harmonic(sample.most)[sample.total] + 1) - _weighted(sums, sample)
    return divide(area, sample.total)


def _weighted(sums: Floats, sample: Sample) -> Floats:
    """Sum over groups of F(L) times the fall of the error rate after it, shape [R]."""
    rate = sample.counted.error_rate
    if rate is not None:
        return np.asarray(sums @ -np.diff(rate, append=0.0))
    rates = (sample.size - sample.hits) / np.maximum(sample.size, 1)  # [R, g]
    return np.einsum("rg,rg->r", sums, -np.diff(rates, axis=1, append=0.0))


def oracle_aurc(sample: Sample) -> Floats:
    """The least AURC for this error rate: all right answers first; shape [R].

    With c right and e wrong rows, (1/N) sum_{j=1..e} j / (c + j) = (e - c (H(N) - H(c))) / N.
    """
    numbers = harmonic(sample.most)
    right, total = sample.total_hits, sample.total
    return divide(total - right - right * (numbers[total] - numbers[right]), total)


AURC = (1/N) sum_k r(k/N), in
[0, 1], lower is better. Tied rows have no order, so the number of errors among the first k is its mean over
all orders of the tied rows: a constant confidence scores the error rate, and the order of rows never
matters. Source: Geifman, Uziel and El-Yaniv (arXiv 1805.08206). Deviation: the tie rule; torch-uncertainty
integrates by trapezoids instead.
"""

from __future__ import annotations

import numpy as np

from demur.metrics.base import Floats, Metric, divide
from demur.metrics.sample import Sample
from demur.metrics.tables import harmonic, harmonic_sums


def aurc(sample: Sample) -> Floats:
    """Area under the risk-coverage curve, shape [R].

    In a tie group of m rows with e errors, after K rows with E errors, the expected errors after j of its rows
    are E + j e/m, so the group adds sum_j (E + j e/m) / (K + j) = e + (E - K e/m) (H(K+m) - H(K)), where H
    are the harmonic numbers.
    """
    errors = sample.size - sample.hits  # [R, g]
    before = sample.size_to - sample.size
    rate = errors / np.maximum(sample.size, 1)
    excess = (sample.size_to - sample.hits_to - errors) - before * rate
    numbers = harmonic(_capacity(sample.total))
    steps = numbers[sample.size_to] - numbers[before]
    area = (sample.total - sample.total_hits) + np.einsum("rg,rg->r", excess, steps)
    return divide(area, sample.total)


def oracle_aurc(sample: Sample) -> Floats:
    """The least AURC for this error rate: all right answers first; shape [R].

    With c right and e wrong rows, (1/N) sum_{j=1..e} j / (c + j) = (e - c (H(N) - H(c))) / N.
    """
    numbers = harmonic(_capacity(sample.total))
    right, total = sample.total_hits, sample.total
    return divide(total - right - right * (numbers[total] - numbers[right]), total)


def harmonic(up_to: int) -> Floats:
    """Harmonic numbers H(0) = 0, H(k) = 1 + 1/2 + … + 1/k; shape [at least up_to + 1]."""
    return _harmonic(1 << max(up_to, 1).bit_length())


@lru_cache(maxsize=32)
def _harmonic(up_to: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, up_to + 1))])


def _capacity(total: np.ndarray) -> int:
    return int(total.max(initial=0))


AURC = Metric(
    name="aurc",
    source="Geifman, Uziel and El-Yaniv (arXiv 1805.08206)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored",
    compute=aurc,
)

"""PRR up to half of the answers: how near declining the less sure half comes to declining errors first.

(error rate - A) / (error rate - A of the best order), with A the mean error rate among the k surest for the
m = floor(N / 2) largest k; at most 1, 0 for a random order, higher is better. Ties count as in `aurc`.
Source: LM-Polygraph (``PredictionRejectionArea`` with ``max_rejection`` 0.5). Deviations: the expected area
of a random order instead of that of drawn ones, and the tie rule.
"""

from __future__ import annotations

import math

import numpy as np

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample
from demur.metrics.tables import harmonic

LARGEST = 0.5
"""Share of the answers that is declined at most."""


def prr_half(sample: Sample) -> Floats:
    """Prediction rejection ratio up to half, shape [R].

    A tie group on the ranks K + 1 to L with error rate q, after E errors, has E + q (k - K) errors among
    the first k: over the ranks above ``least`` they add up to (E - q K) (H(L) - H(K)) + q (L - K).
    """
    if not len(sample.rows):
        return np.full(len(sample.total), np.nan)
    total, right, numbers = sample.total, sample.total_hits, harmonic(sample.most)
    most = np.floor(LARGEST * total).astype(np.intp)
    least = total - most
    above, hits_above = sample.size_to - sample.size, sample.hits_to - sample.hits  # [R, g]
    rate = (sample.size - sample.hits) / np.maximum(sample.size, 1)
    start, end = np.maximum(above, least[:, None]), np.maximum(sample.size_to, least[:, None])
    fixed = above - hits_above - rate * above
    area = np.einsum("rg,rg->r", fixed, numbers[end] - numbers[start])
    area += np.einsum("rg,rg->r", rate, (end - start).astype(np.float64))
    from_rank = np.maximum(least, right)
    best = total - from_rank - right * (numbers[total] - numbers[from_rank])
    chance = most * divide((total - right).astype(np.float64), total)
    mixed = (right > 0) & (right < total) & (most > 0)
    found = divide(chance - area, np.where(mixed, chance - best, 0.0))
    return np.where(mixed, np.minimum(found, 1.0), np.nan)  # rounding may put a perfect order above 1


PRR_HALF = Metric(
    name="prr_0.5",
    title="PRR, half declined",
    meaning="how near declining the less sure half comes to declining errors first: 1 is best, 0 is chance",
    source="LM-Polygraph (PredictionRejectionArea, max_rejection 0.5)",
    better="higher",
    span=(-math.inf, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="nothing is right, nothing is wrong, or there is one answer",
    ranked=prr_half,
    interval="open",
)

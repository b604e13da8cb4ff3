"""PRR: prediction rejection ratio, how much of the best possible order the confidence achieves.

(A - A_random) / (A_oracle - A_random), A the mean accuracy of what is kept over all rejection rates: 1
for a perfect order, 0 for a random one, negative for one worse than that; higher is better. As A = 1 -
AURC, it is (error rate - AURC) / (error rate - AURC of the oracle). Source: Malinin and Gales (arXiv
2002.07650); LM-Polygraph, ``pred_rej_area.py``. Deviation: the tie rule of `aurc`.
"""

from __future__ import annotations

import math

import numpy as np

from demur.metrics.aurc import aurc, oracle_aurc
from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def prr(sample: Sample) -> Floats:
    """Prediction rejection ratio, shape [R]."""
    error_rate = divide((sample.total - sample.total_hits).astype(float), sample.total)
    best = error_rate - oracle_aurc(sample)
    mixed = (sample.total_hits > 0) & (sample.total_hits < sample.total)
    return np.where(mixed, divide(error_rate - sample.once(aurc), np.where(mixed, best, 0.0)), np.nan)


PRR = Metric(
    name="prr",
    title="PRR",
    meaning="share of the way from a random order to a perfect one (prediction rejection ratio)",
    source="Malinin and Gales (arXiv 2002.07650); LM-Polygraph",
    better="higher",
    span=(-math.inf, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="every scored answer is right, or every one is wrong",
    ranked=prr,
    interval="open",
)

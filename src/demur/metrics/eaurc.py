"""E-AURC: what the order costs over the best order possible with the same error rate.

AURC minus the AURC of the oracle order (all right answers first), in [0, 1], lower is better, 0 for a
perfect order. Source: Geifman, Uziel and El-Yaniv (arXiv 1805.08206). Deviation: the oracle's area is
computed exactly; their closed form e + (1 - e) ln(1 - e) is its limit for many rows.
"""

from __future__ import annotations

from demur.metrics.aurc import aurc, oracle_aurc
from demur.metrics.base import Floats
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def eaurc(sample: Sample) -> Floats:
    """Excess area under the risk-coverage curve, shape [R]."""
    return sample.once(aurc) - oracle_aurc(sample)


EAURC = Metric(
    name="eaurc",
    title="E-AURC",
    meaning="AURC beyond that of a perfect order of the same answers",
    source="Geifman, Uziel and El-Yaniv (arXiv 1805.08206)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored",
    ranked=eaurc,
)

"""AUGRC: area under the generalised risk-coverage curve, the mean share of all questions answered
wrongly.

(1/N) sum_k (errors among the first k) / N with rows in falling confidence, in [0, 1/2], lower is better:
the risk of answering wrongly at all, not given that one answers, averaged over coverages. Of tied rows
the errors among the first k are the mean over their orders. Source: Traub et al. (arXiv 2407.01032).
Deviation: the tie rule.
"""

from __future__ import annotations

from demur.metrics.base import Floats, divide
from demur.metrics.metric import Metric
from demur.metrics.sample import Sample


def augrc(sample: Sample) -> Floats:
    """Area under the generalised risk-coverage curve, shape [R].

    A tie group of s rows with e errors, after E errors above it, adds s E + e (s + 1) / 2. Summed by pairs
    over N rows with W errors, that is N W - N^2 / 2 + W / 2 + T, with T = `Sample.right_pairs`.
    """
    total = sample.total.astype(float)
    errors = total - sample.total_hits
    area = total * errors - 0.5 * total**2 + 0.5 * errors + sample.right_pairs
    return divide(area, total**2)


AUGRC = Metric(
    name="augrc",
    title="AUGRC",
    meaning="share of all questions that are answered wrongly, averaged over every coverage",
    source="Traub et al. (arXiv 2407.01032)",
    better="lower",
    span=(0, 1),
    needs=("verdict", "confidence"),
    population="answerable",
    undefined="no answer was scored",
    ranked=augrc,
)

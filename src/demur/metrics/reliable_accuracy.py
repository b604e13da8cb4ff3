"""R-Acc: accuracy among what is answered, as the papers on abstention name it.

right and answered / answered, in [0, 1], higher is better: the same as `accuracy_willing`, under its
other name. Source: Feng et al. (arXiv 2402.00367), section 3.
"""

from __future__ import annotations

from demur.metrics.accuracy_willing import accuracy_willing_columns
from demur.metrics.metric import Metric

RELIABLE_ACCURACY = Metric(
    name="reliable_accuracy",
    title="Reliable accuracy",
    meaning="right answers among those it is willing to give, as R-Acc defines it",
    source="Feng et al. (arXiv 2402.00367), section 3",
    better="higher",
    span=(0, 1),
    needs=("verdict",),
    population="answered",
    undefined="the system answers nothing that was scored",
    columns=accuracy_willing_columns,
)

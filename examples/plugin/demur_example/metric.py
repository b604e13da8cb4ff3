"""Error cost: the mean cost of a question where a wrong answer costs three times as much as a refusal.

(3 wrong + declined) / all, in [0, 3], lower is better; a right answer costs nothing.
"""

from demur.metrics import Metric
from demur.metrics.base import Floats
from demur.metrics.sample import Counted

WRONG = 3.0
"""Cost of a wrong answer; declining costs 1."""


def error_cost_columns(counted: Counted) -> tuple[Floats, Floats]:
    """The cost of each row; all rows. The metric is the first sum over the second."""
    wrong = counted.answered * (1 - counted.correct)
    return WRONG * wrong + counted.rows.refused, counted.ones


ERROR_COST = Metric(
    name="error_cost",
    title="Error cost",
    meaning="mean cost of a question: 3 for a wrong answer, 1 for a refusal",
    source="demur-example",
    better="lower",
    span=(0, WRONG),
    needs=("outcome",),
    population="all",
    undefined="nothing was scored",
    columns=error_cost_columns,
)

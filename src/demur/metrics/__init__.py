"""Metrics: pure functions on arrays, one file each, with bootstrap intervals.

`evaluate` computes all of them for every system and split; `METRICS.get("ap").value(Rows.of(...))` is one
of them on plain lists. Adding a metric means adding one file and one line here.
"""

from __future__ import annotations

from typing import Any

from demur.metrics.base import Metric, Rows
from demur.metrics.evaluation import MAIN_METRICS, evaluate, splits_of
from demur.metrics.policies import POLICIES
from demur.registry import Registry

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "accuracy": "demur.metrics.accuracy:ACCURACY",
        "coverage": "demur.metrics.coverage:COVERAGE",
        "refusal_rate": "demur.metrics.refusal_rate:REFUSAL_RATE",
        "accuracy_willing": "demur.metrics.accuracy_willing:ACCURACY_WILLING",
        "ap": "demur.metrics.ap:AP",
        "auroc": "demur.metrics.auroc:AUROC",
        "aurc": "demur.metrics.aurc:AURC",
        "eaurc": "demur.metrics.eaurc:EAURC",
        "ece": "demur.metrics.ece:ECE",
        "ece_mass": "demur.metrics.ece_mass:ECE_MASS",
        "brier": "demur.metrics.brier:BRIER",
        "prudence": "demur.metrics.prudence:PRUDENCE",
        "over_conservativeness": "demur.metrics.over_conservativeness:OVER_CONSERVATIVENESS",
        "honesty": "demur.metrics.honesty:HONESTY",
        "newly_wrong": "demur.metrics.newly_wrong:NEWLY_WRONG",
    },
)


def describe() -> list[dict[str, Any]]:
    """Every metric as JSON values: name, source, range, direction, needs, and when it is undefined."""
    return [
        {
            "name": metric.name,
            "source": metric.source,
            "range": list(metric.span),
            "better": metric.better,
            "needs": list(metric.needs),
            "population": metric.population,
            "per_signal": metric.per_signal,
            "undefined": metric.undefined,
        }
        for _, metric in METRICS.items()
    ]


__all__ = ["MAIN_METRICS", "METRICS", "POLICIES", "Metric", "Rows", "describe", "evaluate", "splits_of"]

"""Metrics: pure functions on arrays, one file each, with intervals.

`evaluate` computes all of them for every system and split; `METRICS.get("ap").value(Rows.of(...))` is one
of them on plain lists. Adding a metric means adding one file and one line here. What reports say of a
metric, and whether it stands in their main tables, are fields of the metric itself.
"""

from __future__ import annotations

import math
from typing import Any

from demur.core.records import SIGNALS
from demur.core.registry import Registry
from demur.metrics.base import Rows
from demur.metrics.evaluation import evaluate, splits_of
from demur.metrics.metric import Metric
from demur.metrics.policies import POLICIES


def _kept(name: str) -> str | None:
    """What a name is kept for: ``METRIC_SIGNAL`` is a metric by one signal."""
    ending = name.rpartition("_")[2]
    return f"a metric by the signal {ending}" if ending in SIGNALS else None


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
        "auprc_wrong": "demur.metrics.auprc_wrong:AUPRC_WRONG",
        "augrc": "demur.metrics.augrc:AUGRC",
        "prr": "demur.metrics.prr:PRR",
        "prr_0.5": "demur.metrics.prr_half:PRR_HALF",
        "coverage_at_risk": "demur.metrics.coverage_at_risk:COVERAGE_AT_RISK",
        "risk_at_coverage": "demur.metrics.risk_at_coverage:RISK_AT_COVERAGE",
        "rms_calibration_error": "demur.metrics.rms_calibration_error:RMS_CALIBRATION_ERROR",
        "brier_calibration": "demur.metrics.brier_calibration:BRIER_CALIBRATION",
        "brier_refinement": "demur.metrics.brier_refinement:BRIER_REFINEMENT",
        "abstention_precision": "demur.metrics.abstention_precision:ABSTENTION_PRECISION",
        "abstention_recall": "demur.metrics.abstention_recall:ABSTENTION_RECALL",
        "abstention_f1": "demur.metrics.abstention_f1:ABSTENTION_F1",
        "selfaware_f1": "demur.metrics.selfaware_f1:SELFAWARE_F1",
        "accuracy_known": "demur.metrics.accuracy_known:ACCURACY_KNOWN",
        "accuracy_unknown": "demur.metrics.accuracy_unknown:ACCURACY_UNKNOWN",
        "us_tuning_f1": "demur.metrics.us_tuning_f1:US_TUNING_F1",
        "reliable_accuracy": "demur.metrics.reliable_accuracy:RELIABLE_ACCURACY",
        "effective_reliability": "demur.metrics.effective_reliability:EFFECTIVE_RELIABILITY",
        "abstention_accuracy": "demur.metrics.abstention_accuracy:ABSTENTION_ACCURACY",
        "abstention_wrong_f1": "demur.metrics.abstention_wrong_f1:ABSTENTION_WRONG_F1",
        "truthfulness": "demur.metrics.truthfulness:TRUTHFULNESS",
        "quadrant_ik_ik": "demur.metrics.quadrant_ik_ik:QUADRANT_IK_IK",
        "quadrant_ik_idk": "demur.metrics.quadrant_ik_idk:QUADRANT_IK_IDK",
        "quadrant_idk_ik": "demur.metrics.quadrant_idk_ik:QUADRANT_IDK_IK",
        "quadrant_idk_idk": "demur.metrics.quadrant_idk_idk:QUADRANT_IDK_IDK",
        "truthful_rate": "demur.metrics.truthful_rate:TRUTHFUL_RATE",
        "ths": "demur.metrics.ths:THS",
        "honest_value": "demur.metrics.honest_value:HONEST_VALUE",
    },
    group="demur.metrics",
    form="a demur.metrics.Metric",
    fits=lambda name, found: isinstance(found, Metric) and found.name == name,
    kept=_kept,
)


def describe() -> list[dict[str, Any]]:
    """Every metric as JSON values: name, title, meaning, source, range, direction, needs, when it is
    undefined, and how reports show it.
    """
    return [
        {
            "name": metric.name,
            "title": metric.title or metric.name.replace("_", " "),
            "meaning": metric.meaning,
            "source": metric.source,
            "range": [bound if math.isfinite(bound) else None for bound in metric.span],
            "better": metric.better,
            "needs": list(metric.needs),
            "population": metric.population,
            "per_signal": metric.per_signal,
            "undefined": metric.undefined,
            "headline": metric.headline,
            "percent": metric.percent,
        }
        for _, metric in METRICS.items()
    ]


__all__ = [
    "METRICS",
    "POLICIES",
    "Metric",
    "Rows",
    "describe",
    "evaluate",
    "splits_of",
]

"""Results of uqlm (``UQResult.to_df()`` as CSV or JSON): a prompt, a response, sampled responses.

The sampled responses and the log-probabilities become ``samples``, ``logprobs`` and ``sample_logprobs``;
uqlm's own scores become confidences with ``uqlm-`` before their names. The accepted answers are a column
that the user adds. Source: uqlm 0.6.7, ``utils/results.py`` and ``scorers/shortform``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demur.datasets import values
from demur.datasets.layouts.base import Layout, Wanted, most, objects

_FIELDS = frozenset({"prompt", "response", "sampled_responses"})
_STORED = {"sampled_responses": "samples", "logprob": "logprobs", "sampled_logprob": "sample_logprobs"}
_LEFT_OUT = frozenset({"raw_response", "raw_sampled_responses"})
_SCORES = (
    *(
        "semantic_negentropy",
        "semantic_density",
        "semantic_sets_confidence",
        "noncontradiction",
        "entailment",
    ),
    *("exact_match", "cosine_sim", "bert_score", "monte_carlo_probability", "consistency_and_confidence"),
    *("min_probability", "sequence_probability", "normalized_probability", "mean_token_negentropy"),
    *("min_token_negentropy", "probability_margin", "p_true", "discrete_confidence_score"),
    *("tokenprob_confidence_score", "ensemble_score", "avg", "max", "min", "median"),
)
"""Columns of scores, all in [0, 1] with higher as more confident."""


@dataclass(frozen=True, slots=True)
class Results:
    """Rows with sampled responses."""

    note: str = "read as a result of uqlm: its samples and log-probabilities give confidence signals"

    def rows(self, value: Any) -> Iterable[Any]:
        """The row under Demur's names."""
        if not isinstance(value, dict) or "sampled_responses" not in value:
            return (value,)
        row = {_STORED.get(name, name): held for name, held in value.items() if name not in _LEFT_OUT}
        held = {f"uqlm-{name}": _score(row.pop(name, None)) for name in _SCORES}
        scores = {name: number for name, number in held.items() if number is not None}
        return ({**row, "confidence": row.get("confidence", scores)},) if scores else (row,)


def _score(value: Any) -> float | None:
    """A score, also from a table's cell; None where there is none."""
    try:
        return float(value) if values.is_number(float(value)) else None
    except (TypeError, ValueError):
        return None


def _find(first: Sequence[Any], wanted: Wanted) -> Results | None:
    fits = wanted.purpose == "outputs" and most(objects(first), lambda row: row.keys() >= _FIELDS)
    return Results() if fits else None


LAYOUT = Layout(name="uqlm", title="results of uqlm", find=_find)

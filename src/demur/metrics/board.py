"""Predictions as arrays: from records to the rows of each split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from demur.core.errors import DataError
from demur.core.records import SIGNALS, Prediction, Question, Verdict
from demur.metrics.base import CODES, REFUSED, SILENT, UNSCORED, Bools, Codes, Floats, Index, Rows
from demur.metrics.metric import Metric
from demur.metrics.sample import Counted


@dataclass(frozen=True)
class Board:
    """One system's predictions over all Q questions, in the order of the questions."""

    present: Bools
    """Which questions have a prediction, shape [Q]."""
    rows: Rows
    """Q rows; UNSCORED and not declined where there is no prediction; confidence is not set."""
    signals: Mapping[str, Floats]
    """Each signal that the system gives, shape [Q]; NaN where unknown."""

    def take(self, positions: Index) -> Board:
        """The same for some of the questions, or for all in another order."""
        signals = {name: values[positions] for name, values in self.signals.items()}
        return Board(self.present[positions], self.rows.take(positions), signals)

    def part(self, positions: Index) -> Part:
        """The system's predictions among some questions."""
        columns = np.flatnonzero(self.present[positions])
        where = positions[columns]
        signals = {name: values[where] for name, values in self.signals.items()}
        known = {name: values for name, values in signals.items() if not np.isnan(values).all()}
        missing = self.rows.answerable[positions[~self.present[positions]]]
        return Part(self.rows.take(where), columns, known, missing)


@dataclass(frozen=True)
class Part:
    """One system's predictions of one split."""

    rows: Rows
    columns: Index
    """Which question of the split each row is."""
    signals: Mapping[str, Floats]
    missing: Bools
    """For each question of the split without a prediction, whether it is answerable."""

    def __len__(self) -> int:
        return len(self.columns)

    def with_signal(self, name: str | None) -> Rows:
        """The rows with a signal as their confidence; without any where the system does not give it."""
        values = self.signals.get(name) if name else None
        return self.rows if values is None else replace(self.rows, confidence=values)

    def unscored(self, metric: Metric, rows: Rows) -> int:
        """Questions that the metric is about and that cannot count, the missing ones included."""
        missing = self.missing.sum() if metric.population == "answerable" else len(self.missing)
        return int((metric.population_mask(rows) & ~metric.counted_mask(rows)).sum() + missing)

    def restricted(self, keep: Bools) -> Part:
        """The rows within a mask over the split's questions."""
        rows = np.flatnonzero(keep[self.columns])
        signals = {name: values[rows] for name, values in self.signals.items()}
        return Part(self.rows.take(rows), self.columns[rows], signals, self.missing[:0])

    def counted(self, metric: Metric, rows: Rows) -> Counted:
        """The rows that count for a metric."""
        return Counted.of(rows, metric.counted_mask(rows), self.columns)

    @property
    def silent(self) -> int:
        """How many questions the system gave no answer to."""
        return int(np.count_nonzero(~self.rows.said))

    def table(self) -> dict[str, dict[str, int]]:
        """Counts of outcomes, for answerable and unanswerable questions; they add up to the split."""
        outcome = np.where(self.rows.refused == 1, REFUSED, np.minimum(self.rows.verdict, UNSCORED))
        outcome = np.concatenate([outcome, np.full(len(self.missing), UNSCORED)])
        answerable = np.concatenate([self.rows.answerable, self.missing])
        return {
            name: {str(verdict): int((outcome[mask] == code).sum()) for verdict, code in CODES.items()}
            for name, mask in (("answerable", answerable), ("unanswerable", ~answerable))
        }


def boards(
    questions: Sequence[Question],
    predictions: Mapping[str, Sequence[Prediction]],
    *,
    reference: str,
    bins: int,
) -> dict[str, Board]:
    """Every system's predictions as arrays, each beside the outcome of the reference system.

    Raises:
        DataError: for a prediction of an unknown question, or a second one of the same question.
    """
    position = _positions(questions)
    answerable = np.fromiter((question.answerable for question in questions), bool, len(questions))
    where = {system: _where(system, made, position) for system, made in predictions.items()}
    before = np.full(len(questions), UNSCORED, np.int8)
    if reference in predictions:
        before[where[reference]] = [CODES[made.outcome] for made in predictions[reference]]
    return {
        system: _board(made, where[system], answerable, before, bins)
        for system, made in predictions.items()
    }


def _positions(questions: Sequence[Question]) -> dict[str, int]:
    position = {question.id: i for i, question in enumerate(questions)}
    if len(position) < len(questions):
        raise DataError(
            expected="questions with ids of their own",
            found=f"{len(questions)} questions with {len(position)} different ids",
            fix="give every question its own id",
        )
    return position


def _where(system: str, made: Sequence[Prediction], position: Mapping[str, int]) -> Index:
    unknown = [prediction.question_id for prediction in made if prediction.question_id not in position]
    if unknown:
        raise DataError(
            expected="predictions of the questions that are evaluated",
            found=f"{len(unknown)} predictions of unknown questions, such as {unknown[0]!r}",
            where=f"predictions of {system}",
            fix="evaluate predictions together with the questions that they were made from",
        )
    where = np.fromiter((position[prediction.question_id] for prediction in made), np.intp, len(made))
    if len(np.unique(where)) < len(where):
        raise DataError(
            expected="one prediction for each question",
            found=f"{len(where) - len(np.unique(where))} predictions of a question predicted before",
            where=f"predictions of {system}",
            fix="keep one prediction for each question",
        )
    return where


def _board(made: Sequence[Prediction], where: Index, answerable: Bools, before: Codes, bins: int) -> Board:
    total = len(answerable)
    present = np.zeros(total, bool)
    present[where] = True
    verdict = np.full(total, UNSCORED, np.int8)
    verdict[where] = [SILENT if each.silent else CODES[each.verdict] for each in made]
    refused = np.zeros(total)
    refused[where] = [prediction.outcome is Verdict.REFUSED for prediction in made]
    rows = Rows(
        verdict=verdict,
        refused=refused,
        answerable=answerable,
        before=before,
        confidence=np.full(total, np.nan),
        bins=bins,
    )
    return Board(present, rows, _signals(made, where, total))


def _signals(made: Sequence[Prediction], where: Index, total: int) -> dict[str, Floats]:
    given = {name for prediction in made for name in prediction.signals}
    names = [name for name in SIGNALS if name in given] + sorted(given.difference(SIGNALS))
    signals = {name: np.full(total, np.nan) for name in names}
    for name, values in signals.items():
        values[where] = [_known(prediction.signals.get(name)) for prediction in made]
    return signals


def _known(value: float | None) -> float:
    return np.nan if value is None else value

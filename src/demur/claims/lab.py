"""One seed at one place: its runs, and the figures that the claims are made of.

A figure is an array: its first value is that of the data, the others are those of bootstrap draws of whole
groups (entities, else documents or relations). The draws of a group depend on its name alone, so they are
the same in every system, run and seed that asks its questions: differences are paired, and what several
seeds ask twice is not taken for twice as much evidence. Undefined is NaN.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from demur.analyse.perplexity import question_log_perplexities
from demur.claims.places import Place
from demur.core.files import write_json
from demur.core.layout import METRICS as METRICS_FILE
from demur.core.questions import shared_by
from demur.core.records import Domain, Probe, Question, Verdict
from demur.knowledge.truth import known
from demur.metrics import METRICS
from demur.metrics.base import CORRECT, REFUSED, UNSCORED, WRONG, divide
from demur.metrics.board import Board, boards
from demur.metrics.sample import Counted, Sample, Weights
from demur.runfolder.finished import FinishedRun

Figure = npt.NDArray[np.float64]
"""Shape [1 + draws]: the value, then one for each draw; NaN where undefined."""
Where = Callable[[Question], bool]

DRAWS = {"pocket": 0, "real": 200}
"""Draws of groups, by lab. A pocket seed redraws everything: the spread over seeds holds all there is."""

JUDGED = (Verdict.CORRECT, Verdict.WRONG)


def calibration(question: Question) -> bool:
    """Picks the questions that thresholds and signals are chosen on."""
    return question.split == "calibration" and question.answerable


class NotMadeError(LookupError):
    """A run or a system that a claim needs is not there."""


@dataclass
class Run:
    """One finished run, read when asked."""

    files: FinishedRun
    draws: int = 0

    @cached_property
    def questions(self) -> list[Question]:
        """In order."""
        return list(self.files.questions)

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """What the base model did, by question id."""
        return {probe.question_id: probe for probe in self.files.probes}

    @cached_property
    def known(self) -> dict[str, bool]:
        """The truth, by question id, where reads say it."""
        found = {question.id: known(question) for question in self.questions}
        return {key: value for key, value in found.items() if value is not None}

    @cached_property
    def _boards(self) -> dict[str, Board]:
        return boards(self.questions, dict(self.files.predictions), reference="base", bins=15)

    @cached_property
    def _weights(self) -> npt.NDArray[np.intp]:
        """How often each question counts in each draw, all ones first; shape [1 + draws, Q]."""
        keys = [shared_by(question) or question.id for question in self.questions]
        drawn = {key: _drawn(key, self.draws) for key in dict.fromkeys(keys)}
        return np.stack([drawn[key] for key in keys], axis=1)

    def groups(self, where: Where) -> int:
        """Different groups among some questions."""
        return len({shared_by(q) or q.id for q in self.questions if where(q)})

    def primary(self, system: str) -> str:
        """The signal that a system's unsuffixed metrics mean."""
        return str(self.files.system(system)["primary_signal"])

    def measure(
        self,
        system: str,
        metric: str,
        where: Where,
        *,
        signal: str | None = None,
        right: Mapping[str, bool] | None = None,
        declined: Mapping[str, bool] | None = None,
    ) -> Figure:
        """A metric of a system on some questions.

        Args:
            signal: the confidence; left out: the system's primary one.
            right: by question id, in place of the verdicts; questions that it lacks are left out.
            declined: by question id, in place of what the system declines by a threshold of its own.

        Raises:
            NotMadeError: the run has no such system.
        """
        if system not in self._boards:
            raise NotMadeError(system)
        chosen = METRICS.get(metric)
        positions = self._positions(where)
        part = self._boards[system].part(positions)
        rows = part.with_signal(signal or self.primary(system))
        ids = [self.questions[i].id for i in positions[part.columns]]
        if declined is not None:
            refused = [declined.get(key, False) for key in ids] | (rows.verdict == REFUSED)
            rows = replace(rows, refused=refused.astype(np.float64))
        if right is not None:
            codes = [(CORRECT if right[key] else WRONG) if key in right else UNSCORED for key in ids]
            rows = replace(rows, verdict=np.array(codes, np.int8))
        counted = Counted.of(rows, chosen.counted_mask(rows), part.columns)
        if not len(counted.rows) or chosen.obstacle(rows):
            return np.full(1 + self.draws, np.nan)
        return np.array(chosen.compute(Sample(counted, Weights(self._weights[:, positions]))))

    def threshold(self, system: str, signals: Sequence[str]) -> tuple[str, float]:
        """The signal, of several, and its value with the most right minus wrong answers at or above it.

        On calibration questions; of signals that do as well the first. An answer without the signal is
        declined. The value is infinite where declining all is best.
        """
        verdicts = {q.id: v for q, v, _ in self.rows(system, calibration) if v in JUDGED}
        given = self.signals(system, calibration)
        found = {
            signal: _cut(
                [(given[key].get(signal, -math.inf), v is Verdict.CORRECT) for key, v in verdicts.items()]
            )
            for signal in signals
            if any(signal in row for row in given.values())
        }
        if not found:
            raise NotMadeError(f"{system}: none of {', '.join(signals)}")
        best = max(found, key=lambda signal: found[signal][0])
        return best, found[best][1]

    def mean(self, values: Mapping[str, float], where: Where = lambda _: True) -> Figure:
        """The mean of some values by question id."""
        positions = np.array([i for i in self._positions(where) if self.questions[i].id in values], np.intp)
        column = np.array([values[self.questions[i].id] for i in positions])
        weights = self._weights[:, positions]
        return divide(weights @ column, weights.sum(axis=1))

    def rows(self, system: str, where: Where) -> list[tuple[Question, Verdict, bool]]:
        """Some questions with a system's verdict, and whether it declined."""
        if system not in self.files.predictions:
            raise NotMadeError(system)
        return [(q, row.verdict, row.abstained) for q, row in self.files.answered(system) if where(q)]

    def signals(self, system: str, where: Where) -> dict[str, Mapping[str, float]]:
        """A system's signals on some questions, by question id."""
        if system not in self.files.predictions:
            raise NotMadeError(system)
        return {q.id: row.signals for q, row in self.files.answered(system) if where(q)}

    def _positions(self, where: Where) -> npt.NDArray[np.intp]:
        return np.array([i for i, question in enumerate(self.questions) if where(question)], np.intp)


def _drawn(key: str, draws: int) -> npt.NDArray[np.intp]:
    """How often a group counts: once in the data, and Poisson(1) often in each draw."""
    seed = int.from_bytes(hashlib.sha256(f"claims/{key}".encode()).digest()[:8], "big")
    return np.concatenate([[1], np.random.default_rng(seed).poisson(1.0, draws)]).astype(np.intp)


def _cut(scored: Sequence[tuple[float, bool]]) -> tuple[int, float]:
    """The most right minus wrong answers at or above any value, and the value; 0 and infinite for none."""
    falling = sorted(scored, reverse=True)
    best, at, total = 0, math.inf, 0
    for (value, right), (following, _) in pairwise([*falling, (-math.inf, False)]):
        total += 1 if right else -1
        if total > best and value != following:
            best, at = total, value
    return best, at


@dataclass
class Lab:
    """The runs of one seed at one place."""

    place: Place
    seed: int
    folder: Path
    """Of the runs."""
    _runs: dict[str, Run] = field(default_factory=dict)

    def run(self, name: str = "open") -> Run:
        """A finished run.

        Raises:
            NotMadeError: there is none.
        """
        if name not in self._runs:
            if not self.made(name):
                raise NotMadeError(name)
            self._runs[name] = Run(FinishedRun.open(self.folder / name), DRAWS[self.place.lab])
        return self._runs[name]

    def of(self, system: str) -> Run:
        """The run that a system is in, the first of several; all ask the same questions.

        Raises:
            NotMadeError: none of the runs that are made has it.
        """
        for name in self.place.runs:
            if self.made(name) and system in self.run(name).files.predictions:
                return self.run(name)
        raise NotMadeError(system)

    def made(self, name: str) -> bool:
        """Whether a run is finished."""
        return (self.folder / name / METRICS_FILE).exists()

    def test(self, domain: Domain | None = None, group: str | None = None) -> Where:
        """Picks answerable test questions of the place, of a domain and a group where given."""
        return lambda question: (
            question.split == "test"
            and question.dataset == self.place.dataset
            and question.answerable
            and (domain is None or question.domain == domain)
            and (group is None or question.group == group)
        )

    def part(self, split: str) -> Where:
        """Picks questions of a further part, such as ``paraphrase``."""
        return lambda question: question.split == split and question.dataset == self.place.dataset

    def groups(self) -> int:
        """Groups of test questions, in the domain that has fewest."""
        run = self.run("contextual" if self.place.contextual else "open")
        counts = [run.groups(self.test(domain)) for domain in ("id", "ood")]
        return min(count for count in counts if count)

    def perplexities(self) -> dict[str, float]:
        """Mean log-perplexity of each training question's text under the base model, in nats a token.

        Computed once and kept beside the runs.
        """
        kept = self.folder / "question-perplexities.json"
        if not kept.exists():
            run = self.run()
            asked = [q for q in run.questions if q.split == "train" and q.answerable]
            write_json(kept, question_log_perplexities(run.files, asked))
        found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
        return found


Effect = Callable[[Lab], Figure]


def difference(
    metric: str,
    system: str,
    other: str,
    domain: Domain = "id",
    *,
    other_metric: str | None = None,
    signal: str | None = None,
) -> Effect:
    """The effect: a metric of one system minus the same (or another) of another, on test questions.

    Args:
        signal: of the first system; left out: its primary one, as of the other.
    """

    def effect(lab: Lab) -> Figure:
        where = lab.test(domain)
        theirs = lab.of(other).measure(other, other_metric or metric, where)
        return lab.of(system).measure(system, metric, where, signal=signal) - theirs

    return effect


def accuracy(run: Run, system: str, where: Where) -> Figure:
    """Share of right answers, refusals by threshold ignored."""
    return run.measure(system, "accuracy", where)


def refused(run: Run, system: str, where: Where) -> Figure:
    """Share of declined questions."""
    return run.measure(system, "refusal_rate", where)


def willing_gain(run: Run, system: str, where: Where) -> Figure:
    """Accuracy on what it answers minus accuracy on all, refusals ignored."""
    return run.measure(system, "accuracy_willing", where) - run.measure(system, "accuracy", where)


def over(values: Sequence[Figure]) -> Figure:
    """The highest of several figures, in each draw."""
    return np.asarray(np.max(np.stack(values), axis=0))

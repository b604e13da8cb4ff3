"""The laboratory of one seed: the runs that the claims look at, and how they are read.

All methods of a run share its probe and base model. A run is made once, in a folder of its own, and resumes
like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from demur.analyse.perplexity import question_log_perplexities
from demur.claims.catalogue_runs import RUNS
from demur.compare.columns import auroc_of_truth
from demur.core.config import Config, load_config
from demur.core.files import write_json
from demur.core.records import AnsweredQuestion, Probe, Question, Verdict
from demur.knowledge.truth import known
from demur.runfolder.finished import FinishedRun


def config_of(run: str, seed: int, out: Path) -> Config:
    """The configuration of one of `RUNS` for a seed."""
    return load_config(None, {**RUNS[run], "seed": seed, "out": str(out / f"seed-{seed}" / run)})


@dataclass
class Run:
    """One finished run, read when asked."""

    files: FinishedRun
    _rows: dict[str, list[AnsweredQuestion]] = field(default_factory=dict)

    @cached_property
    def questions(self) -> dict[str, Question]:
        """By id."""
        return {question.id: question for question in self.files.questions}

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """What the base model did, by question id."""
        return {probe.question_id: probe for probe in self.files.probes}

    @cached_property
    def known(self) -> dict[str, bool]:
        """The truth, by question id, where reads say it."""
        found = {key: known(question) for key, question in self.questions.items()}
        return {key: value for key, value in found.items() if value is not None}

    def metric(self, system: str, split: str, name: str) -> float | None:
        """A value of ``metrics.json``; None where it is undefined or absent."""
        cell = self.files.metrics["metrics"].get(system, {}).get(split, {}).get(name, {})
        value = cell.get("value")
        return None if value is None else float(value)

    def rows(self, system: str, where: Callable[[Question], bool]) -> list[AnsweredQuestion]:
        """A system's predictions on some questions, in order."""
        if system not in self._rows:
            found = self.files.predictions[system]
            self._rows[system] = [(self.questions[row.question_id], row) for row in found]
        return [item for item in self._rows[system] if where(item[0])]


class NotMadeError(LookupError):
    """A run that a claim needs was not made."""


@dataclass
class Lab:
    """The runs of one seed."""

    out: Path
    seed: int
    _runs: dict[str, Run] = field(default_factory=dict)

    def run(self, name: str) -> Run:
        """A finished run.

        Raises:
            NotMadeError: there is none.
        """
        if name not in self._runs:
            files = FinishedRun.open(config_of(name, self.seed, self.out).out, evaluated=False)
            if not files.folder.metrics.exists():
                raise NotMadeError(name)
            self._runs[name] = Run(files)
        return self._runs[name]

    def question_perplexities(self) -> dict[str, float]:
        """Mean log-perplexity of each training question's text under the base model, in nats a token.

        Computed once and kept beside the runs.
        """
        kept = self.out / f"seed-{self.seed}" / "question-perplexities.json"
        if not kept.exists():
            run = self.run("open")
            asked = [q for q in run.questions.values() if q.split == "train" and q.answerable]
            write_json(kept, question_log_perplexities(run.files, asked))
        found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
        return found


def difference(
    run: str, metric: str, system: str, other: str, split: str, *, other_metric: str | None = None
) -> Callable[[Lab], float | None]:
    """The effect: a metric of one system minus the same (or another) of another, on a split of a run."""

    def effect(lab: Lab) -> float | None:
        ours = lab.run(run).metric(system, split, metric)
        theirs = lab.run(run).metric(other, split, other_metric or metric)
        return None if ours is None or theirs is None else ours - theirs

    return effect


def of_test(domain: str | None = None, group: str | None = None) -> Callable[[Question], bool]:
    """Picks answerable test questions, of a domain and a group where given."""
    return lambda question: (
        question.split == "test"
        and question.answerable
        and (domain is None or question.domain == domain)
        and (group is None or question.group == group)
    )


def accuracy(rows: Sequence[AnsweredQuestion]) -> float | None:
    """Share of right answers, refusals ignored."""
    return float(np.mean([row.verdict is Verdict.CORRECT for _, row in rows])) if rows else None


def refused(rows: Sequence[AnsweredQuestion]) -> float | None:
    """Share of declined questions."""
    return float(np.mean([row.abstained for _, row in rows])) if rows else None


def truth_auroc(run: Run, system: str, signal: str, where: Callable[[Question], bool]) -> float | None:
    """AUROC of a signal against the truth."""
    return auroc_of_truth([row for _, row in run.rows(system, where)], run.known, signal)


def minus(ours: float | None, theirs: float | None) -> float | None:
    """A difference, undefined where one side is."""
    return None if ours is None or theirs is None else ours - theirs

"""How well confidence signals rank a model's answers, beside controls that know nothing of the model.

    demur probe --model smollm2 --data atlas --data.path DIR --limit 48 --out runs/asked
    python benchmarks/signals.py runs/asked/config.yaml --labels 200 --draws 5

The configuration says which model is asked, how, and on which data. Each draw takes so many of the training
questions. What is fitted (`probe`, `learned`, the controls), and every choice within, is fitted and chosen
anew for each draw, on its labels alone. Figures are means over draws of the AUROC on test questions, in and
out of domain, with the standard deviation over draws. Only open parts of the data are read.

Controls: `answer rate`, the share right per predicted answer, smoothed; `words`, a logistic regression on
the words of question and answer; each of these two also weighed with the smallest token log-probability;
`group rate`, the share right per group of questions; `shuffled`, the probe on labels that were shuffled.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from demur.core.config import load_config
from demur.core.questions import shared_by
from demur.core.records import Question, Response, Verdict
from demur.datasets import load_questions
from demur.engines import Sampling
from demur.engines.base import States
from demur.engines.opening import open_engine
from demur.judging import judgement
from demur.judging.normalise import normalise
from demur.pipeline import prompts
from demur.signals import Answered, Said
from demur.signals.fitted import fit_to
from demur.signals.free import computed
from demur.signals.linear import auroc, fit, grouped_folds, held_out, layers_of
from demur.sources import base_model

PRIOR = 2.0
"""Answers of the mean rate that every answer's own rate is smoothed with."""


@dataclass(frozen=True)
class Row:
    """A judged answer."""

    part: str
    question: Question
    said: Response
    answer: str
    states: States
    right: bool

    @property
    def words(self) -> str:
        """What the control `words` sees."""
        return f"{self.question.text} || {self.answer}"

    @property
    def labelled(self) -> Answered:
        """The answer as it is fitted to."""
        said = Said(question=self.question, greedy=self.said, states=self.states)
        group = shared_by(self.question) or self.question.id
        return Answered(said=said, right=self.right, group=group)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="of a run")
    parser.add_argument("--labels", type=int, nargs="+", default=[200])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--questions", type=int, default=400, help="of each part, at most")
    options = parser.parse_args()
    rows, model, layers = ask(options.config, options.questions)
    print(
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores; {model}, layers {layers}"
    )
    for part in sorted({row.part for row in rows}):
        right = [row.right for row in rows if row.part == part]
        print(f"- {part}: {len(right)} questions, {np.mean(right):.1%} right")
    for labels in options.labels:
        show(rows, layers, labels=labels, draws=options.draws)


def ask(path: Path, most: int) -> tuple[list[Row], str, tuple[int, ...]]:
    """What the model of a configuration answers to answerable questions, judged, with its hidden states."""
    config = load_config(path)
    loaded = load_questions(config.data.model_copy(update={"limit": most}), seed=config.seed)
    config, loaded = prompts.with_examples(config, loaded)
    engine = open_engine(config.model, base=base_model(config))
    layers = layers_of(engine.capabilities.layers)
    template = config.template.template(chat=engine.chat)
    questions = [q for q in loaded.questions if q.answers and q.split in ("train", "test")]
    sampling = Sampling(
        max_new_tokens=config.probe.max_new_tokens, stop=config.probe.stop, layers=layers, top=True
    )
    found = engine.generate(
        [template.ask(q) for q in questions], keys=[q.id for q in questions], sampling=sampling
    )
    rows = []
    for question, item in zip(questions, found, strict=True):
        assert item.greedy is not None
        assert item.states is not None
        judged = judgement(question, item.greedy.text, rule=config.judge.rule, refusals=(template.refusal,))
        part = question.split if question.split == "train" else f"test/{question.domain}"
        if judged.verdict in (Verdict.CORRECT, Verdict.WRONG):
            right = judged.verdict is Verdict.CORRECT
            answer = normalise(judged.answer)
            rows.append(Row(part, question, item.greedy, answer, item.states, right))
    return rows, str(config.model.path), layers


def show(rows: Sequence[Row], layers: tuple[int, ...], *, labels: int, draws: int) -> None:
    """Print a table for so many labels."""
    parts = [part for part in sorted({row.part for row in rows}) if part != "train"]
    training = [place for place, row in enumerate(rows) if row.part == "train"]
    found: dict[str, list[list[float]]] = defaultdict(list)
    free = [computed(Said(question=row.question, greedy=row.said)) for row in rows]
    for name in sorted(set.intersection(*(set(values) for values in free))):
        found[name].append(_of(rows, parts, np.array([values[name] for values in free])))
    for draw in range(draws):
        drawn = np.random.default_rng(draw).permutation(training)[:labels]
        for name, scores in scored(rows, free, drawn, layers, seed=draw).items():
            found[name].append(_of(rows, parts, scores))
    print(f"\n{labels} labels, {draws} draws\n")
    print(f"| signal | {' | '.join(parts)} |\n| --- |{' ---: |' * len(parts)}")
    for name, values in found.items():
        means = np.mean(values, axis=0)
        spread = np.std(values, axis=0, ddof=1) if len(values) > 1 else None
        cells = [
            f"{mean:.3f}" + ("" if spread is None else f" ± {spread[place]:.3f}")
            for place, mean in enumerate(means)
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def _of(rows: Sequence[Row], parts: Sequence[str], scores: np.ndarray[Any, Any]) -> list[float]:
    right = np.array([row.right for row in rows])
    chosen = [np.array([row.part == part for row in rows]) for part in parts]
    return [auroc(scores[mask], right[mask]) for mask in chosen]


def scored(
    rows: Sequence[Row],
    free: Sequence[dict[str, float]],
    drawn: np.ndarray[Any, Any],
    layers: tuple[int, ...],
    *,
    seed: int,
) -> dict[str, np.ndarray[Any, Any]]:
    """The scores of all rows, by what is fitted on those drawn."""
    labelled = [rows[place].labelled for place in drawn]
    right = np.array([item.right for item in labelled])
    folds = grouped_folds(right, [item.group for item in labelled], seed=seed)
    fitted = fit_to(labelled, layers=layers, seed=seed)
    signals = [fitted(row.labelled.said) for row in rows]
    smallest = np.array([values["min"] for values in free])
    found = {name: np.array([values[name] for values in signals]) for name in ("probe", "learned")}
    for name, make in (("answer rate", _rate), ("words", _words)):
        inside = held_out(lambda train, make=make: _at(make(rows, drawn[train]), drawn), len(drawn), folds)
        found[name] = make(rows, drawn)
        found[f"{name} + min"] = _both(inside, smallest[drawn], right, found[name], smallest)
    found["group rate"] = _smoothed(rows, drawn, lambda row: str(row.question.group))
    shuffled = np.random.default_rng(seed).permutation(right)
    states = np.stack([item.said.states.answer for item in labelled if item.said.states is not None])
    probe = fit(states, shuffled, grouped_folds(shuffled, [item.group for item in labelled], seed=seed))
    found["shuffled"] = probe.probe(np.stack([row.states.answer for row in rows]))
    return found


def _at(scores: np.ndarray[Any, Any], drawn: np.ndarray[Any, Any]) -> Callable[[Any], np.ndarray[Any, Any]]:
    return lambda places: scores[drawn[places]]


def _rate(rows: Sequence[Row], drawn: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _smoothed(rows, drawn, lambda row: row.answer)


def _smoothed(
    rows: Sequence[Row], drawn: np.ndarray[Any, Any], key: Callable[[Row], str]
) -> np.ndarray[Any, Any]:
    """The log-odds of the share right among the labelled rows of one key."""
    counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for place in drawn:
        counts[key(rows[place])][0] += 1
        counts[key(rows[place])][1] += rows[place].right
    mean = float(np.mean([rows[place].right for place in drawn]))
    every = [counts.get(key(row), [0.0, 0.0]) for row in rows]
    shares = np.array([(right + PRIOR * mean) / (n + PRIOR) for n, right in every]).clip(0.01, 0.99)
    return np.asarray(np.log(shares / (1 - shares)))


def _words(rows: Sequence[Row], drawn: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    model = make_pipeline(CountVectorizer(binary=True), LogisticRegression(C=0.3, max_iter=500))
    model.fit([rows[place].words for place in drawn], [rows[place].right for place in drawn])
    return np.asarray(model.decision_function([row.words for row in rows]))


def _both(inside: Any, small: Any, right: Any, every: Any, smallest: Any) -> np.ndarray[Any, Any]:
    """Two signals weighed on the labels, the fitted one by what it says of rows held out."""
    scale = np.std([inside, small], axis=1) + 1e-9
    model = LogisticRegression().fit(np.column_stack([inside, small]) / scale, right)
    return np.asarray(model.decision_function(np.column_stack([every, smallest]) / scale))


if __name__ == "__main__":
    main()

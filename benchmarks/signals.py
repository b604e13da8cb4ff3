"""How well confidence signals rank a model's answers, beside controls that know nothing of the model.

    python benchmarks/signals.py CONFIG.yaml --labels 50 100 200 400 800 --draws 5 --primary 200

The configuration says which model is asked, how, and on which data. Each draw takes so many of the training
questions; the first of a longer draw are those of a shorter one. What is fitted (`probe`, `learned`, the
controls), and every choice within, is fitted and chosen anew for each draw, on its labels alone. Figures
are means over draws of the AUROC on test questions, with the standard deviation over draws:

    in domain, out of domain    the two parts of the test questions
    within groups               in domain, only pairs of questions of one group (relation); a signal that
                                only knows which kind of question is hard has .5 here
    gold elsewhere              in domain, questions that do not hold their own accepted answer

Controls: `answer rate`, the share right per predicted answer, smoothed; `words`, a logistic regression on
the words of question and answer; each of these two also weighed with the best free signal of the training
questions; `group rate`, the share right per group; `length`, the number of tokens of the answer (fewer is
surer); `popularity`, where the data has it; `shuffled`, the probe on shuffled labels, the mean over so many
shuffles (`--shuffles`) in each draw.

Primary comparisons, with `--primary N` labels: `learned` less the best free signal, in domain and out of
it; `learned` less the best control, in domain. "Best" is the one with the highest figure on the very test
questions, which favours it. Intervals: 95%, percentile bootstrap over clusters (questions of one entity,
else of one group), the same draws of clusters for both; the p-value is two-sided from the same bootstrap.
`--holm P…` adds p-values of other configurations to Holm's correction.

The sealed part of a data set is only read with `--sealed`, as test questions, and that it was is printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import platform
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from demur.core.config import load_config
from demur.core.questions import shared_by
from demur.core.records import Question, Verdict
from demur.datasets import load_questions
from demur.engines import Sampling
from demur.engines.opening import open_engine
from demur.judging import judgement
from demur.judging.normalise import normalise
from demur.pipeline import prompts
from demur.signals import SIGNALS, Answered, Said
from demur.signals.fitted import fit_to
from demur.signals.free import computed
from demur.signals.linear import fit, grouped_folds, held_out, layers_of, rightness
from demur.sources import base_model

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

LEARNED, DIRECTION = "learned", "direction"
LEARNT = ("probe", "p-ik", "answer-rate")
"""Signals that `fit_to` fits beside `learned`; the last one is a control here."""
RESAMPLES = 1000
DOMAINS = {"test/id": "in domain", "test/ood": "out of domain"}


@dataclass(frozen=True)
class Row:
    """A judged answer."""

    part: str
    answered: Answered

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.answered.said.question

    @property
    def words(self) -> str:
        """What the control `words` sees."""
        return f"{self.question.text} || {normalise(self.answered.said.greedy.text)}"

    @property
    def gold_elsewhere(self) -> bool:
        """Whether the question does not hold an accepted answer."""
        asked = f" {normalise(self.question.text)} "
        return not any(f" {normalise(answer)} " in asked for answer in self.question.answers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="of a run")
    parser.add_argument("--labels", type=int, nargs="+", default=[200])
    parser.add_argument("--primary", type=int, help="labels of the primary comparisons; default: the first")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--questions", type=int, default=400, help="of each test part, at most")
    parser.add_argument("--samples", type=int, default=0, help="sampled answers of each question")
    parser.add_argument("--shuffles", type=int, default=4, help="in each draw")
    parser.add_argument("--sealed", action="store_true", help="test on the sealed part instead")
    parser.add_argument("--holm", type=float, nargs="*", default=[], metavar="P")
    options = parser.parse_args()
    rows, told = ask(options)
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores; {told}")
    for part in sorted({row.part for row in rows}):
        right = [row.answered.right for row in rows if row.part == part]
        print(f"- {part}: {len(right)} answers that could be judged, {np.mean(right):.1%} right")
    study(rows, options)


def ask(options: argparse.Namespace) -> tuple[list[Row], str]:
    """What the model of a configuration answers to answerable questions, judged, with its hidden states."""
    config = load_config(options.config)
    most = max(options.questions, *options.labels)
    data = config.data.model_copy(update={"limit": most, "open_sealed": options.sealed})
    config, loaded = prompts.with_examples(config, load_questions(data, seed=config.seed))
    engine = open_engine(config.model, base=base_model(config))
    layers = layers_of(engine.capabilities.layers)
    template = config.template.template(chat=engine.chat)
    questions = [question for question in loaded.questions if question.answers and _part(question, options)]
    sampling = Sampling(
        max_new_tokens=config.probe.max_new_tokens,
        stop=config.probe.stop,
        samples=options.samples,
        layers=layers,
        top=True,
    )
    found = engine.generate(
        [template.ask(question) for question in questions],
        keys=[question.id for question in questions],
        sampling=sampling,
    )
    rows = []
    for question, item in zip(questions, found, strict=True):
        assert item.greedy is not None
        judged = judgement(question, item.greedy.text, rule=config.judge.rule, refusals=(template.refusal,))
        if judged.verdict in (Verdict.CORRECT, Verdict.WRONG):
            said = Said(question=question, greedy=item.greedy, samples=item.samples, states=item.states)
            group = shared_by(question) or question.id
            right = judged.verdict is Verdict.CORRECT
            rows.append(Row(_part(question, options), Answered(said=said, right=right, group=group)))
    told = f"{config.model.path}, {engine.model.dtype}, layers {layers}"
    return rows, told + (", THE SEALED PART" if options.sealed else "")


def _part(question: Question, options: argparse.Namespace) -> str:
    """``train``, ``test/id``, ``test/ood``, or nothing for a question that is not asked."""
    if question.split == "train":
        return "train"
    tested = "confirm" if options.sealed else "test"
    return f"test/{question.domain}" if question.split == tested else ""


# -- what is measured --------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """Pairs of a right and a wrong answer that a signal has to rank."""

    name: str
    places: tuple[Places, ...]
    """Rows in strata: pairs are taken within each."""

    def area(self, scores: Floats, right: Bools) -> float:
        """The share of pairs ranked rightly, ties half; NaN where there is no pair."""
        won = pairs = 0.0
        for places in self.places:
            wins, of = _pairs(scores[places], right[places])
            won, pairs = won + wins, pairs + of
        return won / pairs if pairs else float("nan")


def _pairs(scores: Floats, right: Bools) -> tuple[float, float]:
    n = int(right.sum())
    ranks = rankdata(scores)
    return float(ranks[right].sum() - n * (n + 1) / 2), float(n * (len(right) - n))


def views(rows: Sequence[Row]) -> list[View]:
    """The columns of the tables."""
    inside = [place for place, row in enumerate(rows) if row.part == "test/id"]
    groups: dict[str | None, list[int]] = defaultdict(list)
    for place in inside:
        groups[rows[place].question.group].append(place)
    found = [
        View(name, (np.array([place for place, row in enumerate(rows) if row.part == part], np.intp),))
        for part, name in DOMAINS.items()
    ]
    elsewhere = np.array([place for place in inside if rows[place].gold_elsewhere], np.intp)
    strata = tuple(np.array(places, np.intp) for places in groups.values())
    return [*found, View("within groups", strata), View("gold elsewhere", (elsewhere,))]


def study(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print a table for each number of labels, and the primary comparisons."""
    right = rightness([row.answered for row in rows])
    training = np.array([place for place, row in enumerate(rows) if row.part == "train"])
    free = free_scores(rows)
    primary = options.primary or options.labels[0]
    for labels in options.labels:
        drawn = [
            np.random.default_rng(draw).permutation(training)[:labels] for draw in range(options.draws)
        ]
        fits = [
            scored(rows, free, places, seed=draw, shuffles=options.shuffles)
            for draw, places in enumerate(drawn)
        ]
        table(rows, right, free, fits, labels=min(labels, len(training)))
        if labels == primary:
            compare(rows, right, free, fits, options.holm)


def table(
    rows: Sequence[Row],
    right: Bools,
    free: Mapping[str, Floats],
    fits: Sequence[Mapping[str, list[Floats]]],
    *,
    labels: int,
) -> None:
    """Print the AUROC of every signal in every view."""
    columns = views(rows)
    print(f"\n{labels} labels, {len(fits)} draws\n")
    print(f"| signal | {' | '.join(view.name for view in columns)} |\n| --- |{' ---: |' * len(columns)}")
    for name, scores in free.items():
        print(f"| {name} | {' | '.join(f'{view.area(scores, right):.3f}' for view in columns)} |")
    for name in fits[0]:
        means = np.array(
            [[np.mean([v.area(one, right) for one in made[name]]) for v in columns] for made in fits]
        )
        cells = [f"{mean:.3f}" for mean in means.mean(axis=0)]
        if len(fits) > 1:
            cells = [f"{c} ± {s:.3f}" for c, s in zip(cells, means.std(axis=0, ddof=1), strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")


def compare(
    rows: Sequence[Row],
    right: Bools,
    free: Mapping[str, Floats],
    fits: Sequence[Mapping[str, list[Floats]]],
    others: Sequence[float],
) -> None:
    """Print the primary comparisons."""
    inside, outside = views(rows)[:2]
    learned = [made[LEARNED][0] for made in fits]
    controls = {name: [made[name][0] for made in fits] for name in fits[0] if name.startswith("control")}
    rivals = {name: [scores] * len(fits) for name, scores in free.items()}
    found = []
    for view, against, kind in (
        (inside, rivals, "free signal"),
        (outside, rivals, "free signal"),
        (inside, controls, "control"),
    ):
        best = max(against, key=lambda name: _mean(view, against[name], right))
        found.append((f"{view.name}, less the best {kind} ({best})", view, against[best]))
    results = [difference(rows, right, view, learned, scores) for _, view, scores in found]
    adjusted = holm([*(p for *_, p in results), *others])
    print("\n| learned | difference | 95% | p | Holm |\n| --- | ---: | --- | ---: | ---: |")
    for (name, *_), (gain, low, high, p), corrected in zip(found, results, adjusted, strict=False):
        print(f"| {name} | {gain:+.3f} | {low:+.3f} to {high:+.3f} | {p:.4f} | {corrected:.4f} |")


def _mean(view: View, scores: Sequence[Floats], right: Bools) -> float:
    return float(np.mean([view.area(one, right) for one in scores]))


def difference(
    rows: Sequence[Row], right: Bools, view: View, learned: Sequence[Floats], other: Sequence[Floats]
) -> tuple[float, float, float, float]:
    """Mean over draws of the difference of AUROCs, its interval and p-value, by clusters of questions."""
    [places] = view.places
    clusters: dict[str, list[int]] = defaultdict(list)
    for place in places:
        clusters[rows[place].answered.group].append(int(place))
    members = [np.array(cluster, np.intp) for cluster in clusters.values()]
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(RESAMPLES):
        again = np.concatenate([members[place] for place in rng.integers(len(members), size=len(members))])
        if 0 < right[again].sum() < len(again):
            drawn = dataclasses.replace(view, places=(again,))
            gains.append(_mean(drawn, learned, right) - _mean(drawn, other, right))
    gain = _mean(view, learned, right) - _mean(view, other, right)
    beyond = min(np.mean(np.array(gains) <= 0), np.mean(np.array(gains) >= 0))
    low, high = np.quantile(gains, [0.025, 0.975])
    return gain, float(low), float(high), float(min(1.0, 2 * max(beyond, 1 / RESAMPLES)))


def holm(values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order of the values."""
    found, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        found[place] = highest
    return found


# -- what ranks --------------------------------------------------------------------------------------


def free_scores(rows: Sequence[Row]) -> dict[str, Floats]:
    """Every signal that needs no label, by name."""
    found = [computed(row.answered.said) for row in rows]
    names = sorted(set.intersection(*(set(values) for values in found)))
    return {name: np.nan_to_num(np.array([values[name] for values in found]), nan=-1e9) for name in names}


def scored(
    rows: Sequence[Row], free: Mapping[str, Floats], drawn: Places, *, seed: int, shuffles: int
) -> dict[str, list[Floats]]:
    """The scores of all rows, by what is fitted on those drawn; of `shuffled` several."""
    labelled = [rows[place].answered for place in drawn]
    right = rightness(labelled)
    folds = grouped_folds(right, [item.group for item in labelled], seed=seed)
    fitted = fit_to(labelled, layers=_layers(rows), seed=seed)
    signals = [fitted(row.answered.said) for row in rows]
    found = {name: np.array([values[name] for values in signals]) for name in (LEARNED, *LEARNT[:2])}
    for name in (DIRECTION, "sep"):
        made = SIGNALS.get(name).fit(labelled, folds)  # type: ignore[attr-defined]
        if made is not None:
            found[name] = np.array([made[0](row.answered.said) for row in rows])
    best = max(free, key=lambda name: View("", (drawn,)).area(free[name], rightness_of(rows)))
    controls: dict[str, Callable[[Places], Floats]] = {
        "answer rate": lambda places: _rate(rows, places),
        "words": lambda places: _words(rows, places),
    }
    for name, make in controls.items():
        inside = held_out(
            lambda train, make=make: lambda held: make(drawn[train])[drawn[held]], len(drawn), folds
        )
        found[f"control: {name}"] = make(drawn)
        both = _both(inside, free[best][drawn], right, make(drawn), free[best])
        found[f"control: {name} + free"] = both
    found["control: group rate"] = _share(rows, drawn, lambda row: str(row.question.group))
    found["control: length"] = -np.array([len(row.answered.said.greedy.token_logprobs) for row in rows])
    if all(row.question.meta.get("popularity") is not None for row in rows):
        found["control: popularity"] = np.array([row.question.meta["popularity"] for row in rows])
    every = {name: [scores] for name, scores in found.items()}
    return every | {"control: shuffled": _shuffled(rows, labelled, seed=seed, count=shuffles)}


def rightness_of(rows: Sequence[Row]) -> Bools:
    return rightness([row.answered for row in rows])


def _layers(rows: Sequence[Row]) -> tuple[int, ...]:
    """Numbers for the layers whose states there are; only their count matters once they were read."""
    states = rows[0].answered.said.states
    return () if states is None else tuple(range(1, len(states.answer) + 1))


def _rate(rows: Sequence[Row], drawn: Places) -> Floats:
    made = SIGNALS.get("answer-rate").fit([rows[place].answered for place in drawn], [])  # type: ignore[attr-defined]
    return np.array([made[0](row.answered.said) for row in rows])


def _share(rows: Sequence[Row], drawn: Places, key: Callable[[Row], str]) -> Floats:
    """The smoothed share right among the labelled rows of one key."""
    counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for place in drawn:
        counts[key(rows[place])][0] += 1
        counts[key(rows[place])][1] += rows[place].answered.right
    mean = float(np.mean([rows[place].answered.right for place in drawn]))
    every = [counts.get(key(row), [0.0, 0.0]) for row in rows]
    return np.array([(right + 2 * mean) / (n + 2) for n, right in every])


def _words(rows: Sequence[Row], drawn: Places) -> Floats:
    model = make_pipeline(CountVectorizer(binary=True), LogisticRegression(C=0.3, max_iter=500))
    model.fit([rows[place].words for place in drawn], [rows[place].answered.right for place in drawn])
    return np.asarray(model.decision_function([row.words for row in rows]))


def _both(inside: Floats, small: Floats, right: Bools, every: Floats, smallest: Floats) -> Floats:
    """Two signals weighed on the labels, the fitted one by what it says of rows held out."""
    scale = np.std([inside, small], axis=1) + 1e-9
    model = LogisticRegression().fit(np.column_stack([inside, small]) / scale, right)
    return np.asarray(model.decision_function(np.column_stack([every, smallest]) / scale))


def _shuffled(rows: Sequence[Row], labelled: Sequence[Answered], *, seed: int, count: int) -> list[Floats]:
    """The probe on shuffled labels, several times."""
    if labelled[0].said.states is None:
        return []
    right = rightness(labelled)
    states = np.stack([item.said.states.answer for item in labelled if item.said.states is not None])
    every = np.stack(
        [row.answered.said.states.answer for row in rows if row.answered.said.states is not None]
    )
    found = []
    for shuffle in range(count):
        mixed = np.random.default_rng([seed, shuffle]).permutation(right)
        folds = grouped_folds(mixed, [item.group for item in labelled], seed=seed)
        found.append(fit(states, mixed, folds).probe(every))
    return found


if __name__ == "__main__":
    main()

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

Controls are those of `demur.signals.controls`, and `shuffled`: the probe on shuffled labels, the mean
over so many shuffles (`--shuffles`) in each draw.

Primary comparisons, with `--primary N` labels: `learned` less the best free token signal, in domain and
out of it; `learned` less the best control, in domain. "Best" is the one with the highest figure on the very
test questions, which favours it. Intervals: 95%, percentile bootstrap over clusters (questions of one
entity, else of one group), the same draws of clusters for both; the p-value is two-sided, from the same
bootstrap.
`--holm P…` adds p-values of other configurations to Holm's correction.

Below stands what a promise answers in domain (`--max-error`): its threshold is chosen on calibration
questions, one of each group, by each of three signals.

`--promises N` measures how often such a promise is broken. All labelled answers in domain, one of each
cluster, are taken for the population. N times some of them are drawn: on the first (`--primary`) everything
is fitted and chosen anew, on half as many more the threshold is. The promise is broken where the errors
among those answered, of all that nothing was fitted to, are more than promised.

`--samples K` adds what is computed from sampled answers, and `learned` with `agreement` weighed too;
`--p-true` asks the model whether its answer is true, `--by-group` adds a column for each group in domain.

The sealed part of a data set is only read with `--sealed`, as test questions, and that it was is printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

from demur.confidence.independent import one_of_each
from demur.confidence.threshold import find_threshold
from demur.core.config import load_config
from demur.core.errors import TrainingDataError
from demur.core.records import Question, Verdict
from demur.datasets import load_questions
from demur.engines import Sampling
from demur.engines.opening import open_engine
from demur.judging import judgement
from demur.metrics.multiple import holm
from demur.pipeline import prompts
from demur.pipeline.controls import holds_answer
from demur.signals import SIGNALS, Answered, Said
from demur.signals.base import Bools, Floats, Places
from demur.signals.controls import Labelled, controls
from demur.signals.direction import Direction
from demur.signals.fitted import fit_to
from demur.signals.free import computed
from demur.signals.linear import fit, grouped_folds, layers_of, rightness
from demur.signals.p_true import p_true
from demur.signals.probe import Probe
from demur.signals.ranking import area, gap, strata_of
from demur.signals.sep import SEP
from demur.sources import base_model

Scores = Mapping[str, Floats]
"""By signal, shape ``[rows]``."""
Scalars = Mapping[str, float]
"""By signal."""
Fits = Mapping[str, list[Floats]]
"""The same of what was fitted, some of it several times."""

LEARNED = "learned"
DOMAINS = {"test/id": "in domain", "test/ood": "out of domain"}


@dataclass(frozen=True)
class Row:
    """A judged answer."""

    part: str
    answered: Answered
    asked: Scalars
    """What the model was asked beside, by signal."""

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.answered.said.question

    @property
    def gold_elsewhere(self) -> bool:
        """Whether the question does not hold an accepted answer."""
        return not holds_answer(self.question)


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
    parser.add_argument("--p-true", action="store_true")
    parser.add_argument("--by-group", action="store_true")
    parser.add_argument("--promises", type=int, default=0, metavar="N")
    parser.add_argument("--shuffles", type=int, default=4, help="in each draw")
    parser.add_argument("--max-error", type=float, default=0.2, help="that is promised")
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
    truths = [{}] * len(questions)
    if options.p_true:
        answers = [item.greedy.text for item in found if item.greedy is not None]
        truths = [{"p-true": value} for value in p_true(engine, template, questions, answers)]
    rows = []
    for question, item, asked in zip(questions, found, truths, strict=True):
        assert item.greedy is not None
        judged = judgement(question, item.greedy.text, rule=config.judge.rule, refusals=(template.refusal,))
        if judged.verdict in (Verdict.CORRECT, Verdict.WRONG):
            said = Said(question=question, greedy=item.greedy, samples=item.samples, states=item.states)
            answered = Answered.of(said, right=judged.verdict is Verdict.CORRECT)
            rows.append(Row(_part(question, options), answered, asked))
    told = f"{config.model.path}, {engine.model.dtype}, layers {layers}"
    return rows, told + (", THE SEALED PART" if options.sealed else "")


def _part(question: Question, options: argparse.Namespace) -> str:
    """``train``, ``calibration``, ``test/id``, ``test/ood``; nothing for a question that is not asked."""
    if question.split in ("train", "calibration"):
        return question.split
    tested = "confirm" if options.sealed else "test"
    return f"test/{question.domain}" if question.split == tested else ""


# -- what is measured --------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """A column of the tables: pairs of a right and a wrong answer that a signal has to rank."""

    name: str
    places: Places
    strata: Sequence[Places] | None = None
    """Of ``places``."""

    def area(self, scores: Floats, right: Bools) -> float:
        """The share of pairs ranked rightly; NaN where there is no pair."""
        found = area(scores[self.places], right[self.places], self.strata)
        return float("nan") if found is None else found


def views(rows: Sequence[Row], *, by_group: bool = False) -> list[View]:
    """The columns of the tables.

    Args:
        by_group: with one for each group in domain.
    """
    parts = {part: _places(rows, lambda row, part=part: row.part == part) for part in DOMAINS}
    inside = parts["test/id"]
    groups = sorted({str(rows[place].question.group) for place in inside}) if by_group else []
    return [
        *(View(name, parts[part]) for part, name in DOMAINS.items()),
        *(
            View(name, np.array([p for p in inside if str(rows[p].question.group) == name], np.intp))
            for name in groups
        ),
        View("within groups", inside, strata_of([rows[place].question.group for place in inside])),
        View("gold elsewhere", _places(rows, lambda row: row.part == "test/id" and row.gold_elsewhere)),
    ]


def _places(rows: Sequence[Row], chosen: Callable[[Row], bool]) -> Places:
    return np.array([place for place, row in enumerate(rows) if chosen(row)], np.intp)


def study(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print a table for each number of labels, and the primary comparisons."""
    right = rightness([row.answered for row in rows])
    training = _places(rows, lambda row: row.part == "train")
    free = free_scores(rows)
    for labels in options.labels:
        drawn = [
            np.random.default_rng(draw).permutation(training)[:labels] for draw in range(options.draws)
        ]
        fits = [
            scored(rows, free, places, seed=draw, shuffles=options.shuffles)
            for draw, places in enumerate(drawn)
        ]
        columns = views(rows, by_group=options.by_group)
        table(columns, right, free, fits, labels=min(labels, len(training)))
        if labels == (options.primary or options.labels[0]):
            compare(rows, right, free, fits, options.holm)
            promise(rows, right, free, fits, options.max_error)
    if options.promises:
        promises(rows, free, options)


def table(
    columns: Sequence[View], right: Bools, free: Scores, fits: Sequence[Fits], *, labels: int
) -> None:
    """Print the AUROC of every signal in every view."""
    print(f"\n{labels} labels, {len(fits)} draws\n")
    print(f"| signal | {' | '.join(view.name for view in columns)} |\n| --- |{' ---: |' * len(columns)}")
    for name, scores in free.items():
        print(f"| {name} | {' | '.join(f'{view.area(scores, right):.3f}' for view in columns)} |")
    for name in fits[0]:
        means = np.array(
            [
                [np.mean([view.area(one, right) for one in made[name]]) for view in columns]
                for made in fits
                if name in made
            ]
        )
        cells = [f"{mean:.3f}" for mean in means.mean(axis=0)]
        if len(fits) > 1:
            cells = [f"{c} ± {s:.3f}" for c, s in zip(cells, means.std(axis=0, ddof=1), strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")


def compare(
    rows: Sequence[Row], right: Bools, free: Scores, fits: Sequence[Fits], others: Sequence[float]
) -> None:
    """Print the primary comparisons."""
    inside, outside = views(rows)[:2]
    rivals = {name: [scores] * len(fits) for name, scores in of_tokens(free).items()}
    known = {
        name: [made[name][0] for made in fits]
        for name in fits[0]
        if name.startswith("control") and all(name in made for made in fits)
    }
    learned = [made[LEARNED][0] for made in fits]
    names, gaps = [], []
    for view, against, kind in (
        (inside, rivals, "free signal"),
        (outside, rivals, "free signal"),
        (inside, known, "control"),
    ):
        means = {name: np.mean([view.area(one, right) for one in made]) for name, made in against.items()}
        best = max(means, key=means.__getitem__)
        found = gap(
            [one[view.places] for one in learned],
            [one[view.places] for one in against[best]],
            right[view.places],
            [rows[place].answered.group for place in view.places],
        )
        if found is not None:
            names.append(f"{view.name}, less the best {kind} ({best})")
            gaps.append(found)
    adjusted = holm([*(found.p for found in gaps), *others])
    print("\n| learned | difference | 95% | p | Holm |\n| --- | ---: | --- | ---: | ---: |")
    for name, found, corrected in zip(names, gaps, adjusted, strict=False):
        span = f"{found.low:+.3f} to {found.high:+.3f}"
        print(f"| {name} | {found.value:+.3f} | {span} | {found.p:.3f} | {corrected:.3f} |")


def promise(
    rows: Sequence[Row], right: Bools, free: Scores, fits: Sequence[Fits], max_error: float
) -> None:
    """Print what a promise chosen on calibration questions answers and gets wrong in domain."""
    calibration = _places(rows, lambda row: row.part == "calibration")
    chosen = calibration[one_of_each([rows[place].answered.group for place in calibration], seed=0)]
    inside = views(rows)[0].places
    shown = {LEARNED: [made[LEARNED][0] for made in fits]}
    shown |= {name: [free[name]] * len(fits) for name in ("likelihood", "sum") if name in free}
    print(f"\npromise: at most {max_error:.0%} errors, on {len(chosen)} calibration questions\n")
    print("| signal | draws with a promise | answered | errors |\n| --- | ---: | ---: | ---: |")
    for name, scores in shown.items():
        found = []
        for draw, one in enumerate(scores):
            threshold = find_threshold(
                one[chosen], ~right[chosen], max_error=max_error, seed=draw
            ).threshold
            if threshold is not None:
                answered = one[inside] >= threshold
                found.append((answered.mean(), (~right[inside])[answered].mean()))
        means = [f"{mean:.1%}" for mean in np.mean(found, axis=0)] if found else ["0%", "–"]
        print(f"| {name} | {len(found)} of {len(scores)} | {' | '.join(means)} |")


def promises(rows: Sequence[Row], free: Scores, options: argparse.Namespace) -> None:
    """Print how often a promise is broken where everything is fitted and chosen anew each time."""
    inside = _places(rows, lambda row: row.part in ("train", "calibration", "test/id"))
    places = inside[one_of_each([rows[place].answered.group for place in inside], seed=0)]
    right = rightness([rows[place].answered for place in places])
    labels = options.primary or options.labels[0]
    counts = {name: _Kept() for name in (LEARNED, *(n for n in ("likelihood", "sum") if n in free))}
    for draw in range(options.promises):
        order = np.random.default_rng([draw, 1]).permutation(len(places))
        fitted_on, others = order[:labels], order[labels:]
        labelled = [rows[place].answered for place in places[fitted_on]]
        try:
            fitted = fit_to(_without_samples(labelled), layers=_layers(rows), seed=draw, kinds=(Probe,))
        except TrainingDataError:
            continue
        scores = {name: free[name][places] for name in counts if name in free}
        scores[LEARNED] = np.array([fitted(rows[place].answered.said)[LEARNED] for place in places])
        chosen = others[: labels // 2]
        for name, kept in counts.items():
            one, wrong = scores[name], ~right
            threshold = find_threshold(
                one[chosen], wrong[chosen], max_error=options.max_error, seed=draw
            ).threshold
            answered = np.zeros(0, bool) if threshold is None else one[others] >= threshold
            kept.add(answered, wrong[others], options.max_error)
    print(
        f"\n{options.promises} draws of {labels} labels and {labels // 2} calibration questions from "
        f"{len(places)}, at most {options.max_error:.0%} errors with 95%\n"
    )
    print("| signal | promises made | broken, of all draws | answered, of all draws | errors where made |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, kept in counts.items():
        print(f"| {name} | {kept.row()} |")


@dataclass
class _Kept:
    """What became of promises."""

    draws: int = 0
    broken: int = 0
    answered: float = 0.0
    errors: list[float] = field(default_factory=list)

    def add(self, answered: Bools, wrong: Bools, max_error: float) -> None:
        self.draws += 1
        if answered.any():
            error = float(wrong[answered].mean())
            self.errors.append(error)
            self.answered += float(answered.mean())
            self.broken += error > max_error

    def row(self) -> str:
        errors = f"{np.mean(self.errors):.1%}" if self.errors else "–"
        made, broken = len(self.errors) / self.draws, self.broken / self.draws
        return f"{made:.1%} | {broken:.1%} | {self.answered / self.draws:.1%} | {errors}"


# -- what ranks --------------------------------------------------------------------------------------


def free_scores(rows: Sequence[Row]) -> Scores:
    """Every signal that needs no label, by name."""
    found = [{**computed(row.answered.said), **row.asked} for row in rows]
    names = sorted(set.intersection(*(set(values) for values in found)))
    return {name: np.nan_to_num(np.array([values[name] for values in found]), nan=-1e9) for name in names}


def of_tokens(free: Scores) -> Scores:
    """Those that need the tokens' probabilities and nothing else, which primary comparisons are with."""
    own = {"logprobs", "top"}
    return {name: scores for name, scores in free.items() if own.issuperset(SIGNALS.get(name).info.needs)}


def scored(rows: Sequence[Row], free: Scores, drawn: Places, *, seed: int, shuffles: int) -> Fits:
    """The scores of all rows, by what is fitted on those drawn; of the shuffled control several."""
    labelled = [rows[place].answered for place in drawn]
    right = rightness(labelled)
    folds = grouped_folds(right, [item.group for item in labelled], seed=seed)
    fitted = fit_to(_without_samples(labelled), layers=_layers(rows), seed=seed)
    signals = [fitted(row.answered.said) for row in rows]
    found = {name: np.array([values[name] for values in signals]) for name in (LEARNED, "probe", "p-ik")}
    if all(item.said.samples for item in labelled):
        more = fit_to(labelled, layers=_layers(rows), seed=seed, kinds=(Probe,))
        found[f"{LEARNED} + agreement"] = np.array([more(row.answered.said)[LEARNED] for row in rows])
    for kind in (Direction, SEP):
        made = kind.fit(labelled, folds)
        if made is not None:
            signal = made[0]
            found[kind.info.name] = np.array([signal(row.answered.said) for row in rows], float)
    tokens = of_tokens(free)
    known = controls(
        Labelled(answers=labelled, free={name: scores[drawn] for name, scores in tokens.items()}),
        [row.answered.said for row in rows],
        tokens,
        seed=seed,
    )
    every = {name: [scores] for name, scores in found.items()}
    for name, scores in known.items():
        alone, plus, _ = name.partition(" + ")  # which free signal is the best may differ between draws
        every[f"control: {alone}{plus and ' + free'}"] = [scores]
    if shuffles:
        every["control: shuffled"] = _shuffled(rows, labelled, seed=seed, count=shuffles)
    return every


def _without_samples(labelled: Sequence[Answered]) -> list[Answered]:
    """What `demur fit` weighs where nothing more is asked for."""
    return [dataclasses.replace(item, said=dataclasses.replace(item.said, samples=())) for item in labelled]


def _layers(rows: Sequence[Row]) -> tuple[int, ...]:
    """Numbers for the layers whose states there are; only their count matters once they were read."""
    states = rows[0].answered.said.states
    return () if states is None else tuple(range(1, len(states.answer) + 1))


def _shuffled(rows: Sequence[Row], labelled: Sequence[Answered], *, seed: int, count: int) -> list[Floats]:
    """The probe on shuffled labels, several times."""
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

"""Questions that share an entity or document: one of each is promised on, whole ones are drawn."""

import dataclasses

import numpy as np
import pytest
from reporting_run import SYSTEMS, make_run
from typer.testing import CliRunner

from demur.ask.calibration import Calibration
from demur.calibrate.calibrate import calibrate_run
from demur.cli.main import app
from demur.confidence.independent import one_of_each
from demur.confidence.threshold import Thresholds
from demur.core.errors import UnknownNameError
from demur.core.records import TOGETHER, Prediction, Question, read_parquet, shared_by, write_parquet
from demur.metrics import evaluate, limits
from demur.metrics.evaluation import groups_drawn
from demur.runfolder.folder import RunFolder
from demur.runfolder.grouping import Grouping


def test_one_question_of_each_group_is_taken_and_every_lone_one():
    keys = ["a", None, "b", "a", None, "b", "a"]
    taken = one_of_each(keys, seed=0)
    assert taken.tolist() == sorted(taken.tolist())
    assert {1, 4} <= set(taken.tolist())
    assert sorted(keys[place] for place in taken if keys[place]) == ["a", "b"]
    assert one_of_each(keys, seed=0).tolist() == taken.tolist()


def test_every_question_of_a_group_is_as_likely():
    counts = np.bincount([one_of_each(["a"] * 3, seed=seed)[0] for seed in range(3000)], minlength=3)
    assert counts.tolist() == pytest.approx([1000, 1000, 1000], abs=100)  # 4 standard deviations are 103


@pytest.mark.parametrize("keys", [[None] * 5, list("abcde"), []])
def test_without_shared_groups_all_are_taken(keys):
    assert one_of_each(keys, seed=3).tolist() == list(range(len(keys)))


def asked(group=None, together=None, number=0, **more):
    meta = {} if together is None else {TOGETHER: together}
    return Question(id=f"q{number}", text="?", dataset="d", group=group, meta=meta, **more)


def test_what_is_shared_is_the_entity_and_else_the_group():
    assert shared_by(asked("kind", "Ada")) == "d/Ada"
    assert shared_by(asked("kind")) == "d/kind"
    assert shared_by(asked()) is None


@pytest.mark.parametrize(
    ("groups", "choice", "by_group", "rule", "shared"),
    [
        (40, "auto", False, "one", 80),  # two questions of each of 40 groups
        (19, "auto", False, "kinds", 0),
        (19, "one", False, "one", 80),
        (40, "all", False, "all", 0),
        (80, "auto", False, "independent", 0),
        (40, "auto", True, "independent", 0),  # each group has a promise of its own
    ],
)
def test_which_questions_are_taken(groups, choice, by_group, rule, shared):
    questions = [asked(f"g{number % groups}", number=number) for number in range(80)]
    found = Grouping.of(questions, choice, by_group=by_group)
    assert (found.rule, len(found.keys)) == (rule, shared)


@pytest.mark.parametrize("by_group", [False, True])
def test_entities_are_groups_however_few(by_group):
    questions = [asked("kind", f"p{number % 10}", number) for number in range(20)]
    found = Grouping.of(questions, by_group=by_group)
    assert found.rule == "one"
    assert len(found.taken([(question, None) for question in questions], seed=0)) == 10


def test_halves_keep_groups_whole():
    questions = [asked(together=f"p{number // 3}", number=number) for number in range(9)]
    units = Grouping.of(questions).units([question.id for question in questions])
    assert units == {"q0": ["q0", "q1", "q2"], "q3": ["q3", "q4", "q5"], "q6": ["q6", "q7", "q8"]}
    alone = Grouping.of([asked(number=number) for number in range(3)])
    assert alone.units(["q2", "q0", "q1"]) == {"q0": ["q0"], "q1": ["q1"], "q2": ["q2"]}


def test_the_interval_of_a_share_is_over_groups():
    """40 groups of 10, each all right or all wrong: as 39 questions, and 39 degrees of freedom.

    Each group is 5 from the mean, so the variance is 40 · 25 · 40/39 / 400² = .25/39.
    """
    clusters = np.repeat(np.arange(40), 10)
    low, high = limits.clustered(clusters % 2 == 0, np.ones(400, bool), clusters, 0.95)
    wanted = limits.exact(0.5, 39 * limits.of_freedom(0.95, 39), 0.95)
    assert (low, high) == pytest.approx(tuple(map(float, wanted)))
    assert high - low > 0.3  # of 400 single questions: 0.1
    none = limits.clustered(np.zeros(400, bool), np.ones(400, bool), clusters, 0.95)
    assert none == pytest.approx((0.0, float(limits.exact(0, 40 * limits.of_freedom(0.95, 39), 0.95)[1])))


def test_groups_of_one_are_questions():
    assert groups_drawn(np.arange(50)) is None
    assert groups_drawn(np.arange(50) // 2).tolist() == (np.arange(50) // 2).tolist()
    assert groups_drawn(np.arange(38) // 2 + 7) is None  # 19 groups are too few


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", people=600)


def share(run, **fields):
    """Change fields of a run's questions, each by a function of the question and its person's number."""
    file = RunFolder(run).questions
    changed = [
        dataclasses.replace(
            question,
            **{name: made(question, int(question.id.partition("-")[0])) for name, made in fields.items()},
        )
        for question in read_parquet(file, Question)
    ]
    write_parquet(file, changed, Question)
    return changed


def test_groups_of_one_change_no_figure(run):
    """The same to the last digit, in the promise, on the test splits and in the metrics."""
    questions = read_parquet(RunFolder(run).questions, Question)
    terms = {"max_error": 0.3, "system": "r-tuning", "signals": ["sure", "likelihood"]}
    before = calibrate_run(run, **terms)
    changed = share(run, meta=lambda question, _: {TOGETHER: question.id}, group=lambda *_: None)
    after = calibrate_run(run, **terms)
    assert after["drawn"]["rule"] == "independent"
    for name in ("signal", "guarantees", "test", "selection"):
        assert after[name] == before[name]
    predictions = {
        system: read_parquet(RunFolder(run).predictions(system), Prediction)
        for system in ("base", "r-tuning")
    }
    alone = [dataclasses.replace(question, group=None) for question in questions]
    first, second = (
        evaluate(each, predictions, primary=SYSTEMS, resamples=50, metrics=["accuracy", "auroc", "ece"])
        for each in (alone, changed)
    )
    assert first == second


def test_a_promise_is_made_on_one_question_of_each_document(run):
    """150 calibration questions, of every fourth of 600 people; 15 people to a document: 40 documents."""
    plain = calibrate_run(run, max_error=0.3, system="base")
    assert plain["drawn"]["rule"] == "kinds"
    assert "taken for kinds of questions" in " ".join(plain["sentences"])
    share(run, meta=lambda _, person: {TOGETHER: f"document {person // 15}"})
    found = calibrate_run(run, max_error=0.3, system="base")
    assert found["drawn"] == {"rule": "one", "questions": 150, "groups": 40, "used": 40, "trained": 0}
    assert (found["guarantees"]["all"]["n"], found["guarantees"]["all"]["questions"]) == (40, 150)
    said = "150 calibration questions in 40 groups: one question of each group, 40 in all, was used"
    assert said in " ".join(found["sentences"])
    wider, single = (each["test"]["id"] for each in (found, plain))
    assert wider["n"] == single["n"]
    every = calibrate_run(run, max_error=0.3, system="base", groups="all")
    assert every["guarantees"]["all"] == plain["guarantees"]["all"]
    assert "does not hold for new groups" in " ".join(every["sentences"])
    asked = Calibration.of_run(run, "base", "likelihood", seed=0)
    assert (len(asked.confidences), asked.questions) == (40, 150)


def test_the_command_and_the_report_say_what_was_used(run):
    share(run, group=lambda _, person: f"document {person // 15}")
    done = CliRunner().invoke(app, ["calibrate", str(run), "--max-error", "0.3", "--system", "base"])
    assert done.exit_code == 0, done.output
    assert "one question of each group, 40 in all" in " ".join(done.stdout.split())
    assert "one question of each group, 40 in all" in (run / "report.html").read_text(encoding="utf-8")
    with pytest.raises(UnknownNameError, match="--groups"):
        calibrate_run(run, groups="some")


def test_groups_that_were_trained_on_are_counted(run):
    share(
        run,
        meta=lambda _, person: {TOGETHER: f"document {person // 15}"},
        split=lambda question, person: (
            "train" if question.id.endswith("-0") and person < 150 else question.split
        ),
    )
    found = calibrate_run(run, max_error=0.3, system="base")
    assert found["drawn"]["trained"] == 10
    assert "10 of these groups have training questions too" in " ".join(found["sentences"])


def test_several_signals_are_tested_on_the_same_questions(run):
    share(run, meta=lambda _, person: {TOGETHER: f"document {person // 15}"})
    found = calibrate_run(run, max_error=0.3, signals=["sure", "likelihood"])
    assert found["drawn"]["used"] == 40
    alone = calibrate_run(run, max_error=0.3, signal=found["signal"], confidence=0.975)
    assert alone["guarantees"]["all"]["threshold"] == found["guarantees"]["all"]["threshold"]


def test_the_promise_is_kept_where_documents_share_their_errors():
    """300 documents whose 20 questions have one confidence and one chance of being right."""
    rng = np.random.default_rng(0)

    def documents(count):
        known, hidden = rng.standard_normal((2, count))
        return known, 1 / (1 + np.exp(-(5 + 6 * known + 3 * hidden)))

    signal, chance = documents(400_000)
    falling = np.argsort(-signal)
    risk = np.cumsum(1 - chance[falling]) / np.arange(1, len(signal) + 1)
    broken, promised = np.zeros(2), np.zeros(2)
    keys = [str(place // 20) for place in range(300 * 20)]
    for seed in range(150):
        known, right = (values.repeat(20) for values in documents(300))
        wrong, taken = rng.random(len(right)) > right, one_of_each(keys, seed=seed)
        for i, rows in enumerate((np.arange(len(wrong)), taken)):
            threshold = Thresholds.of(known[rows], wrong[rows], seed=seed).find(0.1, 0.95).threshold
            if threshold is not None:
                promised[i] += 1
                answered = np.searchsorted(-signal[falling], -threshold, side="right")
                broken[i] += risk[max(answered - 1, 0)] > 0.1
    assert broken[0] > 20  # every question counted: far more than the 7.5 that are promised
    assert broken[1] <= 14  # P(Bin(150, .05) > 14) = .008
    assert promised[1] > 75

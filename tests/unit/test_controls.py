"""Controls of a fitted confidence, how scores rank, and what a run says of both."""

import dataclasses
import json
import math

import numpy as np
import pytest

from demur.core.records import Prediction, Probe, Question, Response, Verdict
from demur.engines.base import States
from demur.pipeline.controls import beside, holds_answer
from demur.report.controlled import controlled, sentences
from demur.runfolder import shapes
from demur.signals import Answered, Said
from demur.signals.controls import Labelled, controls, shuffled
from demur.signals.linear import rightness
from demur.signals.ranking import area, gap, strata_of

RIGHT = np.array([True, False, True, False])


# -- ranking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([4, 1, 3, 2], 1.0),
        ([1, 4, 2, 3], 0.0),
        ([1, 1, 1, 1], 0.5),
        ([2, 1, 1, 3], 0.375),  # 2 beats 1 and not 3; 1 ties with 1 and not with 3: 1.5 of 4
        ([math.inf, 0, 1, -math.inf], 1.0),
    ],
)
def test_area_is_the_share_of_pairs(scores, expected):
    assert area(np.array(scores, float), RIGHT) == expected


def test_within_strata_only_pairs_of_one_stratum_count():
    # a score that only knows the stratum; then one that ranks within each and not between them
    strata = strata_of(["easy", "easy", "hard", "hard"])
    assert area(np.array([2.0, 2, 1, 1]), RIGHT, strata) == 0.5
    assert area(np.array([2.0, 1, 9, 8]), RIGHT, strata) == 1.0
    assert area(np.array([2.0, 1, 9, 8]), RIGHT) == 0.75


@pytest.mark.parametrize("right", [[], [True], [True, True], [False, False]])
def test_without_pairs_there_is_no_area(right):
    assert area(np.arange(len(right), dtype=float), np.array(right, bool)) is None
    assert (
        gap([np.zeros(len(right))], [np.zeros(len(right))], np.array(right, bool), ["a"] * len(right))
        is None
    )


def test_no_stratum_with_both_kinds_has_no_area():
    assert area(np.array([1.0, 2]), np.array([True, False]), strata_of(["a", "b"])) is None


def test_a_gap_and_its_interval():
    rng = np.random.default_rng(0)
    right = np.arange(300) % 2 == 0
    good, poor = right * 2 + rng.normal(size=300), right * 0.3 + rng.normal(size=300)
    alone = [str(place) for place in range(300)]
    found = gap([good], [poor], right, alone)
    assert found.value == pytest.approx(area(good, right) - area(poor, right))
    assert 0 < found.low < found.value < found.high
    assert found.p == 2 / 1000, "no resample has it the other way"
    same = gap([good], [good], right, alone)
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert gap([good, poor], [poor, poor], right, alone).value == pytest.approx(found.value / 2)


def test_questions_that_fail_together_widen_the_interval():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(30) < 0.5, 10)
    good, poor = (np.repeat(rng.normal(size=30), 10) + right * x for x in (2, 1))
    alone = gap([good], [poor], right, [str(place) for place in range(300)])
    together = gap([good], [poor], right, [str(place // 10) for place in range(300)])
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


# -- controls ----------------------------------------------------------------------------------------


def said(question, answer, *, group=None, states=None, **meta):
    asked = Question(id=question, text=question, group=group, meta=meta)
    return Said(question=asked, greedy=Response(text=answer), states=states)


def labelled(n=40):
    """'English' is right, 'Welsh' is wrong; the group 'easy' is right more often."""
    found = []
    for place in range(n):
        right = place % 2 == 0
        group = "easy" if right or place % 4 == 1 else "hard"
        found.append(
            Answered(
                said=said(
                    f"Q {place} about {'rivers' if right else 'lakes'}",
                    "English" if right else "Welsh",
                    group=group,
                ),
                right=right,
                group=str(place),
            )
        )
    return found


def test_each_control_knows_its_own_thing():
    answers = labelled()
    right = rightness(answers)
    free = np.where(right, -1.0, -2.0)
    asked = [
        said("Q about rivers", "English", group="easy", popularity=2),
        said("Q about lakes", "Welsh", group="hard", popularity=3.5),
        said("Q about lakes", "a much longer answer", group="new", popularity=1),
    ]
    scores = controls(
        Labelled(answers=answers, free={"sum": free, "noise": free * 0}),
        asked,
        {"sum": np.array([-1.0, -2.0, -2.0]), "noise": np.zeros(3)},
        seed=0,
    )
    assert list(scores) == [
        *("answer rate", "answer rate + sum", "words", "words + sum", "group rate", "length", "popularity")
    ]
    # 20 of 20 right: (20 + 2 x .5) / 22 = .9545; none of 20: 1 / 22; unseen: the mean
    assert scores["answer rate"] == pytest.approx([21 / 22, 1 / 22, 0.5])
    # easy: 20 of 30 right, hard: 0 of 10
    assert scores["group rate"] == pytest.approx([21 / 32, 1 / 12, 0.5])
    assert scores["length"].tolist() == [-7, -5, -20]
    assert scores["popularity"].tolist() == [2, 3.5, 1]
    for name in ("words", "words + sum", "answer rate + sum"):
        assert scores[name][0] > scores[name][1]


def test_without_free_signals_or_popularity_those_controls_are_missing():
    scores = controls(Labelled(answers=labelled(), free={}), [said("Q", "English")], {}, seed=0)
    assert list(scores) == ["answer rate", "words", "group rate", "length"]


def test_a_probe_on_shuffled_labels_knows_nothing_of_them():
    rng = np.random.default_rng(0)
    answers = []
    for place in range(100):
        states = States(
            prompt=np.zeros((3, 8), np.float32), answer=rng.normal(size=(3, 8)).astype(np.float32)
        )
        answers.append(
            Answered(said=said(f"Q {place}", "a", states=states), right=place % 2 == 0, group=str(place))
        )
    assert shuffled(answers, seed=0) == pytest.approx(0.5, abs=0.06)
    assert shuffled([Answered(said=said("Q", "a"), right=True, group="a")], seed=0) is None
    assert shuffled([], seed=0) is None


# -- a run's ------------------------------------------------------------------------------------------


def run_of(n=80, *, verdicts=(Verdict.CORRECT, Verdict.WRONG)):
    questions, probes, rows = {}, [], []
    for place in range(2 * n):
        right = verdicts[place % len(verdicts)]
        question = Question(
            id=str(place),
            text=f"Question {place}?",
            answers=("x",),
            split="train" if place < n else "test",
            domain="id" if place < n or place % 4 < 2 else "ood",
        )
        questions[question.id] = question
        logprob = -0.1 if (right is Verdict.CORRECT) == (place % 5 > 0) else -1.0
        greedy = Response(text=f"answer {place % 9}", token_logprobs=(logprob,))
        if place < n:
            probes.append((question, Probe(question_id=question.id, greedy=greedy, greedy_verdict=right)))
        else:
            learned = 0.9 if right is Verdict.CORRECT else 0.1 + (place % 3) / 100
            signals = {"learned": learned, "sum": logprob}
            rows.append(
                Prediction(
                    question_id=question.id,
                    system="probe",
                    answer="a",
                    response=greedy.text,
                    verdict=right,
                    abstained=False,
                    signals=signals,
                )
            )
    return questions, probes, rows


def test_a_run_tells_what_is_left_above_the_controls():
    questions, probes, rows = run_of()
    found = beside(probes, questions, rows, primary="learned", seed=0)
    assert list(found) == ["id", "ood"]
    assert found["id"]["n"] == 40
    assert found["id"]["signals"]["learned"]["auroc"] == 1.0
    lead = found["id"]["lead"]
    assert lead["signal"]["name"] == "sum"
    best = max(cells["auroc"] for cells in found["id"]["controls"].values())
    assert found["id"]["controls"][lead["control"]["name"]]["auroc"] == best
    assert lead["control"]["value"] == pytest.approx(1 - best)
    again = json.loads(json.dumps({"metrics": {}, "controls": {"probe": found}}))
    assert not shapes.problem(shapes.Metrics, again)
    [part] = controlled(again, {})
    assert part.title == "Probe"
    assert part.columns == ("In domain", "within groups", "Out of domain", "within groups")
    assert part.sentences[0].startswith("In domain, by AUROC, the fitted confidence ranks ")
    assert "above the best control (answer rate + sum)" in part.sentences[0]
    assert {row.name for row in part.rows} >= {"learned", "sum", "words", "answer rate + sum"}
    assert part.rows[0].name == "learned"


@pytest.mark.parametrize(
    ("text", "answers", "holds"),
    [
        ("Where is the Paris of Texas?", ("paris",), True),
        ("What is the capital of France?", ("Paris",), False),
        ("Who wrote the Comparison?", ("Paris", "comparison"), True),  # one of several
        ("Who wrote the Comparison?", ("Paris",), False),  # whole words only
        ("Which is right?", (), False),
        ("Which is right?", ("…",), False),  # nothing of it is left to compare
    ],
)
def test_whether_a_question_holds_its_answer(text, answers, holds):
    assert holds_answer(Question(id="q", text=text, answers=answers)) is holds


def test_answers_that_stand_in_the_question_have_a_column_without_them():
    questions, probes, rows = run_of()
    inside = [row.question_id for row in rows if questions[row.question_id].domain == "id"]
    for number, name in enumerate(inside[:20]):
        text = "Is it x?" if number % 2 else "Is it x or not?"
        questions[name] = dataclasses.replace(questions[name], text=text)
    found = beside(probes, questions, rows, primary="learned", seed=0)
    rest = [row for row in rows if row.question_id in inside[20:]]
    right = np.array([row.verdict is Verdict.CORRECT for row in rest])
    expected = area(np.array([row.signals["sum"] for row in rest]), right)
    assert found["id"]["signals"]["sum"]["elsewhere"] == expected
    assert "elsewhere" not in found["ood"]["signals"]["sum"]
    again = json.loads(json.dumps({"metrics": {}, "controls": {"probe": found}}))
    assert not shapes.problem(shapes.Metrics, again)
    [part] = controlled(again, {})
    assert part.columns == (
        *("In domain", "within groups", "answer not in the question"),
        *("Out of domain", "within groups"),
    )
    assert {len(row.cells) for row in part.rows} == {5}


@pytest.mark.parametrize(
    "verdicts", [[Verdict.CORRECT], [Verdict.WRONG], [Verdict.REFUSED], [Verdict.UNSCORED]]
)
def test_where_there_is_nothing_to_rank_nothing_is_told(verdicts):
    questions, probes, rows = run_of(verdicts=verdicts)
    assert beside(probes, questions, rows, primary="learned", seed=0) == {}
    assert controlled({"controls": {"probe": {}}}, {}) == []
    assert controlled({}, {}) == []


def test_signals_that_some_answers_lack_are_left_out():
    questions, probes, rows = run_of()
    bare = [
        Prediction(
            **{
                name: getattr(row, name)
                for name in ("question_id", "system", "answer", "response", "verdict", "abstained")
            },
            signals={"learned": row.signals["learned"]} | ({"sum": math.nan} if place else {}),
        )
        for place, row in enumerate(rows)
    ]
    found = beside(probes, questions, bare, primary="learned", seed=0)
    assert list(found["id"]["signals"]) == ["learned"]
    assert found["id"]["lead"]["signal"] is None
    assert "answer rate" in found["id"]["controls"]
    assert beside(probes, questions, bare, primary="sum", seed=0) == {}


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-0.05, -0.01, "2.0 points [−5.0, −1.0] below the best free signal (sum)"),
        (
            -0.05,
            0.01,
            "no better or worse than the best free signal (sum) as far as this run can tell (−2.0 points",
        ),
    ],
)
def test_a_lead_below_is_said_to_be_below(low, high, told):
    lead = {"name": "sum", "value": -0.02, "low": low, "high": high}
    [sentence] = sentences({"id": {"lead": {"signal": lead, "control": None}}})
    assert sentence.startswith(f"In domain, by AUROC, the fitted confidence ranks {told}")

"""Signals that are fitted to labelled answers, each against a sum by hand or numpy alone."""

import math

import numpy as np
import pytest

from demur.core.records import Question, Response
from demur.engines.base import States
from demur.signals import SIGNALS, Answered, Said
from demur.signals.answer_rate import AnswerRate
from demur.signals.direction import Direction
from demur.signals.likeness import Likeness
from demur.signals.linear import grouped_folds, rightness
from demur.signals.p_ik import PIK
from demur.signals.probe import Probe
from demur.signals.sep import SEP, split

LEARNT = ("probe", "p-ik", "direction", "sep", "answer-rate")
HALVES = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]


def answered(text, right, *, group="", states=None, samples=()):
    said = Said(
        question=Question(id="q", text="Q?"),
        greedy=Response(text=text),
        samples=tuple(Response(text=sample) for sample in samples),
        states=states,
    )
    return Answered(said=said, right=right, group=group)


def both(prompt, answer):
    return States(prompt=np.array(prompt, np.float32), answer=np.array(answer, np.float32))


@pytest.mark.parametrize("name", LEARNT)
def test_before_it_is_fitted_it_says_nothing(name):
    said = answered("a", True, states=both([[1.0]], [[2.0]]), samples=("a", "b")).said
    assert SIGNALS.get(name)()(said) is None


# -- answer rate -------------------------------------------------------------------------------------


def test_the_answer_rate_by_hand():
    answers = [
        answered("Paris", True),
        answered("paris.", False),
        answered("Rome", True),
        answered("", True),
    ]
    signal, inside = AnswerRate.fit(answers, HALVES)
    assert signal.mean == 0.75
    assert signal.counts == {"paris": (2, 1), "rome": (1, 1)}
    assert signal(answers[0].said) == (1 + 2 * 0.75) / (2 + 2)
    assert signal(answers[2].said) == (1 + 2 * 0.75) / (1 + 2)
    assert signal(answered("Oslo", True).said) == 0.75
    assert signal(answered("", True).said) == 0.75, "no answer is not an answer that many questions share"
    # the first two by Rome and the empty one, the others by Paris twice: none has been seen
    assert inside.tolist() == [0.75] * 4


def test_a_rate_is_never_certain():
    signal, _ = AnswerRate.fit([answered("yes", True)] * 1000, [])
    assert signal(answered("yes", True).said) == 0.99


def test_a_rate_is_stored_and_read_again():
    signal, _ = AnswerRate.fit([answered("Paris", True), answered("Rome", False)], [])
    assert AnswerRate.restored(signal.arrays(), signal.values()) == signal


# -- probes ------------------------------------------------------------------------------------------


def rows(n=200, *, place="answer", seed=0):
    """Answers of which the state at one place tells whether they are right, the other one nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        right = number % 2 == 0
        kinds = {name: rng.normal(size=(2, 3)) for name in ("prompt", "answer")}
        kinds[place][:, 0] += 4 * right
        samples = ("a", "a", "a") if right else ("a", "b", "c")
        states = both(kinds["prompt"], kinds["answer"])
        found.append(answered("a", right, group=str(number), states=states, samples=samples))
    return found


@pytest.mark.parametrize(
    ("kind", "place", "knows"),
    [
        (Probe, "answer", True),
        (Probe, "prompt", False),
        (PIK, "prompt", True),
        (PIK, "answer", False),
        (Direction, "answer", True),
        (Direction, "prompt", False),
        (SEP, "answer", True),
        (SEP, "prompt", False),
    ],
)
def test_each_reads_its_own_place(kind, place, knows):
    answers = rows(place=place)
    right = rightness(answers)
    signal, inside = kind.fit(answers, grouped_folds(right, [item.group for item in answers], seed=0))
    others = rows(place=place, seed=1)
    found = np.array([signal(item.said) for item in others])
    for scores in (inside, found):
        apart = (scores[right][:, None] > scores[~right][None]).mean()  # AUROC: no ties among floats
        assert (apart > 0.95) if knows else (0.2 < apart < 0.8)
    low, high = kind.info.bounds
    assert ((low <= found) & (found <= high)).all()
    again = kind.restored(signal.arrays(), signal.values())
    assert [again(item.said) for item in others] == found.tolist()


@pytest.mark.parametrize("kind", [Probe, PIK, Direction, SEP])
def test_without_hidden_states_there_is_none(kind):
    answers = [answered("a", place % 2 == 0, samples=("a", "b")) for place in range(8)]
    assert kind.fit(answers, HALVES) is None


def test_a_direction_is_the_difference_of_means_in_numpy():
    answers = rows(20)
    right = rightness(answers)
    states = np.stack([item.said.states.answer for item in answers]).astype(float)
    z = (states - states.mean(0)) / states.std(0)
    between = z[right].mean(0) - z[~right].mean(0)
    unit = between / np.linalg.norm(between, axis=1, keepdims=True)
    expected = (z * unit).sum(axis=2).mean(axis=1)
    signal, _ = Direction.fit(answers, grouped_folds(right, [item.group for item in answers], seed=0))
    found = [signal(item.said) for item in answers]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_direction_by_hand():
    # one layer, one unit: right 3 and 5, wrong 1 and 3; mean 3, deviation √2; right answers lie above
    answers = [
        answered("a", place < 2, group=str(place), states=both([[0.0]], [[value]]))
        for place, value in enumerate((3.0, 5.0, 1.0, 3.0))
    ]
    signal, _ = Direction.fit(answers, [(np.arange(4), np.arange(4))])
    assert [signal(item.said) for item in answers] == pytest.approx([0, 2**0.5, -(2**0.5), 0], abs=1e-6)


# -- semantic entropy probes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 0.1, 0.9, 1.0], 0.1), ([0.0, 0.8, 0.9, 1.0], 0.0), ([0.5, 0.5], 0.5), ([1.0], 1.0)],
)
def test_entropies_are_parted_where_the_parts_are_tightest(values, expected):
    assert split(np.array(values)) == expected


def test_samples_that_all_agree_or_are_missing_give_no_probe():
    alike = [
        answered("a", place % 2 == 0, group=str(place), states=both([[1.0]], [[place]]), samples=("a", "a"))
        for place in range(20)
    ]
    assert SEP.fit(alike, HALVES) is None
    one = [answered("a", True, group=str(place), states=both([[1.0]], [[place]])) for place in range(20)]
    assert SEP.fit(one, HALVES) is None


# -- likeness ----------------------------------------------------------------------------------------


def test_likeness_by_hand():
    # standardised, the corners (±1, ±1); the nearest of another group is a side away: √((2² + 0²) / 2) = √2
    states = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    found = Likeness.fit(states, ["a", "b", "c", "d"])
    assert found.mean.tolist() == [1, 1]
    assert found.scale.tolist() == [1, 1]
    assert found.most == pytest.approx(2**0.5)
    asked = np.array([[3.0, 3.0], [2.0, 1.0], [1.0, 1.0], [4.0, 2.1], [2.0, 4.1]])
    # standardised (2, 2), (1, 0), (0, 0), (3, 1.1) and (1, 3.1); the nearest corner is (1, ±1) or (1, 1)
    assert found.distance(asked) == pytest.approx([1, 0.5**0.5, 1, (4.01 / 2) ** 0.5, (4.41 / 2) ** 0.5])
    assert found(asked).tolist() == [True, True, True, False, False]
    assert not found(np.array([[math.nan, 1.0]]))[0]


def test_their_own_group_does_not_make_questions_alike():
    states = np.array([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.01, 1.0]])
    assert Likeness.fit(states, ["a", "a", "b", "b"]).most > 1 > Likeness.fit(states, [*"abcd"]).most
    assert Likeness.fit(states, ["a"] * 4) is None


def test_another_kind_of_question_is_unlike_and_most_of_the_same_kind_are_not():
    rng = np.random.default_rng(0)
    of_a, of_b = rng.normal(size=(2, 200, 16))
    of_a[:, 0] += 8 * (np.arange(200) % 2)  # two relations
    of_b[:, 1] += 12
    found = Likeness.fit(of_a[:100], [str(place) for place in range(100)])
    assert found(of_a[100:]).mean() > 0.8
    assert not found(of_b).any()


def test_of_many_labelled_questions_some_are_kept():
    states = np.random.default_rng(0).normal(size=(2500, 4))
    found = Likeness.fit(states, [str(place) for place in range(2500)])
    assert found.kept.shape == (1000, 4)
    again = Likeness.restored(found.arrays(), found.values())
    assert again.distance(states).tolist() == found.distance(states).tolist()

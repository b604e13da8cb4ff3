"""The boundary k(x), by every estimator, on hand-made probes."""

import math

import pytest

from demur.core.errors import ConfigError, TrainingDataError, UnknownNameError
from demur.core.records import Probe, Question, Response, Verdict
from demur.knowledge.boundary import require_both_sides
from demur.knowledge.estimators import DEFAULTS, NEEDS_SAMPLES, estimate, parse

SHORT = {"c": Verdict.CORRECT, "w": Verdict.WRONG, "r": Verdict.REFUSED, "u": Verdict.UNSCORED}


def probe(greedy, samples="", texts=None, key="q"):
    """``greedy`` and each letter of ``samples``: c, w, r or u; texts default to one per verdict."""
    said = texts or samples
    return Probe(
        question_id=key,
        greedy=Response(text=greedy),
        greedy_verdict=SHORT[greedy],
        samples=tuple(Response(text=text) for text in said),
        sample_verdicts=tuple(SHORT[letter] for letter in samples),
    )


def known(item, estimator, question=None):
    return estimate([question or Question(id="q", text="?")], [item], estimator)[0].known


@pytest.mark.parametrize(("greedy", "expected"), [("c", True), ("w", False), ("r", False), ("u", None)])
def test_greedy(greedy, expected):
    assert known(probe(greedy), "greedy") is expected


def test_expected_accuracy_is_reached_at_exactly_one_of_ten():
    """tau = 0.1 with one correct sample of ten: 0.1 >= 0.1 holds, 0.1 > 0.1 would not."""
    one_of_ten = probe("w", "c" + "w" * 9)
    assert known(one_of_ten, "expected-accuracy(0.1)") is True
    assert known(one_of_ten, "expected-accuracy(0.2)") is False
    assert known(probe("c", "w" * 10), "expected-accuracy(0.1)") is False


def test_samples_that_could_not_be_judged_leave_the_share():
    """c, u, u, w: one of two scored is correct; all unscored: nothing is known of the knowledge."""
    item = estimate([Question(id="q", text="?")], [probe("w", "cuuw")], "expected-accuracy(0.5)")[0]
    assert (item.expected_accuracy, item.known) == (0.5, True)
    assert known(probe("u", "uu"), "expected-accuracy(0.5)") is None
    assert known(probe("u", "uu"), "any-correct") is None


def test_any_correct_counts_the_greedy_answer_too():
    assert known(probe("c", "ww"), "any-correct") is True
    assert known(probe("w", "wc"), "any-correct") is True
    assert known(probe("w", "wr"), "any-correct") is False
    assert known(probe("c"), "any-correct") is True


def test_majority_is_of_answers_not_of_verdicts():
    """Oslo twice (correct) against three different wrong answers: Oslo is the most frequent answer."""
    item = probe("w", "wcwcw", ["Rome", "Oslo", "Bonn", " oslo", "Bern"])
    assert known(item, "majority") is True
    assert known(probe("c", "wwc", ["Rome", "rome", "Oslo"]), "majority") is False


def test_choice_corrected_takes_chance_away():
    """4 choices, 4 of 10 correct: (0.4 - 0.25) / 0.75 = 0.2."""
    question = Question(id="q", text="?", task="choice", choices=("a", "b", "c", "d"))
    item = probe("w", "cccc" + "w" * 6)
    assert known(item, "choice-corrected(0.19)", question) is True
    assert known(item, "choice-corrected(0.21)", question) is False
    assert known(item, "choice-corrected(0.4)") is True, "without choices there is no chance to take away"


def test_entropy_in_nats_and_its_lower_half():
    """One answer: 0. Two equally often: ln 2. Four different: ln 4."""
    texts = [["a", "a", "a", "a"], ["a", "b", "A", "B"], ["a", "b", "c", "d"], ["x", "x", "x", "y"]]
    probes = [probe("w", "wwww", answers, key=str(i)) for i, answers in enumerate(texts)]
    items = estimate([Question(id=str(i), text="?") for i in range(4)], probes, "entropy(0.5)")
    three_to_one = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert [item.entropy for item in items] == pytest.approx([0, math.log(2), math.log(4), three_to_one])
    assert [item.known for item in items] == [True, False, False, True]


def test_entropy_ties_go_by_id_whatever_the_order():
    probes = [probe("w", "ww", ["a", "a"], key=key) for key in "dbca"]
    questions = [Question(id=key, text="?") for key in "dbca"]
    items = estimate(questions, probes, "entropy(0.5)")
    assert {item.question_id for item in items if item.known} == {"a", "b"}


@pytest.mark.parametrize("name", DEFAULTS)
def test_nothing_to_estimate_gives_nothing(name):
    assert estimate([], [], name) == []


@pytest.mark.parametrize("name", sorted(NEEDS_SAMPLES))
def test_an_estimator_of_samples_says_that_it_needs_them(name):
    with pytest.raises(ConfigError, match=r"probe\.samples"):
        known(probe("c"), name)


def test_names_are_parsed_with_their_parameter():
    assert parse("greedy") == ("greedy", None)
    assert parse("expected-accuracy") == ("expected-accuracy", 0.1)
    assert parse(" expected-accuracy( 0.25 ) ") == ("expected-accuracy", 0.25)


@pytest.mark.parametrize("text", ["greedy(0.1)", "entropy(2)", "entropy(x)", "majority(0.5)"])
def test_wrong_parameters_are_refused(text):
    with pytest.raises(ConfigError, match="write "):
        parse(text)


@pytest.mark.parametrize("text", ["greedi", "expected_accuracy", "", "entropy(0.5"])
def test_unknown_estimators_are_refused(text):
    with pytest.raises(UnknownNameError):
        parse(text)


def boundary_of(verdicts, min_share=0.05):
    questions = [Question(id=str(i), text=f"question {i}", answers=("x",)) for i in range(len(verdicts))]
    probes = [probe(v, key=str(i)) for i, v in enumerate(verdicts)]
    require_both_sides(questions, probes, estimate(questions, probes, "greedy"), min_share)


def test_a_boundary_needs_two_sides():
    boundary_of("c" * 5 + "w" * 95)
    boundary_of("c" * 1 + "w" * 99, min_share=0.0)
    with pytest.raises(TrainingDataError, match=r"(?s)knows 4 of 100 .*question 4"):
        boundary_of("c" * 4 + "w" * 96)


@pytest.mark.parametrize("verdicts", ["", "ccc", "www", "uuu"])
def test_a_boundary_with_one_side_is_refused_at_any_share(verdicts):
    with pytest.raises(TrainingDataError, match=r"template"):
        boundary_of(verdicts, min_share=0.0)


def test_five_examples_show_what_went_wrong():
    with pytest.raises(TrainingDataError) as caught:
        boundary_of("w" * 20)
    assert str(caught.value).count("accepted ['x'], said") == 5

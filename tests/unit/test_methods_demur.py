"""Which half of the questions tunes, and what has to be seen of a tuned model before it is kept."""

import numpy as np
import pytest
from scipy.stats import binomtest

from demur.core.questions import shared_by
from demur.core.records import Question
from demur.methods.demur import compared, sentence, sign_flip, tuning_half, units


def questions(groups):
    return [
        Question(id=f"{name}{place}", text="Who?", answers=("Ann",), group=name)
        for name, count in groups.items()
        for place in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together_and_half_of_the_questions_is_taken(seed):
    asked = questions({name: 1 + place % 4 for place, name in enumerate("abcdefghijklmnop")})
    half = tuning_half(asked, seed=seed)
    sides = {shared_by(q): {o.id in half for o in asked if o.group == q.group} for q in asked}
    assert all(len(side) == 1 for side in sides.values())
    assert abs(len(half) - len(asked) / 2) <= 2, "within half of the largest group"


def test_a_half_is_the_same_in_any_order_and_another_with_another_seed():
    asked = questions(dict.fromkeys("abcdefghijklmnop", 2))
    assert tuning_half(asked, seed=1) == tuning_half(asked[::-1], seed=1)
    assert len({frozenset(tuning_half(asked, seed=seed)) for seed in range(4)}) > 1


def test_questions_without_a_group_are_groups_of_their_own():
    asked = [Question(id=str(place), text="Who?", answers=("Ann",)) for place in range(11)]
    assert len(tuning_half(asked, seed=0)) in (5, 6)


@pytest.mark.parametrize(
    ("groups", "taken"), [({}, 0), ({"one": 10}, 5), ({"one": 1}, 1), ({"history": 2, "art": 38}, 20)]
)
def test_few_groups_are_kinds_of_question_and_are_parted(groups, taken):
    assert len(tuning_half(questions(groups), seed=0)) == taken


def test_one_large_group_is_a_kind_of_question_and_is_parted():
    asked = questions({"large": 80} | {str(place): 1 for place in range(20)})
    assert len(tuning_half(asked, seed=0)) == 50
    assert units(asked) == {question.id: question.id for question in asked}
    third = questions({"large": 10} | {str(place): 1 for place in range(20)})
    assert set(units(third).values()) == {"/large", *(f"/{place}" for place in range(20))}


@pytest.mark.parametrize(
    ("gained", "lost", "p", "kept"),
    [
        (6, 0, 2 / 64, True),
        (5, 0, 2 / 32, False),
        (0, 6, 2 / 64, False),
        (10, 1, 2 * 12 / 2**11, True),
        (10, 10, 1.0, False),
        (0, 0, 1.0, False),
    ],
)
def test_tuning_is_kept_for_more_right_answers_than_chance_gives(gained, lost, p, kept):
    before = [False] * gained + [True] * lost + [True, True, False]
    after = [True] * gained + [False] * lost + [True, True, False]
    found = compared(before, after)
    assert found["p"] == pytest.approx(p)
    assert (found["kept"], found["gained"], found["lost"]) == (kept, gained, lost)
    assert (found["right_before"], found["right_after"]) == (lost + 2, gained + 2)
    assert bool(found["reason"]) is (gained > lost and not kept)


@pytest.mark.parametrize(
    ("changes", "p"),
    [
        ([], 1.0),
        ([0, 0], 1.0),
        ([3], 1.0),  # one group shows nothing
        ([2, 3], 2 / 4),  # 5 or -5 of 5, 1, -1, -5
        ([1, 1, -1], 1.0),
        ([1, 1, 1, 1, 1, 1], 2 / 64),
        ([5, -1, 2, 0], 4 / 8),  # sums 8, 6, 4, 2 and their negatives: 8 and 6 are as far out
        ([-4, -3, -2, -1, -1, -1], 2 / 64),
    ],
)
def test_each_change_could_have_had_the_other_sign(changes, p):
    assert sign_flip(changes) == pytest.approx(p)


def test_sign_flips_of_single_questions_are_mcnemar_s_exact_test():
    for gained, lost in [(1, 0), (7, 2), (30, 12), (200, 150), (3, 9)]:
        expected = binomtest(gained, gained + lost).pvalue
        assert sign_flip([1] * gained + [-1] * lost) == pytest.approx(expected)


def test_answers_that_come_out_together_count_as_one():
    before, after = [False] * 12, [True] * 12
    assert compared(before, after)["kept"]
    together = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    found = compared(before, after, together)
    assert (found["p"], found["kept"], found["reason"]) == (2 / 8, False, "no more than chance")


def test_chance_alone_is_seldom_kept_where_groups_share_their_errors():
    rng = np.random.default_rng(0)
    groups = [str(place // 10) for place in range(200)]
    shared = [np.repeat(rng.random((2, 20)) < 0.5, 10, axis=1) for _ in range(400)]
    kept = [compared(list(before), list(after), groups)["kept"] for before, after in shared]
    assert np.mean(kept) < 0.04, "2.5 % at most, in this direction"
    alone = [compared(list(before), list(after))["kept"] for before, after in shared]
    assert np.mean(alone) > 0.2, "what it would be without groups"


def test_nothing_is_kept_of_no_questions():
    assert compared([], [])["kept"] is False


@pytest.mark.parametrize(
    ("gained", "lost", "ending"),
    [
        (8, 0, "8 answers are right, 0 before (p = 0.008): the tuned model is kept"),
        (20, 0, "20 answers are right, 0 before (p < 0.001): the tuned model is kept"),
        (5, 0, "5 answers are right, 0 before, no more than chance: the model stays as it was"),
        (0, 3, "0 answers are right, 3 before: the model stays as it was"),
    ],
)
def test_what_tuning_did_is_said_in_words(gained, lost, ending):
    found = compared([False] * gained + [True] * lost, [True] * gained + [False] * lost)
    assert sentence(found) == f"on {gained + lost} questions that tuning did not read, {ending}"

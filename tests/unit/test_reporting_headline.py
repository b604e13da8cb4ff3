"""The headline says what happened, whichever way it fell, and flatters nobody."""

from __future__ import annotations

import pytest

from demur.report import headline


def cell(value, low=None, high=None, unscored=0):
    return {"value": value, "low": low, "high": high, "n": 100, "unscored": unscored}


def cells(accuracy, coverage, willing, *, unscored=0):
    return {
        "accuracy": cell(accuracy, unscored=unscored),
        "coverage": cell(coverage),
        "accuracy_willing": willing if isinstance(willing, dict) else cell(willing),
    }


def metrics(after, *, before=None, differences=(), chance=None, split="id", **others):
    systems = {"base": {split: before or cells(0.57, 1.0, 0.57)}, "r-tuning": {split: after}}
    policies = {"r-tuning": {split: {"random-refusal": {"accuracy_willing": cell(chance)}}}}
    return {
        "metrics": systems | {name: {split: found} for name, found in others.items()},
        "policies": policies if chance is not None else {},
        "differences": list(differences),
    }


def difference(against, metric, value, low, high, split="id"):
    row = {"metric": metric, "split": split, "system": "r-tuning", "against": against, "n": 100}
    return row | {"value": value, "low": low, "high": high}


def test_before_and_after_with_coverage_and_knowledge_beside_every_accuracy():
    found = metrics(cells(0.57, 0.61, cell(0.88, 0.85, 0.914)))
    assert headline(found, {}) == [
        "In domain, before tuning the model answered every question and was right on 57% of them. "
        "After R-Tuning it answers 61% of the questions and is right on 88% [85–91] of those; "
        "knowledge kept: accuracy with refusals ignored 57% → 57%."
    ]


def test_knowledge_that_was_lost_is_called_lost():
    lost = difference("base", "accuracy", -0.012, -0.02, -0.004)
    (sentence,) = headline(metrics(cells(0.558, 0.61, 0.88), differences=[lost]), {})
    assert (
        "knowledge lost: accuracy with refusals ignored 57% → 56%, worse by 1.2 points [0.4, 2.0]"
        in sentence
    )
    # Without a paired interval two points are the line: .57 - .54 = .03 is lost, .57 - .56 = .01 is kept.
    assert "knowledge lost" in headline(metrics(cells(0.54, 0.61, 0.88)), {})[0]
    assert "knowledge kept" in headline(metrics(cells(0.56, 0.61, 0.88)), {})[0]


def test_always_refuse_gets_no_accuracy():
    (sentence,) = headline(metrics(cells(0.57, 0.0, None)), {})
    assert (
        "After R-Tuning it answers none of the questions, so there is no accuracy to speak of" in sentence
    )
    assert "right on" not in sentence.split("After")[1]


def test_always_answer_is_said_to_answer_everything():
    (sentence,) = headline(metrics(cells(0.57, 1.0, 0.57)), {})
    assert "it still answers every question and is right on 57% of them" in sentence


@pytest.mark.parametrize(("low", "beaten"), [(0.52, False), (0.57, False), (0.60, True)])
def test_a_coin_flip_is_held_against_refusing_at_random(low, beaten):
    found = metrics(cells(0.57, 0.5, cell(0.62, low, 0.7)), chance=0.57)
    said = "which does not beat refusing as often at random (57%)" in headline(found, {})[0]
    assert said is not beaten


def test_rivals_are_named_whichever_way_it_fell_overall_and_per_group():
    found = metrics(
        cells(0.57, 0.61, 0.88),
        differences=[
            difference("base-likelihood", "accuracy_willing", 0.031, 0.01, 0.052),
            difference("base-likelihood", "accuracy_willing", -0.2, -0.3, -0.1, "id/mixed"),
            difference("base-likelihood", "accuracy_willing", 0.01, -0.02, 0.04, "id/uniform"),
            difference("familiarity-only", "ap", -0.05, -0.06, -0.04),
        ],
        **{"base-likelihood": cells(0.57, 0.61, 0.85), "familiarity-only": cells(0.57, 0.5, 0.8)},
    )
    found["metrics"]["r-tuning"] |= {"id/mixed": {}, "id/uniform": {}}
    _, likelihood, familiarity = headline(found, {})
    assert likelihood == (
        "In domain, R-Tuning against the base model’s own likelihood, by accuracy on the questions "
        "answered, at the same coverage: overall: better by 3.1 points [1.0, 5.2]; mixed: worse by 20.0 "
        "points [10.0, 30.0]; uniform: no difference that this run could detect (+1.0 points [−2.0, +4.0])."
    )
    assert (
        "by average precision: overall: worse by 5.0 points [4.0, 6.0]; mixed: not compared" in familiarity
    )


def test_accuracies_at_different_coverage_are_not_held_against_each_other():
    """Answering 61% of the questions against 80%: only the order of the answers compares."""
    found = metrics(
        cells(0.57, 0.61, 0.88),
        differences=[
            difference("base-likelihood", "accuracy_willing", 0.14, 0.1, 0.2),
            difference("base-likelihood", "auroc", -0.01, -0.02, -0.005),
        ],
        **{"base-likelihood": cells(0.57, 0.8, 0.75)},
    )
    _, likelihood = headline(found, {})
    assert "by AUROC: overall: worse by 1.0 point" in likelihood


def test_unscored_answers_are_counted_aloud():
    (sentence,) = headline(metrics(cells(0.57, 0.61, 0.88, unscored=12)), {})
    assert "count nowhere: 12" in sentence


def test_nothing_scored_is_not_zero():
    (sentence,) = headline(metrics(cells(None, None, None)), {})
    assert "it answers nothing that could be scored" in sentence
    assert "57% → undefined" in sentence
    assert "0%" not in sentence


def test_questions_without_an_answer():
    found = metrics(cells(0.57, 0.61, 0.88))
    counts = {"correct": 0, "wrong": 5, "refused": 15, "unscored": 7}  # 15 of the 20 scored
    found["tables"] = {
        "r-tuning": {"pocket/nonexistent": {"unanswerable": counts}},
        "base": {"pocket/nonexistent": {"unanswerable": counts | {"wrong": 20, "refused": 0}}},
    }
    assert headline(found, {})[-1] == (
        "Of the questions without an answer in pocket/nonexistent, "
        "R-Tuning declines 75%; the base model declines 0%."
    )


def test_a_run_of_the_base_model_alone():
    found = {"metrics": {"base": {"id": cells(0.57, 1.0, 0.57)}}}
    assert headline(found, {}) == [
        "In domain, the model answered every question and was right on 57% of them. Nothing was tuned."
    ]


def test_an_advantage_among_many_may_be_chance_and_a_disadvantage_is_not_excused():
    """Four groups: p .03 for the advantage, times its rank among five, is above .05."""
    found = metrics(
        cells(0.57, 0.61, 0.88),
        differences=[
            difference("base-likelihood", "accuracy_willing", 0.03, 0.003, 0.057),
            difference("base-likelihood", "accuracy_willing", -0.03, -0.057, -0.003, "id/a"),
            *(
                difference("base-likelihood", "accuracy_willing", 0.0, -0.02, 0.02, f"id/{name}")
                for name in "bcd"
            ),
        ],
        **{"base-likelihood": cells(0.57, 0.61, 0.85)},
    )
    found["metrics"]["r-tuning"] |= {f"id/{name}": {} for name in "abcd"}
    _, sentence = headline(found, {})
    assert "overall: better by 3.0 points [0.3, 5.7], perhaps by chance among 5 comparisons;" in sentence
    assert "a: worse by 3.0 points [0.3, 5.7];" in sentence


def test_three_right_answers_of_three_prove_little():
    # The exact limit of three of three, .025^(1/3) = .29, is below the .57 that refusing at random reaches
    lucky = cell(1.0, 0.29, 1.0) | {"n": 3}
    (sentence,) = headline(metrics(cells(0.57, 0.03, lucky), chance=0.57), {})
    assert "is right on 100% [29–100] of those, which does not beat refusing as often at random" in sentence
    many = cell(1.0, 0.988, 1.0) | {"n": 300}
    (sentence,) = headline(metrics(cells(0.57, 0.9, many), chance=0.57), {})
    assert "is right on 100% [99–100] of those;" in sentence


def test_declining_everything_is_not_telling_the_unanswerable_apart():
    found = metrics(cells(0.57, 0.2, 0.88))
    none = {"correct": 0, "wrong": 0, "refused": 0, "unscored": 0}
    found["tables"] = {
        "r-tuning": {
            "id": {"answerable": none | {"correct": 20, "refused": 80}, "unanswerable": none},
            "odd": {"unanswerable": none | {"wrong": 4, "refused": 16}},
        }
    }
    assert headline(found, {})[-1] == (
        "Of the questions without an answer in odd, R-Tuning declines 80%, and of the test questions with "
        "an answer 80%, so that it is not shown to tell them apart."
    )
    found["tables"]["r-tuning"]["id"]["answerable"] |= {"correct": 90, "refused": 10}
    assert headline(found, {})[-1].endswith("declines 80%, and of the test questions with an answer 10%.")

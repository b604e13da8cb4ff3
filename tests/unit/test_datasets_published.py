"""The papers' datasets: every published row becomes a question, and its gold answer is judged correct."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from demur.config import DataSettings
from demur.datasets import load_questions
from demur.datasets.asqa import Reading, pairs
from demur.datasets.mmlu import preface
from demur.datasets.targets import DATASETS
from demur.errors import DataError
from demur.judging import judge
from demur.templates import TEMPLATES

SHARED = Path(os.environ.get("DEMUR_SHARED_DATA") or Path(__file__).parents[3] / "shared/data")
needs_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs samples of the published datasets (DEMUR_SHARED_DATA)"
)

CASES = [
    # dataset, path, rows by split, gold answers that the judge does not take, and why
    ("mmlu", "r_tuning_data/MMLU", {"train": 2448, "test": 1226}, 4),  # an option is itself a letter
    ("mmlu", "mmlu/data", {"train": 1213, "test": 5797}, 1),
    ("wice", "wice/data/entailment_retrieval/claim", {"test": 349}, 0),
    ("hotpotqa", "hotpotqa/hotpot_dev_distractor_v1.json", {"test": 27}, 0),
    ("hotpotqa", "hotpotqa/hotpotqa_train.json", {"train": 50}, 0),
    ("hotpotqa", "hotpotqa/hf_rows_dev_distractor.json", {"test": 27}, 0),
    ("fever", "fever/paper_dev.jsonl", {"test": 5000}, 0),
    ("selfaware", "selfaware/SelfAware.json", {"answerable": 1168, "unanswerable": 516}, 2),  # symbols only
    ("halueval", "halueval/generation/qa", {"test": 500}, 0),
    ("asqa", "asqa/ASQA.json", {"test": 8}, 0),
]


def load(name, path):
    return DATASETS.get(name).load(path, DataSettings(name=name, path=path), seed=0)


@needs_data
@pytest.mark.parametrize(("name", "path", "rows", "unlike"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_every_published_row_is_read_and_its_gold_answer_is_right(name, path, rows, unlike):
    questions = load(name, SHARED / path).questions
    assert Counter(question.split for question in questions) == rows
    assert len({question.id for question in questions}) == len(questions)
    answered = [question for question in questions if question.answers]
    wrong = [question for question in answered if judge(question, question.answers[0]) != "correct"]
    assert len(wrong) == unlike
    for question in questions[:50]:
        assert TEMPLATES["r-tuning-code"].ask(question)
        assert question.text in TEMPLATES["honesty"].ask(question)


@needs_data
def test_both_layouts_of_hotpotqa_make_the_same_questions():
    published = load("hotpotqa", SHARED / "hotpotqa/hotpot_dev_distractor_v1.json").questions
    rows = load("hotpotqa", SHARED / "hotpotqa/hf_rows_dev_distractor.json").questions
    assert [(q.text, q.context, q.answers) for q in published] == [
        (q.text, q.context, q.answers) for q in rows
    ]


def written(tmp_path, name, records):
    path = tmp_path / name
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


def test_wice_is_asked_as_published(tmp_path):
    path = written(
        tmp_path,
        "dev.jsonl",
        [{"claim": "It rains.", "evidence": ["Wet.", "", "Cold."], "label": "not_supported"}],
    )
    (question,) = load("wice", path).questions
    template = TEMPLATES["r-tuning-code"]
    assert template.ask(question) + template.answered("C", question) == (
        "Evidence:Wet. Cold.\nClaim:It rains.\nQuestion:Does the evidence support the claim?\n"
        "A:supported.\nB:partially_supported.\nC:not_supported.\nAnswer:C."
    )


def test_fever_is_asked_with_its_sentences_and_without_them(tmp_path):
    records = [
        {"claim": "It rains.", "evidence": ["Wet."], "label": "SUPPORTS"},
        {"claim": "It snows.", "evidence": [[[1, None, None, None]]], "label": "NOT ENOUGH INFO"},
    ]
    with_, without = load("fever", written(tmp_path, "dev.jsonl", records)).questions
    template = TEMPLATES["r-tuning-code"]
    assert template.ask(with_) + template.answered("A", with_) == (
        "Evidence:Wet.\nClaim:It rains.\nQuestion:Does the evidence support the claim?\n"
        "A: SUPPORTS.\nB: REFUTES.\nC: NOT ENOUGH INFO.\nAnswer: A."
    )
    assert template.ask(without) == "It snows.\nA. SUPPORTS\nB. REFUTES\nC. NOT ENOUGH INFO\nAnswer:"


def test_mmlu_has_its_subjects_worked_examples_before_it():
    assert preface("high_school_biology", [["1 + 1 =", "1", "2", "3", "4", "B"]]) == (
        "The following are multiple choice questions (with answers) about high school biology.\n\n"
        "1 + 1 =\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:B\n\n"
    )


@pytest.mark.parametrize(
    ("name", "record", "said"),
    [
        ("wice", {"claim": "x", "evidence": "no list", "label": "supported"}, "evidence"),
        ("wice", {"claim": "x", "evidence": [], "label": "maybe"}, "label"),
        ("fever", {"claim": "", "label": "SUPPORTS"}, "claim is empty"),
        ("hotpotqa", {"question": "x", "answer": "y", "context": [["t", "no list"]]}, "paragraph"),
        (
            "hotpotqa",
            {"question": "x", "answer": "y", "context": {"title": ["a"], "sentences": []}},
            "context",
        ),
        ("selfaware", {"question": "x", "answer": None, "answerable": "yes"}, "answerable"),
        ("halueval", {"question": "x", "knowledge": 3, "right_answer": "y"}, "knowledge"),
    ],
)
def test_a_record_that_does_not_fit_is_named_with_its_line(name, record, said, tmp_path):
    with pytest.raises(DataError, match=said) as caught:
        load(name, written(tmp_path, "dev.jsonl", [record]))
    assert "line 1" in caught.value.message() or "record 1" in caught.value.message()


@pytest.mark.parametrize("name", ["mmlu", "wice", "hotpotqa", "fever", "selfaware", "halueval", "asqa"])
def test_a_missing_path_is_a_clear_error(name, tmp_path):
    for path in (None, tmp_path / "nowhere"):
        with pytest.raises(DataError, match="expected"):
            load(name, path)


def reading(question, answers, passage):
    return Reading(question=question, answers=answers, page="Rain", passage=passage)


def test_pairs_share_a_passage_that_answers_one_question_only():
    first = reading("When in May?", ("Monday",), "It rained on Monday.")
    second = reading("When in June?", ("Friday",), "It rained on Friday.")
    found = list(pairs([first, second]))
    assert [(a.text, b.text) for a, b in found] == [
        ("When in May?", "When in June?"),
        ("When in June?", "When in May?"),
    ]
    answerable, not_ = found[0]
    assert answerable.context == not_.context == "This is a passage about Rain:\nIt rained on Monday."
    assert (answerable.answers, not_.answers, not_.answerable) == (("Monday",), (), False)
    assert answerable.meta["pair"] == not_.meta["pair"]


def test_a_pair_whose_other_answer_stands_in_the_passage_is_dropped_and_counted():
    first = reading("When in May?", ("Monday",), "It rained on Monday and on Friday.")
    second = reading("When in June?", ("Friday",), "It rained on Friday.")
    dropped = Counter()
    # Shown the first passage, "Friday" would answer the second question: the published filters let it pass.
    # Shown the second, its own answer also stands in the first one.
    assert list(pairs([first, second], dropped)) == []
    assert dropped == {
        "the other answer stands in the shown passage": 1,
        "the answer also stands in the other passage": 1,
    }


def test_an_answer_counts_as_whole_words_only():
    first = reading("Which?", ("Mon",), "It rained on Monday.")
    dropped = Counter()
    assert list(pairs([first, first], dropped)) == []
    assert dropped["the answer does not stand in its own passage"] == 2


def test_a_mixture_keeps_datasets_apart_and_tests_only_what_is_not_trained_on():
    settings = DataSettings.model_validate(
        {
            "mixture": [
                {"name": "pocket", "limit": 20},
                {"name": "pocket-2-choice", "limit": 10, "use": "test"},
            ]
        }
    )
    questions = load_questions(settings).questions
    splits = {(question.dataset, question.split) for question in questions}
    assert ("pocket", "train") in splits
    assert {split for dataset, split in splits if dataset == "pocket-2-choice"} == {"unseen"}
    assert len({question.id for question in questions}) == len(questions)


@pytest.mark.parametrize(
    "mixture",
    [
        [{"name": "pocket", "use": "sometimes"}],
        [{"mixture": [{"name": "pocket"}]}],
        [{"name": "pocket", "nonsense": 1}],
    ],
)
def test_a_mixture_that_means_nothing_is_refused(mixture):
    with pytest.raises(ValueError, match=r"dataset 1|nonsense"):
        DataSettings.model_validate({"mixture": mixture})


def test_a_mixture_and_a_name_are_one_too_many():
    with pytest.raises(ValueError, match="not both"):
        DataSettings.model_validate({"name": "pocket", "mixture": [{"name": "pocket"}]})

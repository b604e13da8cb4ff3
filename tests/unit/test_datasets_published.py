"""The papers' datasets: every published row becomes a question, and its gold answer is judged correct."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from demur.core.config import DataSettings
from demur.core.errors import DataError
from demur.core.templates import TEMPLATES
from demur.datasets import load_questions
from demur.datasets.asqa import Reading, pairs
from demur.datasets.mmlu import preface
from demur.datasets.targets import DATASETS
from demur.judging import judge

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
    ("selfaware", "selfaware/SelfAware.json", {"answerable": 1168, "unanswerable": 516}, 0),
    ("halueval", "halueval/generation/qa", {"test": 500}, 0),
    ("asqa", "asqa/ASQA.json", {"test": 8}, 0),
    ("falseqa", "falseqa/dataset", {"answerable": 1678, "unanswerable": 1678}, 0),
    ("nec", "unknownbench/data/NEC", {"answerable": 1036, "unanswerable": 1039}, 0),
    ("refunq", "unknownbench/data/RefuNQ", {"answerable": 1133, "unanswerable": 1087}, 0),
    ("triviaqa", "triviaqa/qa", {"train": 7}, 0),
    ("triviaqa", "triviaqa/triviaqa_sample.json", {"test": 1}, 0),
    ("triviaqa", "triviaqa/flashrag_test.jsonl", {"test": 500}, 0),
    ("nq-open", "nq_open/NQ-open.dev.jsonl", {"test": 1805}, 0),
    ("nonambigqa", "alignment_for_honesty/nonambigqa.jsonl", {"test": 2663}, 0),
    ("puqa", "alignment_for_honesty/puqa.jsonl", {"test": 500}, 0),
    ("pkqa", "alignment_for_honesty/pkqa_13b.jsonl", {"test": 500}, 0),
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
    raw = load("fever", written(tmp_path, "dev.jsonl", records))
    assert any("1 claims are asked without evidence" in note for note in raw.notes)
    with_, without = raw.questions
    template = TEMPLATES["r-tuning-code"]
    assert template.ask(with_) + template.answered("A", with_) == (
        "Evidence:Wet.\nClaim:It rains.\nQuestion:Does the evidence support the claim?\n"
        "A: SUPPORTS.\nB: REFUTES.\nC: NOT ENOUGH INFO.\nAnswer: A."
    )
    assert template.ask(without) == "It snows.\nA. SUPPORTS\nB. REFUTES\nC. NOT ENOUGH INFO\nAnswer:"


def test_hotpotqa_is_asked_as_published_to_the_space(tmp_path):
    record = {
        "question": "Who?",
        "answer": "Ann",
        "context": [["A", ["One.", " Two."]], ["B", ["Three."]]],
        "supporting_facts": [["B", 0], ["B", 1]],
    }
    (question,) = load("hotpotqa", written(tmp_path, "dev.json", [record])).questions
    template = TEMPLATES["r-tuning-code"]
    # The released script joins sentences and paragraphs by a space each, whatever they begin with.
    assert template.ask(question) + template.answered("Ann", question) == (
        "A:One.  Two.\n B:Three.\n\nQuestion: Who?\nAnswer: Ann."
    )
    assert question.meta == {"supporting": ["B"]}


def test_where_nothing_says_whether_an_answer_is_right_it_is_not_judged(tmp_path):
    answerable, not_ = load(
        "nec",
        written(
            tmp_path,
            "NEC.json",
            [
                {"prompt": "What is a duck?", "label": 0, "category": "animals"},
                {"prompt": "What is a nekaby?", "label": 1, "category": "animals"},
            ],
        ),
    ).questions
    assert (answerable.split, not_.split, not_.group) == ("answerable", "unanswerable", "animals")
    assert (judge(answerable, "A bird."), judge(not_, "A bird.")) == ("unscored", "wrong")
    assert judge(answerable, "I don't know.") == judge(not_, "I don't know.") == "refused"


def test_refunq_tells_its_twins_apart_by_their_label(tmp_path):
    path = written(
        tmp_path,
        "RefuNQ.json",
        [{"prompt": "who?", "label": ["Ann"]}, {"prompt": "buquor?", "label": "NEC"}],
    )
    answerable, not_ = load("refunq", path).questions
    assert (answerable.answers, answerable.split, not_.answers) == (("Ann",), "answerable", ())
    assert (not_.answerable, not_.split) == (False, "unanswerable")


def test_falseqa_keeps_its_explanations_for_reading_only(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("question,answer,label\nWhy?,\"['a', 'b']\",1\nHow?,So.,0\n", encoding="utf-8")
    false, true = load("falseqa", path).questions
    assert (false.answerable, false.answers, false.meta["reference"]) == (False, (), ["a", "b"])
    assert (true.answerable, true.answers, true.meta["reference"]) == (True, (), ["So."])


def test_triviaqa_reads_the_parts_with_answers(tmp_path):
    answer = {"Value": "York", "Aliases": ["Ebor", "York"]}
    record = {"Question": "Where?", "Answer": answer, "QuestionId": "tc_1"}
    for name in ("web-train", "web-dev", "verified-web-dev"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"Data": [record], "Split": "x"}))
    (tmp_path / "web-test-without-answers.json").write_text('{"Data": [{"Question": "Where?"}]}')
    (tmp_path / "README").write_text("No question stands here.")
    raw = load("triviaqa", tmp_path)
    assert [(q.split, q.answers) for q in raw.questions] == [
        ("train", ("York", "Ebor")),
        ("test", ("York", "Ebor")),
    ]
    assert any("validation part is used" in note for note in raw.notes)
    with pytest.raises(DataError, match="the test part has none"):
        load("triviaqa", tmp_path / "web-test-without-answers.json")


def test_pkqa_gives_answers_without_the_word_answer(tmp_path):
    record = {"topic": "Health", "question": "How many?", "answer": "Answer: five", "label": "known"}
    (question,) = load("pkqa", written(tmp_path, "pkqa.jsonl", [record])).questions
    assert (question.answers, question.group, question.domain) == (("five",), "Health", "ood")


def test_a_development_part_is_the_test_part_only_where_there_is_none(tmp_path):
    record = {"claim": "It rains.", "evidence": ["Wet."], "label": "supported"}
    written(tmp_path, "train.jsonl", [record])
    written(tmp_path, "dev.jsonl", [record])
    assert [q.split for q in load("wice", tmp_path).questions] == ["train", "test"]
    written(tmp_path, "test.jsonl", [record])
    assert [q.split for q in load("wice", tmp_path).questions] == ["train", "test", "calibration"]


def mmlu(tmp_path, row, *, examples=True):
    for part in ("dev", "test"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "test" / "anatomy_test.csv").write_bytes(row)
    if examples:
        (tmp_path / "dev" / "anatomy_dev.csv").write_text("1+1?,1,2,3,4,B\n" * 6)
    return load("mmlu", tmp_path)


def test_mmlu_says_which_subjects_have_no_worked_examples(tmp_path):
    (question,) = mmlu(tmp_path / "a", b"Bone?,a,b,c,d,C\n").questions
    assert question.preface.count("Answer:B") == 5
    raw = mmlu(tmp_path / "b", b"Bone?,a,b,c,d,C\n", examples=False)
    assert raw.questions[0].preface.endswith("about anatomy.\n\n")
    assert any("anatomy" in note for note in raw.notes)


@pytest.mark.parametrize(
    ("row", "said"),
    [(b"Bone?,a,b,c,d\n", "row 1"), (b"Bone?,a,b,c,d,E\n", "letter"), (b"B\xf6ne?,a,b,c,d,A\n", "utf-8")],
)
def test_a_row_of_mmlu_that_is_none_is_named_with_its_file(row, said, tmp_path):
    with pytest.raises(DataError, match=rf"anatomy_test\.csv.*{said}"):
        mmlu(tmp_path, row)


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
        ("nec", {"prompt": "x", "label": "1"}, "label"),
        ("refunq", {"prompt": "x"}, "label is null"),
        ("falseqa", {"question": "x", "answer": "y", "label": 2}, "label"),
        ("triviaqa", {"Question": "x", "Answer": {"Aliases": ["y"]}}, "Value is missing"),
        ("triviaqa", {"question": "x", "golden_answers": []}, "golden_answers"),
        ("nq-open", {"question": "x", "answer": [""]}, "answer"),
        ("nonambigqa", {"question": "x"}, "answers"),
        ("puqa", {"question": "x", "authors": [3]}, "authors"),
        ("pkqa", {"question": "x", "answer": None}, "answer"),
    ],
)
def test_a_record_that_does_not_fit_is_named_with_its_line(name, record, said, tmp_path):
    with pytest.raises(DataError, match=said) as caught:
        load(name, written(tmp_path, "dev.jsonl", [record]))
    assert "line 1" in caught.value.message() or "record 1" in caught.value.message()


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
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


def test_without_a_short_answer_nothing_can_be_checked():
    first = reading("When in May?", ("Monday",), "It rained on Monday.")
    dropped = Counter()
    assert list(pairs([first, reading("When in June?", (), "It rained.")], dropped)) == []
    assert dropped == {"a question has no short answer": 2}


def asqa(tmp_path, *readings):
    sample = {"qa_pairs": list(readings)}
    (tmp_path / "ASQA.json").write_text(json.dumps({"dev": {"7": sample}, "train": {}}), encoding="utf-8")
    return load("asqa", tmp_path)


def test_asqa_counts_what_its_filters_dropped_and_skips_what_has_no_passage(tmp_path):
    readings = [
        {"question": f"When in {month}?", "short_answers": [day], "context": text, "wikipage": "Rain"}
        for month, day, text in (
            ("May", "Monday", "It rained on Monday."),
            ("June", "Friday", "It rained on Friday, not on Monday."),
            ("July", "Sunday", "No context provided"),
        )
    ]
    raw = asqa(tmp_path, *readings)
    # May shown: its Monday also stands in June's passage. June shown: May's Monday stands in it.
    assert raw.questions == []
    assert set(raw.notes) == {
        "1 ambiguous questions read, 0 pairs made",
        "1 pairs dropped: the answer also stands in the other passage",
        "1 pairs dropped: the other answer stands in the shown passage",
    }


@pytest.mark.parametrize(
    "reading_",
    [
        {"question": "When?", "short_answers": "", "context": "x"},
        {"question": "When?", "short_answers": None, "context": "x"},
        {"question": None, "short_answers": ["a"], "context": "x"},
        {"question": "When?", "short_answers": ["a"]},
        "no object",
    ],
)
def test_a_reading_of_asqa_that_is_none_is_named_with_its_sample(reading_, tmp_path):
    with pytest.raises(DataError, match="dev 7"):
        asqa(tmp_path, reading_)


def test_an_answer_that_is_spelled_otherwise_is_found_all_the_same():
    first = reading("Which in May?", ("Spider-Man",), "The film was Spider Man.")
    second = reading("Which in June?", ("Amélie",), "The film was Amelie.")
    assert len(list(pairs([first, second]))) == 2


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


def test_half_a_character_inside_a_passage_is_named(tmp_path):
    """A lone surrogate can be written as JSON and as nothing else; a passage hides it well."""
    record = {
        **{"_id": "1", "question": "Who?", "answer": "Ann", "type": "bridge", "level": "easy"},
        "supporting_facts": [["A", 0]],
        "context": [["A", ["One \ud800 sentence."]], ["B", ["Another."]]],
    }
    path = tmp_path / "hotpot_dev_distractor_v1.json"
    path.write_text(json.dumps([record]))
    with pytest.raises(DataError, match="half a character"):
        load("hotpotqa", path)

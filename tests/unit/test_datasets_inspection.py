"""Looking at datasets: what a file is, what stands in it, what may be wrong with it."""

import itertools
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demur.cli.main import app
from demur.core.errors import DataError
from demur.core.records import Question, question_id
from demur.datasets.checking import check_questions
from demur.datasets.inspection import ROW, check_file, of_split, read_raw
from demur.datasets.recognition import recognise
from demur.datasets.targets import DATASETS

SHARED = Path(os.environ.get("DEMUR_SHARED_DATA") or Path(__file__).parents[3] / "shared/data")
needs_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs samples of the published datasets (DEMUR_SHARED_DATA)"
)
run = CliRunner().invoke

ROWS = [  # as its README counts them: dataset, path, rows
    ("pararel", "r_tuning_data/pararel/training_data.json", 5575),
    ("pararel", "r_tuning_data/pararel/ID_test_pararel.json", 2792),
    ("pararel", "r_tuning_data/pararel/OOD_test_pararel.json", 6987),
    ("mmlu", "r_tuning_data/MMLU/MMLU_ID_train.json", 2448),
    ("mmlu", "r_tuning_data/MMLU/MMLU_ID_test.json", 1226),
    ("mmlu", "r_tuning_data/MMLU/MMLU_ID_prompt.json", 140),
    ("mmlu", "r_tuning_data/MMLU/MMLU_OOD_prompt.json", 145),
    ("mmlu", "mmlu/data/dev", 285),
    ("mmlu", "mmlu/data/val", 1531),
    ("mmlu", "mmlu/data/test", 7010),
    ("wice", "wice/data/entailment_retrieval/claim/dev.jsonl", 349),
    ("hotpotqa", "hotpotqa/hotpot_dev_distractor_v1.json", 27),
    ("hotpotqa", "hotpotqa/hotpotqa_train.json", 50),
    ("hotpotqa", "hotpotqa/hf_rows_dev_distractor.json", 27),
    ("fever", "fever/paper_dev.jsonl", 5000),
    ("selfaware", "selfaware/SelfAware.json", 1684),
    ("halueval", "halueval/generation/qa/qa_one-turn_data.json", 250),
    ("halueval", "halueval/generation/qa/qa_multi-turn_data.json", 250),
    ("falseqa", "falseqa/dataset/train.csv", 2374),
    ("falseqa", "falseqa/dataset/valid.csv", 982),
    ("nec", "unknownbench/data/NEC/NEC_answerable.json", 1036),
    ("nec", "unknownbench/data/NEC/NEC_unanswerable.json", 1039),
    ("refunq", "unknownbench/data/RefuNQ/RefuNQ_answerable.json", 1133),
    ("refunq", "unknownbench/data/RefuNQ/RefuNQ_unanswerable.json", 1087),
    ("triviaqa", "triviaqa/qa/web-train.json", 3),
    ("triviaqa", "triviaqa/qa/wikipedia-train.json", 4),
    ("triviaqa", "triviaqa/triviaqa_sample.json", 1),
    ("triviaqa", "triviaqa/flashrag_test.jsonl", 500),
    ("nq-open", "nq_open/NQ-open.dev.jsonl", 1805),
    ("nonambigqa", "alignment_for_honesty/nonambigqa.jsonl", 2663),
    ("puqa", "alignment_for_honesty/puqa.jsonl", 500),
    ("pkqa", "alignment_for_honesty/pkqa_13b.jsonl", 500),
]


@needs_data
@pytest.mark.parametrize(("name", "path", "rows"), ROWS, ids=[row[1] for row in ROWS])
def test_every_question_file_is_recognised_read_in_full_and_checked(name, path, rows):
    found = recognise(SHARED / path)
    assert found.dataset == name
    checked = check_file(
        SHARED / path
    )  # what can be read as the user's own is, and says what it looks like
    assert (checked["dataset"] in ("file", name), checked["rows"]) == (True, rows)
    told = any(name in note for note in checked["notes"])
    assert told or checked["dataset"] == name or found.own
    assert check_file(SHARED / path, name)["rows"] == rows
    raw = read_raw(name, SHARED / path)
    assert len(raw.questions) == rows


@needs_data
def test_original_facts_say_how_many_were_read_and_how_many_questions_were_made():
    for path in ("pararel", "pararel/data", "pararel/data/trex_lms_vocab"):
        raw = read_raw("pararel", SHARED / path)
        assert raw.notes[0] == "14,718 facts read, 10,859 questions made"
        assert len(raw.files) == 41
    domains = {domain: {q.group for q in raw.questions if q.domain == domain} for domain in ("id", "ood")}
    assert (len(domains["id"]), len(domains["ood"])) == (15, 16)


@needs_data
def test_asqa_says_how_many_records_were_read():
    assert "4 ambiguous questions read" in read_raw("asqa", SHARED / "asqa/ASQA.json").notes[0]


@needs_data
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("triviaqa/sample_predictions.json", "predictions"),
        ("pararel/data/pattern_data/graphs_json/P103.jsonl", "ParaRel's patterns"),
        ("unknownbench/outputs/Close-source-LLMs_responses/chatgpt", "a model's outputs"),
        ("unknownbench/outputs/Llama-2_logit_based_uncertainty", "a model's outputs"),
    ],
)
def test_what_holds_no_questions_is_named_for_what_it_is(path, kind):
    found = check_file(SHARED / path)
    assert recognise(SHARED / path).kind.startswith(kind)
    if found["dataset"] is None:
        assert found["kind"].startswith(kind)
    else:  # a file whose fields can be read as questions and answers is the user's to name
        assert any(kind in note for note in found["notes"])
    shown = run(app, ["data", "show", "nec", "--path", str(SHARED / path)])
    assert isinstance(shown.exception, DataError)
    assert shown.exception.found.startswith(kind)


IDS = map(str, itertools.count())


def question(text, answers=("x y",), split="train", **more):
    return Question(id=next(IDS), text=text, answers=answers, split=split, **more)


def counts(questions):
    return {finding.name: finding.count for finding in check_questions(questions)}


def test_repeats_contradictions_and_leaks_are_counted_apart():
    found = counts(
        [
            question("Who wrote it?", ("Ann Lee",)),
            question("who  wrote it", ("ann lee",)),  # repeats, and agrees
            question("Who wrote it?", ("Bo",)),  # repeats, and contradicts
            question("Who wrote it?", ("Bo",), "test"),  # leaks to the letter
            question("who wrote IT?", ("Bo",), "test"),  # repeats in test, and leaks
            question("Who sang it?", ("Bo",), "test"),
        ]
    )
    assert found["duplicates"] == 3
    assert found["contradictions"] == 1
    assert (found["leaks"], found["leaks-exact"]) == (2, 1)


def test_answers_in_their_question_are_whole_words_and_no_letters():
    found = counts(
        [
            question("In which city is the University of Oslo?", ("Oslo",)),
            question("Who made Osloer beer?", ("Oslo",)),
            question("Is A or B right?", ("A",), choices=("one", "two"), task="choice"),
            question("Is it x?", ("x",)),
        ]
    )
    assert found["answer-in-question"] == 1


def test_missing_answers_small_parts_and_uneven_parts():
    rows = [question(f"Question {n}?", (f"a{n} b",)) for n in range(40)]
    rows += [question(f"Other {n}?", (), "test", answerable=False) for n in range(20)]
    rows += [question(f"Else {n}?", (), "test") for n in range(5)]
    found = counts(rows)
    assert found["no-answer"] == 5
    assert found["small-parts"] == 1  # test: 25 questions
    assert found["uneven-parts"] == 1  # no unanswerable one in training, 80 % in test
    assert found["one-answer"] == 0
    assert counts([question(f"Q{n}?", ("yes",)) for n in range(30)])["one-answer"] == 1


@pytest.mark.parametrize(
    ("name", "text"), [("x.jsonl", ""), ("x.json", "[]"), ("x.csv", "question,answer\n")]
)
def test_a_file_without_questions_is_an_error(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as error:
        check_file(path)
    assert (error.value.expected, error.value.found) == ("at least one question", "none")


def test_nothing_is_wrong_with_nothing():
    assert set(counts([]).values()) == {0}


def own_file(tmp_path):
    path = tmp_path / "mine.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(40)]
    path.write_text("\n".join(map(json.dumps, [*rows, rows[0]])), encoding="utf-8")
    return path


def test_a_file_of_ones_own_is_shown_and_checked(tmp_path):
    path = own_file(tmp_path)
    rows = json.loads(run(app, ["data", "show", str(path), "--json"]).stdout)
    assert len(rows) == 41  # duplicates included
    assert tuple(rows[0]) == ROW
    assert rows[0]["id"] == question_id("What is 0 + 1?")
    assert len(json.loads(run(app, ["data", "show", str(path), "--json", "--limit", "3"]).stdout)) == 3
    checked = run(app, ["data", "check", str(path)]).stdout
    assert "41 questions: train 41" in checked
    assert "! 1 rows that repeat a question of their part" in checked
    found = json.loads(run(app, ["data", "check", str(path), "--json"]).stdout)
    assert (found["dataset"], found["rows"]) == ("file", 41)


def test_a_part_can_be_shown_alone(tmp_path):
    rows = json.loads(run(app, ["data", "show", "pocket", "--split", "test/ood", "--json"]).stdout)
    assert {(row["split"], row["domain"]) for row in rows} == {("test", "ood")}
    with pytest.raises(DataError, match="train"):
        of_split(read_raw("pocket", None).questions, "nowhere", where="pocket")
    shown = run(app, ["data", "show", str(own_file(tmp_path)), "--limit", "2"]).stdout
    assert "2 of 41 questions: train 41" in shown


def test_every_dataset_is_listed_with_its_licence():
    rows = json.loads(run(app, ["data", "list", "--json"]).stdout)
    assert [row["name"] for row in rows] == DATASETS.names()
    assert all(row["description"] and row["licence"] and row["splits"] for row in rows)
    assert "selfaware" in run(app, ["data", "list"]).stdout


def test_files_of_unknown_fields_are_not_guessed(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"a": {"b": 1}}')
    assert recognise(path) is None
    path.write_text("")
    assert recognise(path) is None
    assert recognise(tmp_path / "absent") is None

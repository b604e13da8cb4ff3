"""Leaks, duplicates, the division into parts, trials, and the report."""

import itertools
import json

import pydantic
import pytest

from demur.core.errors import DataError
from demur.core.questions import QuestionTable
from demur.core.records import TOGETHER, Question
from demur.datasets import DataSettings, load_questions
from demur.datasets.leaks import find_duplicates, find_leaks, normalise, question_keys
from demur.datasets.loading import resolve
from demur.datasets.splits import sample

COUNTER = itertools.count()


def ask(text, split="train", **changes):
    changes = {"id": f"{split} {next(COUNTER)}", "answers": ("A",)} | changes
    return Question(text=text, split=split, **changes)


def leaks(*questions, drop=True):
    table = QuestionTable.of(questions)
    kept, found = find_leaks(table, question_keys(table), drop=drop)
    return [question.id for question in table.where(kept)], found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who is it?", "who is it"),
        ("Who is it ?", "  Who\tis  it?"),
        ("“Who” is it?", '"Who" is it?'),
        ("Who is it?", "Who is it?"),  # full width
        ("Wo ist die Straße?", "WO IST DIE STRASSE?"),
        ("Où est-il, lui?", "où est-il lui ?"),
        ("日本の首都は?", "日本の首都は。"),
        ("Who — then?", "Who - then?"),
        ("The Vienna–Graz line?", "The Vienna-Graz line?"),
        ("أين القَاهِرَة؟", "أين القاهرة؟"),
    ],
)
def test_equal_but_for_what_does_not_matter(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is C++ old?", "Is C old?"),
        ("Is C# old?", "Is C old?"),
        ("What is 2+2?", "What is 2-2?"),
        ("What is -1?", "What is 1?"),
        ("What is .5?", "What is 5?"),
        ("???", "!!!"),
        ("हिन्दी की?", "हिन्दी का?"),  # the two differ in a vowel sign only
    ],
)
def test_different_questions_stay_different(one, other):
    assert normalise(one) != normalise(other)


def test_a_test_question_that_was_trained_on_is_dropped():
    train, test = ask("Who is it?"), ask("Who is it?", "test")
    other, near = ask("What is it?", "test"), ask("who is IT", "test", domain="ood")
    kept, found = leaks(test, train, other, near)
    assert kept == [train.id, other.id]
    # Two rows of one question; only the first is written as in training.
    assert (found.rows, found.exact, found.questions) == (2, 1, 1)
    assert found.by_part == {"test/id": 1, "test/ood": 1}
    assert found.examples == ("Who is it?", "who is IT")


def test_leaks_are_kept_when_asked_for_but_still_told():
    train, test = ask("Who is it?"), ask("Who is it?", "test")
    kept, found = leaks(train, test, drop=False)
    assert kept == [train.id, test.id]
    assert (found.rows, found.dropped) == (1, False)


def test_training_keeps_a_question_before_calibration_and_calibration_before_tests():
    train, calibration = ask("1?"), ask("1?", "calibration")
    calibration2, test2, other3 = ask("2?", "calibration"), ask("2?", "test"), ask("3?", "nonexistent")
    kept, found = leaks(calibration, train, calibration2, test2, other3)
    assert kept == [train.id, calibration2.id, other3.id]
    assert found.by_part == {"calibration": 1, "test/id": 1}


def test_two_test_parts_may_share_a_question():
    kept, found = leaks(ask("Q?", "test"), ask("Q?", "test", domain="ood"), ask("Q?", "nonexistent"))
    assert (len(kept), found.rows) == (3, 0)


def test_the_same_words_about_another_passage_or_other_options_are_no_leak():
    questions = [
        ask("Who?", context="Ann came."),
        ask("Who?", "test", context="Bob came."),
        ask("Who?", "test", choices=("Ann", "Bob")),
        ask("Who?", "test", context="ann  came"),
    ]
    kept, _ = leaks(*questions)
    assert kept == [question.id for question in questions[:3]]


def test_no_questions_have_no_leaks():
    assert leaks()[1].rows == 0


def test_duplicates_are_counted_within_a_part():
    questions = [
        ask("Q?", id="1"),
        ask("q", id="2"),
        ask("Q?", id="3", answers=("B",)),
        ask("Q?", "test", id="4"),
    ]
    table = QuestionTable.of(questions)
    found = find_duplicates(table, question_keys(table))
    assert (found.rows, found.other_answers, found.examples) == (2, 1, ("q", "Q?"))


@pytest.fixture
def path(tmp_path):
    """100 distinct questions, every tenth of them three times."""
    rows = [
        {"question": f"Question {n}?", "answer": str(n)}
        for n in range(100)
        for _ in range(1 + 2 * (n % 10 == 0))
    ]
    file = tmp_path / "my.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def split_of(loaded):
    return {q.text: q.split for q in loaded.questions}


def test_parts_are_shares_of_the_distinct_questions(path):
    loaded = load_questions(path)
    splits = list(split_of(loaded).values())
    assert [splits.count(s) for s in ("train", "calibration", "test")] == [70, 10, 20]
    assert loaded.report.leaks.rows == 0  # the copies of a question went the same way
    assert sum(loaded.report.counts.values()) == loaded.report.rows == 120


def test_parts_may_be_numbers_of_questions(path):
    splits = list(split_of(load_questions(DataSettings(path=path, test=7, calibration=1))).values())
    assert [splits.count(s) for s in ("train", "calibration", "test")] == [92, 1, 7]


def test_no_part_is_drawn_where_none_is_wanted(path):
    loaded = load_questions(DataSettings(path=path, test=0, calibration=0))
    assert loaded.report.counts == {"train": 120}
    assert loaded.report.notes == ()


def test_the_division_depends_on_the_seed_alone(path):
    first = split_of(load_questions(path, seed=1))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(reversed(lines)))
    assert split_of(load_questions(path, seed=1)) == first
    assert split_of(load_questions(path, seed=2)) != first
    assert split_of(load_questions(DataSettings(path=path, seed=1), seed=2)) == first


def test_a_larger_test_part_holds_the_smaller(path):
    small, large = (
        split_of(load_questions(DataSettings(path=path, test=n, calibration=0))) for n in (10, 30)
    )
    assert {text for text, split in small.items() if split == "test"} < {
        text for text, split in large.items() if split == "test"
    }


def test_a_limit_holds_for_each_part_and_grows_by_adding(path):
    loaded = load_questions(DataSettings(path=path, limit=5))
    assert loaded.report.counts == {"train": 5, "calibration": 5, "test/id": 5}
    assert sum(loaded.report.before_limit.values()) == 120
    more = load_questions(DataSettings(path=path, limit=15))
    assert more.report.counts == {
        "train": 15,
        "calibration": min(15, more.report.before_limit["calibration"]),
        "test/id": 15,
    }
    assert {q.id for q in loaded.questions} < {q.id for q in more.questions}


def test_a_limit_keeps_the_order_and_small_parts_whole():
    questions = [ask(str(n), id=str(n), split="test" if n % 5 == 0 else "train") for n in range(20)]
    chosen = sample(QuestionTable.of(questions), 6, seed=0)
    assert [int(q.id) for q in chosen] == sorted(int(q.id) for q in chosen)
    assert [q.split for q in chosen].count("train") == 6
    assert [q.split for q in chosen].count("test") == 4


def test_the_report_is_json_and_says_what_matters(tmp_path):
    rows = [
        ("train", "Is it?"),
        ("train", "Is it?"),
        ("test", "is it"),
        ("test", "Was it?"),
        ("train", "Who?"),
    ]
    file = tmp_path / "my.jsonl"
    file.write_text("\n".join(json.dumps({"q": q, "a": "A", "split": s}) for s, q in rows))
    report = load_questions(DataSettings(path=file, calibration=0)).report
    text = "\n".join(report.lines())
    assert "file: 5 rows read" in text
    assert "question from 'q', answers from 'a', split from 'split'" in text
    assert "parts: train 3, test/id 1" in text
    assert "leaks: 1 of the rows (1 in test/id; 0 to the letter)" in text
    assert "duplicates: 1 of the rows" in text
    stored = json.loads(json.dumps(report.to_dict()))
    assert stored["leaks"] == {
        "rows": 1,
        "exact": 0,
        "questions": 1,
        "by_part": {"test/id": 1},
        "dropped": True,
        "examples": ["is it"],
    }
    assert list(stored["files"]) == ["my.jsonl"]


def test_kept_leaks_are_told_loudly(tmp_path):
    file = tmp_path / "my.csv"
    file.write_text("question,answer,split\nQ?,A,train\nQ?,A,test\n")
    report = load_questions(DataSettings(path=file, calibration=0, leaks="keep")).report
    assert "KEPT" in "\n".join(report.lines())


def test_what_the_settings_mean(tmp_path):
    def meaning(**settings):
        dataset, path = resolve(DataSettings(**settings))
        return dataset.name, path

    file = tmp_path / "my.jsonl"
    assert meaning(path=file) == ("file", file)
    assert meaning(name=str(file)) == ("file", file)
    assert meaning(name="pararel") == ("pararel", None)
    assert meaning(name="pararel", path=file) == ("pararel", file)


@pytest.mark.parametrize(
    "settings",
    [
        {"limit": 0},
        {"test": -0.1},
        {"test": 1.5},
        {"test": 0.5, "calibration": 0.5},
        {"leaks": "maybe"},
        {"path": ""},
        {"paths": "x"},
    ],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(pydantic.ValidationError):
        DataSettings(**settings)


def test_every_setting_has_a_description():
    assert all(field.description for field in DataSettings.model_fields.values())


def test_more_set_apart_than_there_is(path):
    with pytest.raises(
        DataError, match="100 distinct questions, of which 90 for test and 10 for calibration"
    ):
        load_questions(DataSettings(path=path, test=90, calibration=10))


def rows_file(tmp_path, rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_questions_of_one_group_stay_in_one_part(tmp_path):
    rows = [
        {"question": f"What is {n} of {city}?", "answer": str(n), "topic": f"city {city}"}
        for city in range(150)
        for n in range(4)
    ]
    path = rows_file(tmp_path, rows)
    settings = DataSettings(path=path, group_field="topic", divide_by="group", test=0.2, calibration=0.1)
    loaded = load_questions(settings)
    parts = {}
    for question in loaded.questions:
        parts.setdefault(question.text.rpartition(" of ")[2], set()).add(question.split)
    assert {len(splits) for splits in parts.values()} == {1}
    # a fifth and a tenth of the 150 groups, four questions each
    assert loaded.report.counts == {"train": 105 * 4, "calibration": 15 * 4, "test/id": 30 * 4}
    assert {question.group for question in loaded.questions} == {None}  # 150 are too many to report by
    assert "150 groups are too many to report by" in loaded.report.notes[-1]
    for question in loaded.questions:
        assert question.text.endswith(f" of {question.meta[TOGETHER].removeprefix('city ')}?")
    by_question = load_questions(DataSettings(path=path, group_field="topic"))
    assert len({(q.group, q.split) for q in by_question.questions}) > 150  # groups fall apart
    assert not any(TOGETHER in question.meta for question in by_question.questions)
    few = load_questions(settings.model_copy(update={"path": rows_file(tmp_path, rows[:200])}))
    assert len({question.group for question in few.questions}) == 50


def test_dividing_by_groups_needs_groups(tmp_path):
    path = rows_file(tmp_path, [{"question": f"What is {n}?", "answer": "a"} for n in range(40)])
    with pytest.raises(DataError, match=r"--group-field"):
        load_questions(DataSettings(path=path, divide_by="group"))


def test_answers_are_merged_on_request_within_a_part(tmp_path):
    rows = [{"question": f"What is {n}?", "answer": str(n), "split": "train"} for n in range(40)]
    rows += [
        {"question": "Who came?", "answer": "Ann", "split": "train"},
        {"question": "who came", "answer": "Bo", "split": "train"},
        {"question": "Who came?", "answer": "Ann", "split": "train"},
        {"question": "What is new?", "answer": "x", "split": "test"},
    ]
    path = rows_file(tmp_path, rows)
    kept = load_questions(DataSettings(path=path, calibration=0))
    assert kept.report.duplicates.rows == 2
    merged = load_questions(DataSettings(path=path, calibration=0, merge_answers=True))
    assert [q.answers for q in merged.questions if q.text == "Who came?"] == [("Ann", "Bo")]
    assert merged.report.duplicates.rows == 0
    assert "2 rows were merged" in merged.report.notes[-1]

"""The user's own file: formats, guessed fields, values, ids, parts."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demur.core.errors import DataError
from demur.core.records import question_id
from demur.datasets import DataSettings, load_questions
from demur.datasets.fields import GUESSES
from demur.datasets.files.folders import part_named

ROWS = [{"question": f"What is the capital of land {n}?", "answer": f"Town {n}"} for n in range(10)]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(path, **settings):
    """Every question of a file, nothing divided or dropped."""
    settings = {"test": 0, "calibration": 0, "leaks": "keep"} | settings
    return load_questions(DataSettings(path=path, **settings)).questions


def one(tmp_path, row, **settings):
    return load(write(tmp_path / "one.jsonl", [row]), **settings)[0]


def as_csv(delimiter):
    lines = [delimiter.join(("question", "answer"))]
    lines += [delimiter.join((f'"{row["question"]}"', row["answer"])) for row in ROWS]
    return "\r\n".join(lines).encode()


TEXT_FORMS = {
    "lines.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "lines.json": "\n".join(map(json.dumps, ROWS)).encode(),  # as HaluEval, NEC and RefuNQ are published
    "lines without a suffix": "\n".join(map(json.dumps, ROWS)).encode(),
    "lines.csv": "\n".join(map(json.dumps, ROWS)).encode(),
    "crlf.jsonl": "\r\n".join(map(json.dumps, ROWS)).encode() + b"\r\n",
    "blank lines.jsonl": "\n\n  \n".join(map(json.dumps, ROWS)).encode(),
    "bom.jsonl": b"\xef\xbb\xbf" + "\n".join(map(json.dumps, ROWS)).encode(),
    "utf16.jsonl": "\n".join(map(json.dumps, ROWS)).encode("utf-16"),
    "utf32.jsonl": "\n".join(map(json.dumps, ROWS)).encode("utf-32"),
    "list.json": json.dumps(ROWS).encode(),
    "pretty.json": json.dumps(ROWS, indent=2).encode(),
    "pretty.jsonl": json.dumps(ROWS, indent=0).encode(),
    "a record a line.json": ("[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n").encode(),
    "data.json": json.dumps({"version": 1, "data": ROWS}).encode(),
    "pretty data.json": ('{"data": [\n' + ",\n".join(map(json.dumps, ROWS)) + "\n]}").encode(),
    "other key.json": json.dumps({"my rows": ROWS, "authors": ["a", "b"]}, indent=1).encode(),
    "comma.csv": as_csv(","),
    "semicolon.csv": as_csv(";"),
    "tab.tsv": as_csv("\t"),
    "comma.tsv": as_csv(","),
    "comma.txt": as_csv(","),
    "comma.json": as_csv(","),
}


@pytest.mark.parametrize("name", TEXT_FORMS)
def test_a_format_is_told_by_its_content(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(TEXT_FORMS[name])
    questions = load(path)
    assert [(q.text, q.answers) for q in questions] == [(r["question"], (r["answer"],)) for r in ROWS]
    assert {q.dataset for q in questions} == {"file"}


@pytest.mark.parametrize("name", ["rows.parquet", "rows.bin"])
def test_parquet_is_told_by_its_content(tmp_path, name):
    pq.write_table(
        pa.Table.from_pylist([row | {"answers": [row["answer"], "x"]} for row in ROWS]), tmp_path / name
    )
    assert [q.answers for q in load(tmp_path / name)] == [(row["answer"], "x") for row in ROWS]


def test_every_format_gives_the_same_ids(tmp_path):
    for name, content in TEXT_FORMS.items():
        (tmp_path / name).write_bytes(content)
    ids = {tuple(q.id for q in load(tmp_path / name)) for name in TEXT_FORMS}
    assert ids == {tuple(question_id(row["question"]) for row in ROWS)}


def test_a_cell_may_hold_line_breaks_quotes_and_very_long_text(tmp_path):
    path = tmp_path / "cells.csv"
    long = "word " * 60_000  # 300 kB; the csv module stops at 128 kB by default
    path.write_text(f'question,answer\n"Who said ""no""?\nWho?",me\n"{long}",you\n', newline="")
    assert [q.text for q in load(path)] == ['Who said "no"?\nWho?', long.strip()]


def test_text_in_any_script_survives(tmp_path):
    texts = ["Où naît la Garonne ?", "日本の首都は?", "ما عاصمة مصر؟", "हिन्दी क्या है?", "🙂?", "𝔘?"]
    path = tmp_path / "scripts.jsonl"
    path.write_text(
        "\n".join(json.dumps({"q": t, "a": t}, ensure_ascii=False) for t in texts), encoding="utf-8"
    )
    assert [q.text for q in load(path)] == texts


def test_another_encoding_can_be_named(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("question,answer\nWo liegt Köln?,Rhein\n".encode("cp1252"))
    assert load(path, encoding="cp1252")[0].text == "Wo liegt Köln?"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("question", "answer"),
        ("Question", "Gold Answer"),
        ("query", "golden_answers"),
        ("prompt", "label"),
        ("instruction", "output"),
        ("input", "target"),
        ("claim", "label"),
    ],
)
def test_common_field_names_are_guessed(tmp_path, question, answer):
    read = one(tmp_path, {"other": 1, question: "Q?", answer: "A"})
    assert (read.text, read.answers) == ("Q?", ("A",))


def test_the_guesses_are_those_of_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for role, guesses in GUESSES.items():
        assert f"| `{role}` | {', '.join(guesses)} |" in page


def test_given_field_names_win_over_guesses(tmp_path):
    row = {"question": "no", "answer": "no", "frage": "Q?", "antwort": "A"}
    read = one(tmp_path, row, question_field="frage", answers_field="antwort")
    assert (read.text, read.answers) == ("Q?", ("A",))


def test_a_field_that_begins_late_is_not_overlooked(tmp_path):
    rows = [{"question": f"Q{n}?", "answer": "A"} for n in range(1500)]
    rows.append({"question": "What colour is a unicorn's song?", "answerable": False})
    questions = load(write(tmp_path / "late.jsonl", rows))
    assert not questions[-1].answerable
    assert all(q.answerable for q in questions[:-1])


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("Paris", ("Paris",)),
        ("  Paris ", ("Paris",)),
        (1990, ("1990",)),
        (2.5, ("2.5",)),
        (1990.0, ("1990",)),  # what a Parquet column of whole numbers becomes when one is missing
        (["Paris", "City of Light", "Paris", ""], ("Paris", "City of Light")),
        ([1, "one"], ("1", "one")),
        ("[a text of a JSON file]", ("[a text of a JSON file]",)),
        ('["a", "b"]', ('["a", "b"]',)),  # JSON says what is a list, so a text stays a text
    ],
)
def test_answers_are_texts_numbers_or_lists(tmp_path, value, answers):
    assert one(tmp_path, {"question": "Q?", "answer": value}).answers == answers


@pytest.mark.parametrize(
    ("cell", "answers"),
    [
        ("Paris", ("Paris",)),
        ('"[""a"", ""b""]"', ("a", "b")),
        ("\"['a', 'b']\"", ("a", "b")),  # how pandas writes a list
        ("[sic]", ("[sic]",)),
    ],
)
def test_a_cell_of_a_table_can_hold_a_list(tmp_path, cell, answers):
    path = tmp_path / "cell.csv"
    path.write_text(f"question,answer\nQ?,{cell}\n")
    assert load(path)[0].answers == answers


def test_a_list_as_numpy_prints_it_is_read(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_text("question,answer\nQ?,['a' 'b']\n")  # for Python itself that is the list ['ab']
    assert load(path)[0].answers == ("a", "b")


def test_what_looks_like_a_list_and_is_none_is_an_error(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_text("question,answer\nQ?,['a' b]\n")
    with pytest.raises(DataError, match=r"line 2: .* looks like a list but cannot be read as one"):
        load(path)


@pytest.mark.parametrize(
    ("choices", "answer", "letters"),
    [
        (["red", "green", "blue"], "green", ("B",)),
        (["red", "green", "blue"], "c", ("C",)),
        (["red", "green", "blue"], 0, ("A",)),
        (["red", "green", "red"], "red", ("A", "C")),
        ({"A": "red", "B": "green"}, "B", ("B",)),
        ({"text": ["red", "green"], "label": ["1", "2"]}, "red", ("A",)),
        ([3, 1, 2, 0], 0, ("D",)),
        (["0", "1", "2", "7"], 1, ("B",)),  # by number as by text
        (["0", "1", "2", "7"], 7, ("D",)),
        (["3", "1", "2", "0"], "0", ("D",)),
    ],
)
def test_the_answer_of_a_choice_question_is_its_letter(tmp_path, choices, answer, letters):
    read = one(tmp_path, {"question": "Q?", "choices": choices, "answer": answer})
    assert (read.task, read.answers) == ("choice", letters)


def test_a_context_makes_a_contextual_question(tmp_path):
    read = one(tmp_path, {"question": "Q?", "answer": "A", "context": ["One.", "Two."]})
    assert (read.task, read.context) == ("contextual", "One.\nTwo.")
    assert one(tmp_path, {"question": "Q?", "answer": "A", "context": ""}).task == "open"


def test_a_guessed_field_can_be_refused(tmp_path):
    row = {"question": "Q?", "answer": "A", "context": {"title": ["x"]}, "id": "same"}
    read = one(tmp_path, row, context_field="none", id_field="none")
    assert (read.context, read.id) == (None, question_id("Q?"))


@pytest.mark.parametrize("no", [False, 0, "false", "No", "unanswerable"])
def test_unanswerable_questions_need_no_answer(tmp_path, no):
    read = one(tmp_path, {"question": "Q?", "answer": None, "answerable": no})
    assert (read.answerable, read.answers) == (False, ())


def test_derived_ids_are_numbered_by_occurrence(tmp_path):
    rows = [{"question": q, "answer": a} for q, a in [("Q?", "1"), ("R?", "1"), ("Q?", "2"), ("Q?", "1")]]
    loaded = load_questions(DataSettings(path=write(tmp_path / "d.jsonl", rows), test=0, calibration=0))
    key = question_id("Q?")
    assert [q.id for q in loaded.questions] == [key, question_id("R?"), f"{key}-2", f"{key}-3"]
    # Rows 3 and 4 repeat row 1; row 3 has another answer than it.
    assert (loaded.report.duplicates.rows, loaded.report.duplicates.other_answers) == (2, 1)
    assert loaded.report.duplicates.examples == ("Q?",)


def test_ids_of_the_file_are_kept(tmp_path):
    rows = [{"id": n, "question": "Q?", "answer": "A"} for n in (7, 8)]
    assert [q.id for q in load(write(tmp_path / "ids.jsonl", rows))] == ["7", "8"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", ("train", "id")),
        ("training_data", ("train", "id")),
        ("train-00000-of-00002", ("train", "id")),
        ("ID_test_pararel", ("test", "id")),
        ("OOD_test_pararel", ("test", "ood")),
        ("ood", ("test", "ood")),
        ("dev", ("validation", "id")),
        ("my-calibration", ("calibration", "id")),
        ("contest", None),
        ("questions", None),
    ],
)
def test_parts_are_read_from_file_names(name, part):
    assert part_named(name) == part


def test_a_split_field_says_the_part(tmp_path):
    splits = ["train", "Training", "TEST", "ood", "calibration", "nonexistent", "test_set"]
    rows = [{"question": f"Q{n}?", "answer": "A", "split": s} for n, s in enumerate(splits)]
    assert [(q.split, q.domain) for q in load(write(tmp_path / "s.jsonl", rows))] == [
        ("train", "id"),
        ("train", "id"),
        ("test", "id"),
        ("test", "ood"),
        ("calibration", "id"),
        ("nonexistent", "id"),
        ("test", "id"),
    ]


def test_a_domain_field_says_id_or_ood(tmp_path):
    rows = [{"question": f"Q{n}?", "answer": "A", "domain": d} for n, d in enumerate(["ID", "ood"])]
    assert [q.domain for q in load(write(tmp_path / "d.jsonl", rows))] == ["id", "ood"]


def folder(tmp_path, **files):
    for name, texts in files.items():
        write(tmp_path / f"{name}.jsonl", [{"question": text, "answer": "A"} for text in texts])
    return tmp_path


def parts(loaded):
    return {text: (q.split, q.domain) for q in loaded.questions for text in [q.text]}


def test_a_folder_gives_a_part_by_each_file(tmp_path):
    path = folder(tmp_path, test=["t?"], train=["a?", "b?"], ood=["o?"], calibration=["c?"], notes=["n?"])
    loaded = load_questions(path)
    assert parts(loaded) == {
        "a?": ("train", "id"),
        "b?": ("train", "id"),
        "c?": ("calibration", "id"),
        "t?": ("test", "id"),
        "o?": ("test", "ood"),
    }
    assert any("'notes.jsonl'" in note for note in loaded.report.notes)


def test_validation_is_used_for_calibration_where_there_is_a_test_part(tmp_path):
    loaded = load_questions(folder(tmp_path, train=["a?"], validation=["v?"], test=["t?"]))
    assert parts(loaded)["v?"] == ("calibration", "id")


def test_validation_is_used_for_testing_where_there_is_no_test_part(tmp_path):
    path = folder(tmp_path, train=["a?", "b?", "c?"], dev=["v?"])
    loaded = load_questions(DataSettings(path=path, calibration=1))
    assert parts(loaded)["v?"] == ("test", "id")
    assert loaded.report.counts == {"train": 2, "calibration": 1, "test/id": 1}
    assert any("validation" in note for note in loaded.report.notes)


def test_ids_that_start_anew_in_each_file_get_the_part_before_them(tmp_path):
    for part in ("train", "test", "ood"):
        write(tmp_path / f"{part}.jsonl", [{"id": 0, "question": f"{part}?", "answer": "A"}])
    loaded = load_questions(DataSettings(path=tmp_path, calibration=0))
    assert [q.id for q in loaded.questions] == ["train/0", "test/0", "ood/0"]
    assert any("same ids" in note for note in loaded.report.notes)


def test_a_guessed_group_with_too_many_values_is_left_aside(tmp_path):
    rows = [{"question": f"Q{n}?", "answer": "A", "category": f"c{n}"} for n in range(101)]
    path = write(tmp_path / "g.jsonl", rows)
    assert {q.group for q in load(path)} == {None}
    assert load(path, group_field="category")[3].group == "c3"
    assert {q.group for q in load(write(path, rows[:100]))} == {f"c{n}" for n in range(100)}


def test_a_label_taken_for_the_answer_is_doubted(tmp_path):
    rows = [{"prompt": f"Q{n}?", "label": 0} for n in range(20)]
    path = write(tmp_path / "labels.jsonl", rows)
    assert any("every answer is '0'" in note for note in load_questions(path).report.notes)
    named = load_questions(DataSettings(path=path, answers_field="label"))
    assert not any("every answer" in note for note in named.report.notes)

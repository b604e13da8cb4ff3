"""Bad input: each message says what was expected, what was found, where, and what to do."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demur.core.errors import ConfigError, DataError, UnknownNameError
from demur.datasets import DataSettings, load_questions

GOOD = json.dumps({"question": "Q?", "answer": "A"})


def fail(source, kind=DataError, **settings):
    """The error that loading ends with."""
    if not isinstance(source, str):
        settings["path"] = source
    with pytest.raises(kind) as caught:
        load_questions(DataSettings(**settings) if settings else source)
    error = caught.value
    assert error.expected
    assert error.found
    assert error.fix
    return error


def put(tmp_path, content, name="my.jsonl"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_missing_file_names_the_nearest(tmp_path):
    put(tmp_path, GOOD, "questions.jsonl")
    error = fail(tmp_path / "question.jsonl")
    assert error.found == "no file or folder of that name"
    assert error.where.endswith("question.jsonl")
    assert "did you mean" in error.fix
    assert "questions.jsonl" in error.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file(tmp_path):
    path = put(tmp_path, GOOD)
    path.chmod(0)
    error = fail(path)
    assert error.found == "Permission denied"
    assert "permissions" in error.fix


def test_what_is_neither_file_nor_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening one would wait for ever
    assert fail(tmp_path / "pipe").found == "neither a file nor a folder"


def test_a_name_too_long_for_the_system(tmp_path):
    assert fail(tmp_path / ("x" * 300)).where.endswith("xxx")


def test_lines_that_are_no_json_are_listed_by_number(tmp_path):
    path = put(tmp_path, f"{GOOD}\nhello\n{GOOD}\n" + '{"question": "Q?", "ans')
    error = fail(path)
    assert error.where == str(path)
    assert error.found.splitlines() == [
        "2 problems",
        "          line 2: no JSON: 'hello' (Expecting value, column 1)",
        # The text that is not closed opens at the 20th character.
        '          line 4: no JSON: \'{"question": "Q?", "ans\' '
        "(Unterminated string starting at, column 20)",
    ]
    assert error.fix == "write every record as one JSON object"


def test_a_first_line_that_is_broken_does_not_hide_the_others(tmp_path):
    error = fail(put(tmp_path, f'{{"question": "Q?", "ans\n{GOOD}\nhello\n'))
    assert "line 1: no JSON" in error.found
    assert "line 3: no JSON: 'hello'" in error.found


def test_only_twenty_problems_are_listed_but_all_are_counted(tmp_path):
    found = fail(put(tmp_path, GOOD + "\nx" * 1234)).found.splitlines()
    assert found[0] == "1,234 problems"
    assert found[1].strip().startswith("line 2:")
    assert found[20].strip().startswith("line 21:")
    assert found[21].strip() == "… and 1,214 more"
    assert len(found) == 22


def test_no_question_field_names_the_fields(tmp_path):
    error = fail(put(tmp_path, '{"quesiton": "Q?", "answer": "A"}'))
    assert error.found == (
        "no field holds the question; the fields are 'quesiton', 'answer' (read as a JSON object)"
    )
    assert error.fix == "did you mean 'quesiton'? Then add --question-field 'quesiton'"


def test_no_answer_field_names_the_fields(tmp_path):
    error = fail(put(tmp_path, '{"question": "Q?", "loesung": "A"}\n' * 2))
    assert "no field holds the answer; the fields are 'question', 'loesung'" in error.found
    assert error.fix == "did you mean 'loesung'? Then add --answers-field 'loesung'", "the only field left"
    more = fail(put(tmp_path, '{"question": "Q?", "loesung": "A", "quelle": "B"}\n' * 2))
    assert more.fix == "name the field with --answers-field FIELD"


def test_a_table_without_a_header(tmp_path):
    error = fail(put(tmp_path, "What is it?,A thing\nWho is it?,Me\n", "my.csv"))
    assert "the fields are 'What is it?', 'A thing' (read as CSV)" in error.found
    assert "the first row must hold the names of the columns" in error.fix


def test_a_given_field_that_does_not_exist(tmp_path):
    error = fail(put(tmp_path, GOOD), answers_field="answr")
    assert error.found.startswith("no field is called 'answr'; the fields are 'question', 'answer'")
    assert "did you mean 'answer'?" in error.fix


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"question": "Q?"}, "the answer (answer) is missing; the fields here are 'question'"),
        ({"question": "Q?", "answer": None}, "the answer (answer) is null"),
        ({"answer": "A"}, "the question (question) is missing; the fields here are 'answer'"),
        ({"question": "  ", "answer": "A"}, "the question (question) is empty"),
        ({"question": 5, "answer": "A"}, "the question (question) is the number 5, not a text"),
        ({"question": ["Q?"], "answer": "A"}, "the question (question) is a list of 1, not a text"),
        ({"question": "Q?", "answer": ""}, "the answer (answer) is empty"),
        ({"question": "Q?", "answer": []}, "the answer (answer) is empty"),
        ({"question": "Q?", "answer": {"a": 1}}, "the answer (answer) is an object, not a text"),
        ({"question": "Q?", "answer": [["A"]]}, "the answer (answer) is a list of 1, not a text"),
        ({"question": "Q?", "answer": float("nan")}, "the answer (answer) is null"),
        ({"question": "Q?", "answer": float("inf")}, "the answer (answer) is the number inf, not a text"),
        ({"question": "Q\ud800?", "answer": "A"}, "half a character (a lone surrogate)"),
        (
            {"question": "Q?", "answer": "D", "choices": ["a", "b"]},
            "the answer 'D' is none of the 2 options",
        ),
        (
            {"question": "Q?", "answer": 0, "choices": ["3", "1", "0"]},
            "the answer 0 may be option A, counted from 0, or C, by its text",
        ),
        (
            {"question": "Q?", "answer": "9" * 5000, "choices": ["a", "b"]},
            "is none of the 2 options",
        ),
        ({"question": "Q?", "answer": "A", "choices": ["a"]}, "the options (choices) are a list of 1"),
        (
            {"question": "Q?", "answer": "A", "choices": ["a", None]},
            "an option (choices) is null, not a text",
        ),
        (
            {"question": "Q?", "answer": "A", "context": 3},
            "the context (context) is the number 3, not a text",
        ),
        ({"question": "Q?", "answer": "A", "domain": "medicine"}, "the domain (domain) is 'medicine'"),
        ({"question": "Q?", "answer": "A", "answerable": "maybe"}, "answerable (answerable) is 'maybe'"),
        ({"question": "Q?", "answer": "A", "group": {}}, "the group (group) is an object, not a text"),
        (["Q?", "A"], "a list of 2, not an object with fields"),
        ("Q?", "'Q?', not an object with fields"),
        (None, "null, not an object with fields"),
    ],
)
def test_a_row_that_is_no_question(tmp_path, row, found):
    error = fail(put(tmp_path, f"{GOOD}\n{json.dumps(row)}\n{GOOD}\n"))
    assert error.found.startswith("line 2: ")
    assert found in error.found


def test_ids_given_twice_are_listed_with_both_lines(tmp_path):
    rows = [{"id": i, "question": "Q?", "answer": "A"} for i in ("a", "b", "a", "b")]
    error = fail(put(tmp_path, "\n".join(map(json.dumps, rows))))
    assert "line 3: id 'a' (id) was already used in line 1" in error.found
    assert "line 4: id 'b' (id) was already used in line 2" in error.found
    assert "--id-field none" in error.fix


def test_ids_given_twice_in_two_files_of_one_part(tmp_path):
    row = json.dumps({"id": 1, "question": "Q?", "answer": "A"})
    put(tmp_path, row, "train-1.jsonl")
    put(tmp_path, row, "train-2.jsonl")
    error = fail(tmp_path)
    assert error.found == "train-2.jsonl record 1: id '1' was already used in train-1.jsonl record 1"


def test_a_row_without_its_id(tmp_path):
    rows = [{"id": "a", "question": "Q?", "answer": "A"}, {"question": "R?", "answer": "A"}]
    assert "line 2: no id (id)" in fail(put(tmp_path, "\n".join(map(json.dumps, rows)))).found


def test_an_id_that_begins_late(tmp_path):
    rows = [GOOD] * 1001 + [json.dumps({"id": "x", "question": "Q?", "answer": "A"})]
    assert "line 1002: the field 'id' begins here" in fail(put(tmp_path, "\n".join(rows))).found


@pytest.mark.parametrize("content", ["", "\n \n", "[]", '{"data": []}', "\ufeff", "question,answer\n"])
def test_an_empty_dataset(tmp_path, content):
    error = fail(put(tmp_path, content))
    # An object with an empty list holds no records that could be recognised, so its fields are named.
    assert error.found == "no record at all" or "no field holds the question" in error.found


def test_bytes_that_are_no_text_are_placed(tmp_path):
    lines = [
        GOOD,
        '{"question": "Où est le café?", "answer": "ici"}',
        GOOD,
        '{"question": "é", "answer": "1"}',
    ]
    error = fail(put(tmp_path, "\n".join(lines).encode("latin-1")))
    # {"question": "Où: the 14th character opens the text, so ù is the 16th.
    assert 'line 2: byte 0xf9 at column 16, after \'{"question": "O\', is no UTF-8' in error.found
    assert "line 4: byte 0xe9 at column 15" in error.found
    assert "--encoding cp1252" in error.fix


def test_an_encoding_that_does_not_exist(tmp_path):
    for name in ("latin-99", "rot13", "zip"):
        assert fail(put(tmp_path, GOOD), ConfigError, encoding=name).where == "--encoding"


def test_half_a_utf16_character(tmp_path):
    error = fail(put(tmp_path, (GOOD + "\n").encode("utf-16")[:-1]))
    assert "truncated data" in error.found


def test_utf16_without_a_mark_is_guessed(tmp_path):
    error = fail(put(tmp_path, GOOD.encode("utf-16-le")))
    assert "--encoding utf-16-le" in error.fix


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x1f\x8b\x08", "gzip-compressed data"),
        (b"PK\x03\x04", "a zip archive (or an Excel workbook)"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "binary data (a zero byte at offset 7)"),
    ],
)
def test_binary_files_are_named(tmp_path, start, kind):
    error = fail(put(tmp_path, start + bytes(range(256))))
    assert error.found == kind
    assert "JSON lines, JSON, CSV, TSV, Parquet or Arrow" in error.expected


def test_a_truncated_parquet_file(tmp_path):
    path = tmp_path / "my.parquet"
    pq.write_table(pa.table({"question": ["Q?"] * 500, "answer": ["A"] * 500}), path)
    path.write_bytes(path.read_bytes()[:-20])
    error = fail(path)
    assert error.expected == "a whole Parquet file"
    assert "after 0 rows" in error.found
    assert "copy or export it again" in error.fix


def test_a_truncated_json_list(tmp_path):
    error = fail(put(tmp_path, json.dumps([json.loads(GOOD)] * 3, indent=1)[:-2], "my.json"))
    assert error.found == (
        "line 13: the end of the file (is it cut off?) where the list should go on with ',' or end with ']'"
    )


def test_a_json_list_with_something_after_it(tmp_path):
    assert "after the end of the list" in fail(put(tmp_path, f"[{GOOD}] and more", "my.json")).found


def test_json_nested_beyond_reason(tmp_path):
    error = fail(put(tmp_path, f"{GOOD}\n" + "[" * 100_000))
    assert "line 2: JSON nested too deeply to be read" in error.found


def test_a_number_too_long_to_be_read(tmp_path):
    assert "line 2: no JSON that can be read" in fail(put(tmp_path, f"{GOOD}\n" + "1" * 5000)).found


def test_a_quote_that_is_not_closed(tmp_path):
    error = fail(put(tmp_path, 'question,answer\nQ?,A\n"R?,A\nS?,A\n', "my.csv"))
    assert error.found.startswith("line 3: unexpected end of data")


def test_a_row_with_too_many_cells(tmp_path):
    error = fail(put(tmp_path, "question,answer\nOne, two?,A\n", "my.csv"))
    assert error.found == "line 2: 3 cells where the first row has 2"
    assert "quote cells that hold a comma" in error.fix


def test_columns_of_the_same_name(tmp_path):
    error = fail(put(tmp_path, "question,answer,answer\nQ?,A,B\n", "my.csv"))
    assert error.found == "line 1: columns of the same name: 'answer'"


def test_a_folder_without_question_files(tmp_path):
    assert fail(tmp_path).found == "the folder is empty"
    put(tmp_path, "x", "README.md")
    assert fail(tmp_path).found == "no question file among 'README.md'"


def test_a_folder_whose_files_say_no_part(tmp_path):
    for name in ("one.jsonl", "two.csv"):
        put(tmp_path, GOOD, name)
    error = fail(tmp_path)
    assert error.found == "2 question files among 'one.jsonl', 'two.csv'"
    assert "rename them" in error.fix


def test_problems_of_a_folder_name_the_file(tmp_path):
    put(tmp_path, f"{GOOD}\nhello\n", "train.jsonl")
    put(tmp_path, f"{GOOD}\n{GOOD}\nbye\n", "test.jsonl")
    error = fail(tmp_path)
    assert "train.jsonl line 2: no JSON: 'hello'" in error.found
    assert "test.jsonl line 3: no JSON: 'bye'" in error.found


def test_an_unknown_dataset_names_the_nearest():
    error = fail("pararell", UnknownNameError)
    assert error.fix == "did you mean 'pararel'?"


def test_a_file_without_a_path():
    assert fail("file", ConfigError).where == "--data.path"


def test_field_names_for_a_dataset_that_has_its_own(tmp_path):
    error = fail(tmp_path, ConfigError, name="pararel", question_field="q")
    assert error.found == "question_field"


def test_nothing_left_to_train_on(tmp_path):
    error = fail(put(tmp_path, f"{GOOD}\n{GOOD}\n"))
    assert error.found == "1 distinct questions, of which 1 for test and 1 for calibration"
    assert "--data.test" in error.fix


def test_a_part_that_is_required(tmp_path):
    path = put(tmp_path, GOOD, "test.jsonl")
    with pytest.raises(DataError, match="only 1 of test"):
        load_questions(tmp_path, require=("train", "test"))
    assert path.exists()


def test_the_same_file_for_training_and_test(tmp_path):
    for name in ("train.jsonl", "test.jsonl"):
        put(tmp_path, "\n".join(json.dumps({"question": f"Q{n}?", "answer": "A"}) for n in range(30)), name)
    error = fail(tmp_path)
    assert error.found == "every question of test/id also stands in training or calibration"
    assert "--data.leaks keep" in error.fix

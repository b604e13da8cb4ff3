"""Containers, layouts and cells: whatever form questions come in, the same questions are read."""

import csv
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from demur.core.errors import DataError, UnknownNameError
from demur.datasets import DataSettings, load_questions
from demur.datasets.files.tables import value_in
from demur.datasets.layouts import LAYOUTS
from demur.datasets.loading import read_source
from demur.datasets.user_file import load_file

RIVERS = [("Which river runs through Vienna?", "Danube"), ("Which river runs through Cologne?", "Rhine")]
RIVERS += [(f"Which river runs through town {n}?", f"River {n}") for n in range(6)]
ROWS = [{"question": question, "answer": answer} for question, answer in RIVERS]


def write(path, content):
    if isinstance(content, list):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
    elif not isinstance(content, str):
        content = json.dumps(content, ensure_ascii=False)
    path.write_text(content, encoding="utf-8")
    return path


def table(path, rows, **kind):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), **kind)
        writer.writeheader()
        writer.writerows(rows)
    return path


def raw(path, **settings):
    return load_file(path, DataSettings(path=path, **settings), seed=0)


def read(path, **settings):
    return list(raw(path, **settings).questions)


def pairs(questions):
    return [(q.text, q.answers) for q in questions]


# -- containers --------------------------------------------------------------------------------

FRAME = pd.DataFrame(ROWS)
CONTAINERS = {
    "viewer": {
        "features": [],
        "rows": [{"row_idx": n, "row": r, "truncated_cells": []} for n, r in enumerate(ROWS)],
    },
    "viewer list": [{"row_idx": n, "row": r, "truncated_cells": []} for n, r in enumerate(ROWS)],
    "lists": FRAME.to_dict("list"),
    "columns": json.loads(FRAME.to_json(orient="columns")),
    "index": json.loads(FRAME.to_json(orient="index")),
    "records": json.loads(FRAME.to_json(orient="records")),
    "split": json.loads(FRAME.to_json(orient="split")),
    "table": json.loads(FRAME.to_json(orient="table")),
    "by id": {f"q-{n}": row for n, row in enumerate(ROWS)},
    "named": {"version": 1, "about": {"by": "me"}, "questions": ROWS},
    "one part": {"train": ROWS},
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_value_in_any_container_is_the_same_questions(name, indent, tmp_path):
    path = write(tmp_path / "x.json", json.dumps(CONTAINERS[name], indent=indent))
    assert pairs(read(path)) == [(question, (answer,)) for question, answer in RIVERS]


@pytest.mark.parametrize(
    "form",
    [
        lambda rows: rows,
        lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
        lambda rows: {str(n): row for n, row in enumerate(rows)},
    ],
)
def test_parts_of_one_file_are_parts(form, tmp_path):
    rows = [{**row, "id": n} for n, row in enumerate(ROWS)]  # ids that begin anew in each part
    value = {"train": form(rows), "validation": form(rows[:3]), "test": form(rows[:2]), "version": "1"}
    questions = read(write(tmp_path / "x.json", value))
    assert [q.split for q in questions] == ["train"] * 8 + ["calibration"] * 3 + ["test"] * 2
    assert len({q.id for q in questions}) == 13


def test_a_fault_in_a_part_names_the_part(tmp_path):
    value = {"train": ROWS, "test": [*ROWS, {"question": "Who?"}]}
    with pytest.raises(DataError, match=r"test record 9: the answer \(answer\) is missing"):
        read(write(tmp_path / "x.json", value))


def test_one_record_is_no_container(tmp_path):
    one = {"question": "Who?", "answers": [{"text": "Ann", "answer_start": 3}], "context": "By Ann."}
    assert pairs(read(write(tmp_path / "x.json", one))) == [("Who?", ("Ann",))]
    spans = {"question": ["Who?", "Where?"], "answers": [{"text": ["Ann"]}, {"text": ["Rome"]}]}
    assert pairs(read(write(tmp_path / "x.json", spans))) == [("Who?", ("Ann",)), ("Where?", ("Rome",))]


@pytest.mark.parametrize("form", ["file", "stream"])
def test_arrow_files_are_read(form, tmp_path):
    content = pa.Table.from_pylist(ROWS)
    new = ipc.new_file if form == "file" else ipc.new_stream
    with pa.OSFile(str(tmp_path / "rows.arrow"), "wb") as sink, new(sink, content.schema) as writer:
        writer.write_table(content)
    assert pairs(read(tmp_path / "rows.arrow")) == [(q, (a,)) for q, a in RIVERS]
    (tmp_path / "cut.arrow").write_bytes((tmp_path / "rows.arrow").read_bytes()[:-40])
    with pytest.raises(DataError, match="whole Arrow file"):
        read(tmp_path / "cut.arrow")


def test_a_folder_of_the_datasets_library_is_read(tmp_path):
    import datasets

    parts = {"train": datasets.Dataset.from_list(ROWS), "test": datasets.Dataset.from_list(ROWS[:2])}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    questions = read(tmp_path / "saved")
    assert [q.split for q in questions] == ["train"] * 8 + ["test"] * 2


@pytest.mark.parametrize("name", ["eval", "evaluation", "my_eval_set", "heldout", "dev"])
def test_a_folder_s_evaluation_file_is_tested_on(name, tmp_path):
    write(tmp_path / "train.jsonl", ROWS)
    write(tmp_path / f"{name}.jsonl", [{"question": "Who?", "answer": "Ann"}])
    assert [q.split for q in read(tmp_path)] == [*["train"] * 8, "test"] or name == "heldout"
    assert {q.text for q in read(tmp_path) if q.split == "test"} == {"Who?"}


# -- tables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n"])
@pytest.mark.parametrize("mark", ["sep={}", "SEP={}", '"sep={}"'])
def test_a_line_that_names_the_separator_is_no_header(separator, start, mark, tmp_path):
    lines = [mark.format(separator), f"question{separator}answer", f'"Who, or what?"{separator}Ann']
    path = tmp_path / "x.csv"
    path.write_text(start + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    assert pairs(read(path)) == [("Who, or what?", ("Ann",))]
    path.write_text(start + "\n".join([*lines, f"only one cell{separator * 3}"]), encoding="utf-8")
    with pytest.raises(DataError, match=f"line {4 + (start == chr(10))}: 4 cells"):
        read(path)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("{'text': ['Oslo'], 'answer_start': [3]}", {"text": ["Oslo"], "answer_start": [3]}),
        ('{"text": ["Oslo"]}', {"text": ["Oslo"]}),
        (
            "{'text': array(['Oslo', \"it's\"], dtype=object), 'answer_start': array([3, 9], dtype=int32)}",
            {"text": ["Oslo", "it's"], "answer_start": [3, 9]},
        ),
        ("[{'text': 'a'}, {'text': 'b'}]", [{"text": "a"}, {"text": "b"}]),
        ("[sic]", "[sic]"),
        ("{x}", "{x}"),
        ("['a' 'b']", ["a", "b"]),  # NumPy's print, which Python takes for a list of one
        ("['it\\'s' \"b\"\n 'c']", ["it's", "b", "c"]),
        ("('a', 'b')", ["a", "b"]),
        ("{'b', 'a'}", ["a", "b"]),
        ("(sic)", "(sic)"),
        ("('a' and b)", "('a' and b)"),
        ("plain", "plain"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_what_a_cell_holds(cell, value):
    assert value_in(cell) == value


@pytest.mark.parametrize("printed", [str, json.dumps, lambda v: str({**v, "text": v["text"]})])
def test_printed_objects_in_cells_are_answers(printed, tmp_path):
    golds = [{"text": [a, f"the {a}"], "answer_start": [1, 2]} for _, a in RIVERS]
    rows = [{"question": q, "answers": printed(g)} for (q, _), g in zip(RIVERS, golds, strict=True)]
    questions = read(table(tmp_path / "x.csv", rows))
    assert pairs(questions) == [(q, (a, f"the {a}")) for q, a in RIVERS]


@pytest.mark.parametrize("separator", [";", "|"])
def test_answers_with_separators_are_named_and_divided_where_wanted(separator, tmp_path):
    rows = [{"question": q, "answers": f"{a}{separator} the {a}"} for q, a in RIVERS]
    for path in (table(tmp_path / "x.csv", rows), write(tmp_path / "x.jsonl", rows)):
        whole = raw(path)
        assert pairs(whole.questions) == [(q, (f"{a}{separator} the {a}",)) for q, a in RIVERS]
        (note,) = (note for note in whole.notes if "--answers-separator" in note)
        assert f"'{separator}'" in note
        divided = raw(path, answers_separator=separator)
        assert pairs(divided.questions) == [(q, (a, f"the {a}")) for q, a in RIVERS]
        assert not any("--answers-separator" in note for note in divided.notes)


def test_a_few_semicolons_are_no_lists(tmp_path):
    rows = [*ROWS, {"question": "Who said it?", "answer": "Ann; nobody else"}]
    assert not any("separator" in note for note in raw(write(tmp_path / "x.jsonl", rows)).notes)


TRUE, FALSE = ("yes", "true"), ("no", "false")


@pytest.mark.parametrize(
    ("true", "false"),
    [("TRUE", "FALSE"), ("True", "False"), ("true", "false"), (True, False), (" true ", "false")],
)
def test_truth_values_are_the_same_answers_in_tables_and_json(true, false, tmp_path):
    rows = [{"question": "Is it wet?", "answer": true}, {"question": "Is it dry?", "answer": false}]
    paths = [table(tmp_path / "x.csv", rows)]
    if isinstance(true, bool):
        paths.append(write(tmp_path / "x.jsonl", rows))
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
        paths.append(tmp_path / "x.parquet")
    for path in paths:
        assert [q.answers for q in read(path)] == [TRUE, FALSE]
        assert any("truth values" in note for note in raw(path).notes)
    text = write(tmp_path / "text.jsonl", [{"question": "Which film?", "answer": "True"}])
    assert [q.answers for q in read(text)] == [("True",)]  # JSON says that this is a text


# -- SQuAD and kin -----------------------------------------------------------------------------

PASSAGE = "The mill on the Ebro was built in 1802 by Ana Roca."


def article(**more):
    asked = [
        {"id": "a", "question": "Who built it?", "answers": [{"text": "Ana Roca", "answer_start": 42}] * 2},
        {"id": "b", "question": "Who sold it?", "answers": [], "is_impossible": True},
        {"id": "c", "question": "When?", "answers": [{"text": "1802", "answer_start": 34}]},
    ]
    return {"title": "Mill", "paragraphs": [{"context": PASSAGE, "qas": asked}], **more}


SQUAD = [("Who built it?", ("Ana Roca",), True), ("Who sold it?", (), False), ("When?", ("1802",), True)]
NESTED = {
    "squad": {"version": "v2.0", "data": [article()]},
    "list of articles": [article()],
    "paragraphs": [{"context": PASSAGE, "qas": article()["paragraphs"][0]["qas"]}],
    "cmrc": [
        {
            "context_id": "1",
            "context_text": PASSAGE,
            "qas": [
                {"query_id": "a", "query_text": "Who built it?", "answers": ["Ana Roca", "Ana Roca"]},
                {"query_id": "b", "query_text": "Who sold it?", "answers": []},
                {"query_id": "c", "query_text": "When?", "answers": ["1802"]},
            ],
        }
    ],
    "mrqa": [
        {"header": {"dataset": "x", "split": "train"}},
        {
            "context": PASSAGE,
            "qas": [
                {"qid": "a", "question": "Who built it?", "answers": ["Ana Roca"]},
                {"qid": "b", "question": "Who sold it?", "answers": [], "is_impossible": True},
                {"qid": "c", "question": "When?", "answers": ["1802"]},
            ],
        },
    ],
}


@pytest.mark.parametrize("name", NESTED)
def test_passages_with_their_questions(name, tmp_path):
    value = NESTED[name]
    for path in (
        write(tmp_path / "x.json", json.dumps(value)),
        write(tmp_path / "y.json", json.dumps(value, indent=1)),
    ):
        questions = read(path)
        assert [(q.text, q.answers, q.answerable) for q in questions] == SQUAD
        assert [q.id for q in questions] == ["a", "b", "c"]
        assert {q.context for q in questions} == {PASSAGE}


@pytest.mark.parametrize(
    "form",
    [
        lambda texts: {"text": texts, "answer_start": [0] * len(texts)},
        lambda texts: [{"text": text, "answer_start": 0} for text in texts],
        lambda texts: {"text": texts, "answer_start": [0] * len(texts), "answer_end": [1] * len(texts)},
    ],
)
@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("field", ["answers", "answer", "Gold Answers"])
def test_rows_as_on_the_hub(form, suffix, field, tmp_path):
    rows = [
        {"id": str(n), "context": PASSAGE, "question": text, field: form(list(answers))}
        for n, (text, answers, _) in enumerate(SQUAD)
    ]
    path = tmp_path / f"x.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "csv":
        table(path, rows)
    else:
        write(path, rows)
    assert [(q.text, q.answers, q.answerable) for q in read(path)] == SQUAD


def test_a_row_is_not_answerable_where_it_says_so_whatever_its_answers(tmp_path):
    rows = [{"question": "Who?", "answers": {"text": ["Ann"]}, "is_impossible": no} for no in (True, False)]
    assert [q.answerable for q in read(write(tmp_path / "x.jsonl", rows))] == [False, True]


def test_a_broken_row_of_a_layout_is_named(tmp_path):
    rows = [{"question": f"Q{n}?", "answers": {"text": ["A"]}} for n in range(20)]
    rows[7] = {"question": "Q?", "answers": {"texts": ["A"]}}
    with pytest.raises(
        DataError, match=r"^where: .*\n.*\nfound: +line 8: the answer \(answers\) is an object"
    ):
        read(write(tmp_path / "x.jsonl", rows))


# -- options -----------------------------------------------------------------------------------

CITIES, LETTERS = ["Lima", "Quito", "Bogota", "Caracas"], ["A", "B", "C", "D"]


def choice_rows(labels, right):
    options = [{"text": city, "label": label} for city, label in zip(CITIES, labels, strict=True)]
    columns = {"text": CITIES, "label": labels}
    asked = "Which is the capital of Peru?"
    key = {"answerKey": labels[right]}
    return {
        "hub": {"id": "1", "question": asked, "choices": columns, **key},
        "list": {"id": "1", "question": asked, "choices": options, **key},
        "stem": {
            "id": "1",
            "question": {"stem": asked, "choices": options, "question_concept": "x"},
            **key,
        },
        "question_stem": {"id": "1", "question_stem": asked, "choices": columns, **key},
    }


@pytest.mark.parametrize("form", ["hub", "list", "stem", "question_stem"])
@pytest.mark.parametrize("labels", [LETTERS, ["1", "2", "3", "4"], ["D", "C", "B", "A"], [1, 2, 3, 4]])
@pytest.mark.parametrize("right", [0, 3])
def test_the_right_option_is_that_of_its_label(form, labels, right, tmp_path):
    row = choice_rows(labels, right)[form]
    for path in (write(tmp_path / "x.jsonl", [row]), write(tmp_path / "x.json", [row])):
        (question,) = read(path)
        assert (question.text, question.choices) == ("Which is the capital of Peru?", tuple(CITIES))
        assert question.answers == (LETTERS[right],)


def test_labelled_options_of_parquet_rows(tmp_path):
    pq.write_table(pa.Table.from_pylist([choice_rows(LETTERS, 2)["hub"]] * 3), tmp_path / "x.parquet")
    assert {q.answers for q in read(tmp_path / "x.parquet", id_field="none")} == {("C",)}


def test_options_that_are_letters_are_not_taken_for_labels(tmp_path):
    row = {
        "question": "Which note?",
        "choices": {"text": ["B", "A"], "label": ["A", "B"]},
        "answerKey": "B",
    }
    (question,) = read(write(tmp_path / "x.jsonl", [row]))
    assert question.answers == ("B",)  # the second option, whose text is A


def medmcqa(cops):
    options = dict(zip(("opa", "opb", "opc", "opd"), CITIES, strict=True))
    more = {"choice_type": "single", "exp": "because", "subject_name": "Geography", "topic_name": None}
    return [
        {"id": f"m{n}", "question": f"Q{n}?", **options, "cop": cop, **more} for n, cop in enumerate(cops)
    ]


@pytest.mark.parametrize(
    ("cops", "right"),
    [([0, 3, 1], "ADB"), ([1, 4, 2], "ADB"), (["0", "3"], "AD"), (["a", "d"], "AD"), (["B", "C"], "BC")],
)
def test_medmcqa_counts_as_its_rows_show(cops, right, tmp_path):
    path = write(tmp_path / "x.jsonl", medmcqa(cops))
    questions = read(path)
    assert [q.answers for q in questions] == [(letter,) for letter in right]
    assert questions[0].choices == tuple(CITIES)
    assert any("counts from" in note for note in raw(path).notes)


def test_a_cop_beyond_the_options_is_an_error(tmp_path):
    rows = medmcqa([0] * 1500)
    rows[1400]["cop"] = 4
    with pytest.raises(
        DataError, match="line 1401: the answer '4 \\(counted from 0\\)' is none of the 4 options"
    ):
        read(write(tmp_path / "x.jsonl", rows))


@pytest.mark.parametrize("names", [LETTERS, ["option_a", "option_b", "option_c", "option_d"]])
@pytest.mark.parametrize("gold", ["B", "Quito"])
def test_a_table_with_an_option_in_each_column(names, gold, tmp_path):
    row = {"question": "Capital of Ecuador?", **dict(zip(names, CITIES, strict=True)), "answer": gold}
    (question,) = read(table(tmp_path / "x.csv", [row]))
    assert (question.choices, question.answers) == (tuple(CITIES), ("B",))


# -- rationales, instructions, conversations ---------------------------------------------------


@pytest.mark.parametrize("gold", ["32", "2,400", "-7", "$5", "3/4"])
@pytest.mark.parametrize("end", ["", "\n", "  \n"])
@pytest.mark.parametrize("field", ["answer", "solution", "target"])
def test_the_gold_stands_behind_its_mark(gold, end, field, tmp_path):
    rows = [
        {"question": f"Q{n}?", field: f"Two and two is 4.\nSo <<2+2=4>>4.\n#### {gold}{end}"}
        for n in range(3)
    ]
    assert {q.answers for q in read(write(tmp_path / "x.jsonl", rows))} == {(gold,)}
    assert {q.answers[0].count("\n") for q in read(tmp_path / "x.jsonl", layout="plain")} == {2}


def test_a_heading_in_an_answer_is_no_mark(tmp_path):
    rows = [{"question": "How?", "answer": "#### First\nBoil it.\n#### Then\nEat it, and\nenjoy."}] * 3
    assert read(write(tmp_path / "x.jsonl", rows))[0].answers[0].startswith("#### First")


@pytest.mark.parametrize(("instruction", "given"), [("instruction", "input"), ("Instruction", "Input")])
def test_instruction_and_input_are_one_question(instruction, given, tmp_path):
    rows = [
        {instruction: "Name the capital.", given: text, "output": "x"}
        for text in ("Peru", "Chile", "", None)
    ]
    questions = read(write(tmp_path / "x.jsonl", rows))
    assert [q.text for q in questions] == [
        "Name the capital.\n\nPeru",
        "Name the capital.\n\nChile",
        *["Name the capital."] * 2,
    ]
    named = (
        read(tmp_path / "x.jsonl", question_field=given, answers_field="output") if given == "none" else []
    )
    assert named == []


def turns(*pairs, role="role", text="content"):
    return [{role: who, text: said} for who, said in pairs]


CHAT = [
    ("system", "Be brief."),
    ("user", "Hello"),
    ("assistant", "Hi"),
    ("user", "Capital of Peru?"),
    ("assistant", "Lima"),
]
SHAREGPT = [("human", "Hello"), ("gpt", "Hi"), ("human", "Capital of Peru?"), ("gpt", "Lima")]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": turns(*CHAT)},
        {"messages": turns(*CHAT[3:])},
        {"conversations": turns(*SHAREGPT, role="from", text="value")},
        {"conversations": turns(*CHAT)},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Capital of Peru?"}]},
                *turns(CHAT[4]),
            ]
        },
        {"prompt": turns(CHAT[3]), "completion": turns(CHAT[4])},
        {"input": turns(CHAT[0], CHAT[3]), "ideal": "Lima"},
        {"messages": turns(CHAT[3]), "answer": "Lima"},
        {"messages": turns(*CHAT[3:]), "answer": "Lima", "source": "x"},
    ],
)
def test_the_last_user_turn_asks_and_the_assistant_answers(row, tmp_path):
    assert pairs(read(write(tmp_path / "x.jsonl", [row, row]))) == [("Capital of Peru?", ("Lima",))] * 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_conversations_in_tables(suffix, tmp_path):
    path = tmp_path / f"x.{suffix}"
    if suffix == "csv":
        table(path, [{"id": 1, "messages": str(turns(*CHAT))}])
    else:
        pq.write_table(pa.Table.from_pylist([{"id": 1, "messages": turns(*CHAT)}]), path)
    assert pairs(read(path)) == [("Capital of Peru?", ("Lima",))]


def test_a_value_and_its_aliases(tmp_path):
    rows = [{"question": "Who?", "answer": {"value": "Ann", "aliases": ["Anne", "Ann"], "type": "x"}}]
    assert pairs(read(write(tmp_path / "x.jsonl", rows))) == [("Who?", ("Ann", "Anne"))]


# -- what layouts are not ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        [{"instruction": "Say it.", "output": "It."}],
        [{"instruction": "Say it.", "input": "", "output": "It."}],
        [{"question": "Q?", "messages": "none", "answer": "A"}],
        [{"question": "Q?", "answer": "A", "A": "x"}],
        [{"question": "Q?", "answer": "A", "choices": ["A", "B"]}],
        [{"question": "Q?", "answer": "see section ####"}],
        ROWS,
    ],
)
def test_plain_rows_have_no_layout(rows, tmp_path):
    assert not any("--layout" in note for note in raw(write(tmp_path / "x.jsonl", rows)).notes)


def test_a_layout_can_be_named_and_refused(tmp_path):
    path = write(tmp_path / "x.jsonl", [{"instruction": "Say", "input": "it", "output": "It."}])
    assert read(path, layout="alpaca")[0].text == "Say\n\nit"
    assert read(path, layout="plain")[0].text == "Say"
    with pytest.raises(UnknownNameError, match="did you mean 'alpaca'"):
        read(path, layout="alpacca")
    assert "plain" not in LAYOUTS


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Q?", "label": 1},
        {"Question": "Q?", "Answer": "A"},
        {"question": "Q?", "answer": ["A"]},
        {"question_id": 1, "question": "Q?", "answer": "A", "answerable": True},
        {"topic": "x", "question": "Q?", "answer": "A", "label": "easy"},
        {"claim": "It rains.", "label": "true", "evidence": "x"},
        {"knowledge": "K.", "question": "Q?", "right_answer": "A"},
        {"prompt": "Q?", "response": "A"},
        {"input": "Q?", "target": "A"},
        {"prompt": "Q?", "label": "A", "difficulty": 3},
    ],
)
def test_a_field_s_name_makes_no_published_dataset(row, tmp_path):
    rows = [{name: f"{v} {n}" if v == "Q?" else v for name, v in row.items()} for n in range(12)]
    for key in ("question_id",):
        rows = [{**r, key: n} if key in r else r for n, r in enumerate(rows)]
    source = read_source(DataSettings(path=write(tmp_path / "x.jsonl", rows)))
    assert source.dataset.name == "file"
    assert len(source.raw.questions) == 12
    assert not any("layout is that of" in note for note in source.raw.notes)


def test_a_published_layout_is_named_and_overrules_nothing(tmp_path):
    rows = [{"prompt": f"Q{n}?", "label": n % 2, "category": "animals"} for n in range(12)]
    path = write(tmp_path / "x.jsonl", rows)
    own = read_source(DataSettings(path=path))
    assert (own.dataset.name, own.published) == ("file", "nec")
    assert any("--name nec" in note for note in own.raw.notes)
    named = read_source(DataSettings(path=path, name="nec"))
    assert {q.split for q in named.raw.questions} == {"answerable", "unanswerable"}


def test_what_only_a_published_dataset_can_read_is_read_as_one(tmp_path):
    triples = [[f"Where is Ann {n} from?", "Rome", "P19(place of birth)"] for n in range(40)]
    path = write(tmp_path / "x.json", json.dumps(triples))
    loaded = load_questions(DataSettings(path=path, test=0, calibration=0))
    assert loaded.report.dataset == "pararel"


def test_parts_within_a_container(tmp_path):
    path = write(tmp_path / "x.json", {"data": {"train": ROWS[:5], "test": ROWS[5:]}})
    assert [q.split for q in read(path)] == ["train"] * 5 + ["test"] * 3
    assert pairs(read(write(tmp_path / "y.json", {"data": {"items": ROWS}}))) == [
        (q, (a,)) for q, a in RIVERS
    ]


@pytest.mark.parametrize("flag", ["is_impossible", "unanswerable", "is_unanswerable"])
def test_a_flag_says_that_there_is_no_answer(flag, tmp_path):
    rows = [{"question": q, "answers": [a] if n else [], flag: not n} for n, (q, a) in enumerate(RIVERS)]
    assert [q.answerable for q in read(write(tmp_path / "x.jsonl", rows))] == [False] + [True] * 7


def test_has_answer_says_that_there_is_one(tmp_path):
    rows = [
        {"question": q, "answers": [a] if n else [], "has_answer": n > 0} for n, (q, a) in enumerate(RIVERS)
    ]
    assert [q.answerable for q in read(write(tmp_path / "x.jsonl", rows))] == [False] + [True] * 7


def test_the_answer_of_a_solution_stands_in_its_box(tmp_path):
    rows = [{"problem": f"{n} + 1?", "solution": rf"It is $\boxed{{{n + 1}}}$."} for n in range(6)]
    assert [q.answers for q in read(write(tmp_path / "x.jsonl", rows))] == [(str(n + 1),) for n in range(6)]


def test_labels_of_social_iqa_count_from_one(tmp_path):
    row = {"context": "Ann left.", "answerA": "sad", "answerB": "glad", "answerC": "tired"}
    rows = [{**row, "question": f"How does {n} feel?", "label": str(n % 3 + 1)} for n in range(6)]
    questions = read(write(tmp_path / "x.jsonl", rows))
    assert [q.answers for q in questions] == [(letter,) for letter in "ABCABC"]
    assert questions[0].choices == ("sad", "glad", "tired")


def test_possible_answers_of_popqa_are_a_list_in_a_text(tmp_path):
    rows = [{"question": q, "obj": a, "possible_answers": json.dumps([a, f"the {a}"])} for q, a in RIVERS]
    assert [q.answers for q in read(write(tmp_path / "x.jsonl", rows))] == [
        (a, f"the {a}") for _, a in RIVERS
    ]


@pytest.mark.parametrize("gold", ["(B)", "B.", "B) green", "B. green", "b)"])
def test_a_gold_letter_as_tests_print_it(gold, tmp_path):
    rows = [{"question": q, "choices": ["red", "green", "blue"], "answer": gold} for q, _ in RIVERS]
    assert {q.answers for q in read(write(tmp_path / "x.jsonl", rows))} == {("B",)}


@pytest.mark.parametrize("gold", ["(E)", "B. red", "E."])
def test_a_gold_letter_that_fits_no_option_is_an_error(gold, tmp_path):
    rows = [{"question": q, "choices": ["red", "green", "blue"], "answer": gold} for q, _ in RIVERS]
    with pytest.raises(DataError, match="is none of the 3 options"):
        read(write(tmp_path / "x.jsonl", rows))

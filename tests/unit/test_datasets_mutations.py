"""Damaged files: questions or a DataError come out, never another exception, and never something half.

Each mutation is drawn from its own seed, so a failure names the seed that repeats it.
"""

import copy
import csv
import io
import json
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demur.core.errors import DataError
from demur.datasets import DataSettings, load_questions
from demur.datasets.asked import read_asked
from demur.datasets.files import Content

PER_KIND = 80

JUNK = [
    None,
    True,
    -1,
    10**30,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\u2028",
    "é",
    [],
    {},
    [[[]]],
    [None],
    {"a": {"b": [1]}},
    ["x"] * 30,
    "y" * 50_000,
    [{"text": "x"}],
]
FIELDS = ["question", "answer", "id", "split", "choices", "context", "domain", "group", "answerable"]


def rows(rng):
    """A file that is in order: each field stands in every row or in none."""
    numbered, chosen = rng.random() < 0.3, rng.random() < 0.2
    made = []
    for n in range(rng.randint(1, 12)):
        row = {
            "question": f"What is thing {rng.randint(0, 9)}?",
            "answer": rng.choice(["a", "b", ["a", "c"], 7]),
        }
        if numbered:
            row |= {"id": n, "split": rng.choice(["train", "test", "ood"]), "context": "A text."}
        if chosen:
            row |= {"choices": ["a", "b", "c", "7"], "answerable": rng.random() < 0.7}
        made.append(row)
    return made


def as_csv(data):
    records = [row for row in data if isinstance(row, dict)]
    names = sorted({str(name) for row in records for name in row})
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(names)
    for row in records:
        cells = [row.get(name, "") for name in names]
        writer.writerow([json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in cells])
    return table.getvalue()


TEXT_FORMS = {
    "jsonl": lambda data: "\n".join(map(json.dumps, data)),
    "json": json.dumps,
    "data.json": lambda data: json.dumps({"name": "x", "data": data}, indent=1),
    "csv": as_csv,
}


def truncated(rng, content):
    return content[: rng.randint(0, len(content))]


def wrong_types(rng, data):
    for row in data:
        if rng.random() < 0.5:
            row[rng.choice(FIELDS)] = rng.choice(JUNK)
    return data


def missing_fields(rng, data):
    for row in data:
        for name in list(row):
            if rng.random() < 0.3:
                del row[name]
    return data


def junk_records(rng, data):
    for _ in range(rng.randint(1, 3)):
        data.insert(rng.randint(0, len(data)), rng.choice(JUNK))
    return data


def random_bytes(rng, content):
    content = bytearray(content)
    for _ in range(rng.randint(1, 20)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def cut_pieces(rng, content):
    start = rng.randrange(len(content))
    return (
        content[:start]
        + content[start + rng.randint(1, 40) :]
        + content[start : start + rng.randint(0, 40)]
    )


def wrong_encoding(rng, content):
    text = content.decode().replace("thing", rng.choice(["chose né", "вещь", "物"]))
    return text.encode(
        rng.choice(["cp1251", "latin-1", "utf-16-le", "utf-16", "gb18030", "utf-7"]), "replace"
    )


DATA_MUTATIONS = [wrong_types, missing_fields, junk_records]
BYTE_MUTATIONS = [truncated, random_bytes, cut_pieces, wrong_encoding]


def survives(path, **changes):
    """Load; True where questions came out, False where a clear error did. Anything else is raised."""
    try:
        loaded = load_questions(DataSettings(path=path, test=0, calibration=0, leaks="keep", **changes))
    except DataError as error:
        message = str(error)
    else:
        return whole(loaded)
    assert re.match(r"(?s)where: .+\nexpected: .+\nfound: .+\nto do: ", message)
    assert len(message) < 20_000
    return False


def whole(loaded):
    assert len(loaded.questions) == loaded.report.rows > 0
    assert len({question.id for question in loaded.questions}) == len(loaded.questions)
    for question in loaded.questions:
        assert question.text.strip() == question.text != ""
        assert question.answers or not question.answerable
        question.text.encode()
    return True


@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_an_undamaged_file_is_read(tmp_path, suffix):
    for seed in range(20):
        data = rows(random.Random(seed))
        path = tmp_path / f"{seed}.{suffix}"
        path.write_text(TEXT_FORMS[suffix](data))
        assert survives(path)


@pytest.mark.parametrize("mutate", DATA_MUTATIONS + BYTE_MUTATIONS, ids=lambda f: f.__name__)
def test_a_damaged_text_file(tmp_path, mutate):
    refused = 0
    for seed in range(PER_KIND):
        rng = random.Random(f"{mutate.__name__}:{seed}")
        suffix, form = rng.choice(list(TEXT_FORMS.items()))
        data = rows(rng)
        if mutate in DATA_MUTATIONS:
            data = mutate(rng, data)
        content = form(data).encode(errors="surrogatepass")
        if mutate in BYTE_MUTATIONS:
            content = mutate(rng, content)
        path = tmp_path / f"{seed}.{suffix}"
        path.write_bytes(content)
        refused += not survives(path)
    assert refused > 0  # the damage is real


@pytest.mark.parametrize("mutate", [truncated, random_bytes, cut_pieces], ids=lambda f: f.__name__)
def test_a_damaged_parquet_file(tmp_path, mutate):
    refused = 0
    for seed in range(PER_KIND):
        rng = random.Random(f"{mutate.__name__}:parquet:{seed}")
        path = tmp_path / f"{seed}.parquet"
        questions = [f"What is thing {rng.random()}?" for _ in range(50)]
        pq.write_table(pa.table({"question": questions, "answer": [["a"]] * 50}), path)
        path.write_bytes(mutate(rng, path.read_bytes()))
        refused += not survives(path)
    assert refused > 0


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_pararel_folder(tmp_path, seed):
    rng = random.Random(f"pararel:{seed}")
    for name in ("training_data.json", "ID_test_pararel.json", "OOD_test_pararel.json"):
        data = [[f"Where is {name} {n}?", f"Town {n}", "P19(place)"] for n in range(8)]
        if rng.random() < 0.4:
            rng.choice(data)[rng.randrange(3)] = rng.choice(JUNK)
        content = json.dumps(data).encode()
        if rng.random() < 0.3:
            content = rng.choice([truncated, random_bytes, cut_pieces])(rng, content)
        (tmp_path / name).write_bytes(content)
    survives(tmp_path, name="pararel")


LAYOUTS = [
    {
        "title": "t",
        "paragraphs": [
            {"context": "C.", "qas": [{"id": "a", "question": "Q?", "answers": [{"text": "A"}]}]}
        ],
    },
    {"question": "Q?", "answers": {"text": ["A"], "answer_start": [0]}, "is_impossible": False},
    {"question": "Q?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"},
    {
        "question": {"stem": "Q?", "choices": [{"text": "a", "label": "A"}, {"text": "b", "label": "B"}]},
        "answerKey": "A",
    },
    {"question": "Q?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 1},
    {"question": "Q?", "answer": "Two.\n#### 2"},
    {"instruction": "Say", "input": "it", "output": "A"},
    {"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A"}]},
    {"question": "Q?", "answer": {"value": "A", "aliases": ["B"]}},
    {"row_idx": 0, "row": {"question": "Q?", "answer": "A"}},
    {"id": 1, "epoch": 1, "input": "Q?", "target": "A", "output": {"completion": "A"}},
    {
        "doc_id": 1,
        "doc": {"question": "Q?"},
        "target": "A",
        "resps": [["A"]],
        "filtered_resps": ["A"],
        "filter": "x",
    },
]


def nested_places(value, path=()):
    """The path of every value within a value."""
    yield path
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, held in inner:
        yield from nested_places(held, (*path, key))


def with_junk(rng, value):
    """The value with junk in one place of it."""
    path = rng.choice([path for path in nested_places(value) if path])
    held = value
    for key in path[:-1]:
        held = held[key]
    held[path[-1]] = copy.deepcopy(rng.choice(JUNK))  # or one piece of junk would come to stand in itself
    return value


@pytest.mark.parametrize("number", range(len(LAYOUTS)))
def test_damaged_rows_of_every_layout(tmp_path, number):
    refused = 0
    for seed in range(60):
        rng = random.Random(f"layout:{number}:{seed}")
        form = rng.choice(list(TEXT_FORMS))
        data = [json.loads(json.dumps(LAYOUTS[number])) for _ in range(rng.choice([1, 3, 30]))]
        for _ in range(rng.choice([0, 1, 3])):
            row = rng.randrange(len(data))
            data[row] = with_junk(rng, data[row])
        path = tmp_path / f"{seed}.{form}"
        path.write_text(TEXT_FORMS[form](data), encoding="utf-8", errors="surrogatepass")
        refused += not survives(path, id_field="none" if "id" in data[0] and rng.random() < 0.5 else None)
    assert refused > 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(FIELDS), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_values, lines=st.booleans())
def test_any_json(tmp_path, value, lines):
    path = tmp_path / "any.json"
    records = value if lines and isinstance(value, list) and value else [value]
    path.write_text("\n".join(json.dumps(record) for record in records))
    survives(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))
)
def test_any_bytes(tmp_path, content):
    path = tmp_path / "any"
    path.write_bytes(content)
    survives(path)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200) | json_values.map(json.dumps) | st.lists(json_values).map(json.dumps))
def test_any_text_is_questions_to_ask_or_a_clear_error(text):
    content = Content(Path("text"), text.encode("utf-8", "surrogatepass"))
    try:
        asked = read_asked(content)
    except DataError:
        return
    assert all(question.text.strip() == question.text != "" for question in asked)

"""Questions in columns: what goes in comes out, and every operation is that on a list of them."""

import dataclasses
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.core.errors import DataError
from demur.core.questions import CHUNK, QuestionTable, repeated
from demur.core.records import Question, read_parquet, write_parquet
from demur.datasets import DataSettings, plain, user_file
from demur.datasets.base import part_of

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
QUESTION = st.builds(
    Question,
    id=TEXT,
    text=TEXT,
    answers=st.lists(TEXT, max_size=3).map(tuple),
    choices=st.lists(TEXT, max_size=3).map(tuple),
    context=st.none() | TEXT,
    split=st.sampled_from(["train", "test", "calibration", "x/y"]),
    domain=st.sampled_from(["id", "ood"]),
    answerable=st.booleans(),
    group=st.none() | TEXT,
    meta=st.dictionaries(TEXT, st.none() | st.booleans() | TEXT | st.integers(-9, 9), max_size=2),
)
QUESTIONS = st.lists(QUESTION, max_size=12)


def ask(text="Q?", **changes):
    return Question(**{"id": text, "text": text, "answers": ("A",)} | changes)


@given(QUESTIONS)
def test_a_table_is_the_list_it_was_made_of(questions):
    table = QuestionTable.of(iter(questions))
    assert list(table) == questions
    assert (len(table), table[1:4], table[::-1]) == (len(questions), questions[1:4], questions[::-1])
    assert [table[place] for place in range(-len(table), len(table))] == questions * 2
    assert table == questions
    assert table.unanswerable == sum(not question.answerable for question in questions)
    parts = [part_of(question) for question in questions]
    codes, names = table.parts()
    assert [names[code] for code in codes] == parts
    assert names == list(dict.fromkeys(parts))  # in the order of their first question
    assert table.counts() == {part: parts.count(part) for part in names}


@given(QUESTIONS, st.randoms())
def test_choosing_and_changing_columns(questions, rng):
    table = QuestionTable.of(questions)
    mask = [rng.random() < 0.5 for _ in questions]
    kept = table.where(np.array(mask, dtype=bool))
    assert list(kept) == [question for question, keep in zip(questions, mask, strict=True) if keep]
    assert kept.counts().keys() == {part_of(question) for question in kept}  # none that is gone
    places = [rng.randrange(len(questions)) for _ in questions]
    assert list(table.take(places)) == [questions[place] for place in places]
    changed = {place: [str(place)] for place in places}
    assert [question.answers for question in table.replace_some("answers", changed)] == [
        tuple(changed.get(place, question.answers)) for place, question in enumerate(questions)
    ]
    named = table.replace("group", [question.id for question in questions])
    assert list(named) == [dataclasses.replace(question, group=question.id) for question in questions]
    assert list(QuestionTable.join([table, kept, table])) == [*questions, *kept, *questions]


@given(QUESTIONS)
def test_the_file_is_that_of_the_records(questions):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        mine, theirs = Path(folder) / "a.parquet", Path(folder) / "b.parquet"
        QuestionTable.of(questions).write(mine)
        write_parquet(theirs, questions, Question)
        assert read_parquet(mine, Question) == questions
        assert QuestionTable.read(theirs) == questions


def test_the_digest_is_that_of_the_content_however_it_is_cut():
    questions = [ask(f"Q{number}?") for number in range(2 * CHUNK + 5)]
    whole = QuestionTable.of(questions)
    pieces = QuestionTable.join([QuestionTable.of(questions[:7]), QuestionTable.of(questions[7:])])
    assert whole.digest() == pieces.digest()
    assert whole.digest() != QuestionTable.of(questions[:-1]).digest()
    assert whole.digest() != whole.replace("split", ["test"] * len(whole)).digest()


def test_a_table_without_questions():
    table = QuestionTable.of([])
    assert (list(table), table.counts(), table.parts()[1], table.unanswerable) == ([], {}, [], 0)
    assert (table.bare, table == []) == (True, True)
    with pytest.raises(IndexError):
        table[0]


@given(st.lists(st.integers(0, 5)))
def test_what_stood_before(keys):
    first, again = repeated(np.array(keys, dtype=np.int64))
    expected = [(keys.index(key), place) for place, key in enumerate(keys) if key in keys[:place]]
    assert list(zip(first.tolist(), again.tolist(), strict=True)) == expected


# -- the fast way through a plain file ---------------------------------------------------------


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Reads a file both ways; the fast one tells whether it took the file."""
    monkeypatch.setattr(plain, "SMALL", 0)
    monkeypatch.setattr(plain, "BLOCK", 300)  # several blocks in files of a few rows
    fast = plain.read_plain

    def read(content):
        path = tmp_path / "q.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        settings, taken = DataSettings(path=path), []

        def noted(*arguments):
            table = fast(*arguments)
            taken.append(table is not None)
            return table

        outcomes = []
        for way in (noted, lambda *_: None):
            monkeypatch.setattr(user_file, "read_plain", way)
            try:
                raw = user_file.load_file(path, settings, seed=0)
                outcomes.append((list(raw.questions), raw.fields, raw.notes))
            except DataError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
        return outcomes[0], any(taken)

    return read


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


PLAIN = {
    "one answer": [{"question": f"Q {n}?", "answer": f" A{n} "} for n in range(40)],
    "several answers": [
        {"question": "Ünï?", "answers": ["a", " a", "b", ""], "id": n, "group": n % 3} for n in range(30)
    ],
    "passages": [
        {"question": f"Q{n % 7}?", "answer": "A", "context": " \t" if n % 5 == 0 else f"p {n % 7}"}
        for n in range(30)
    ],
    "other fields": [{"question": f"Q{n}?", "answer": "[A]", "x": {"y": [n]}} for n in range(30)],
    "an escape": [{"question": "\u2028 \u0000 é \U0001f600?", "answer": "\\n \u00a0A\u00a0"}] * 20,
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_read_fast_and_to_the_same_questions(name, both):
    (questions, _, _), fast = both(lines(*PLAIN[name]))
    assert fast
    assert len(questions) == len(PLAIN[name])


@pytest.mark.parametrize(
    "change",
    [
        {"question": None},
        {"question": " "},
        {"question": 3},
        {"answer": None},
        {"answer": ""},
        {"answer": True},
        {"answer": 7},
        {"answer": ["A", None]},
        {"answer": []},
        {"answers": "B"},
        {"context": "Ann came."},
        {"id": "1"},
        {"question": "half \ud800 a character"},
    ],
)
def test_one_unusual_row_sends_the_file_the_slow_way(change, both):
    rows = [{"question": f"Q{n}?", "answer": "A"} for n in range(1200)]
    rows[1150] = {**rows[1150], **change}
    content = "".join(json.dumps(row) + "\n" for row in rows)
    _, fast = both(content)
    assert not fast


@pytest.mark.parametrize(
    "content",
    [
        lines(*PLAIN["one answer"]).rstrip(),
        lines(*PLAIN["one answer"]).replace("\n", "\r\n"),
        lines(*PLAIN["one answer"]).replace("\n", "\r"),
        lines(*PLAIN["one answer"]).replace("\n", "\n\n"),
        lines(*PLAIN["one answer"]).replace("}\n{", "} {", 1),
        "\ufeff" + lines(*PLAIN["one answer"]),
        lines(*PLAIN["one answer"]) + '{"question": "cut',
        lines(*PLAIN["one answer"]) + '{"question": "Q?", "question": "R?", "answer": "A"}\n',
        lines(*PLAIN["one answer"]) + '{"question": "Q?", "answer": NaN}\n',
        lines(*PLAIN["one answer"])
        + '{"question": "Q?", "answer": "A", "x": '
        + "[" * 500
        + "]" * 500
        + "}\n",
        lines(*PLAIN["one answer"]).encode() + b'{"question": "\xff", "answer": "A"}\n',
        lines(*PLAIN["one answer"]).encode("utf-16"),
        lines(*[{"question": f"Q{n}?", "answer": "1998-05-05"} for n in range(30)]),
        lines(*[{"question": f"Q{n}?", "answer": "A", "id": n % 29} for n in range(30)]),
        lines({"question": "long " * 500 + "?", "answer": "A"}, *PLAIN["one answer"]),
    ],
)
def test_whatever_stands_in_a_file_both_ways_agree(content, both):
    both(content)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_files_read_alike(seed, both):
    rng = random.Random(seed)
    content = bytearray(lines(*PLAIN[rng.choice(list(PLAIN))]).encode())
    for _ in range(rng.choice([1, 3, 30])):
        place = rng.randrange(len(content))
        content[place : place + rng.choice([0, 1, 5])] = rng.choice(
            [b"", b'"', b"\\", b"{", b"]", b"null", b"\n", b"\x80", b",", b"0", b"\\ud800"]
        )
    both(bytes(content))

"""Questions given as Python objects."""

import dataclasses

import pytest

import demur
from demur.core.errors import DataError
from demur.core.records import Question
from demur.datasets import DataSettings, given, load_questions
from demur.pocket.dataset import load as pocket_questions


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/demur/given"


def test_objects_are_read_like_the_rows_of_a_file(cache):
    rows = [{"question": f"Q{n}?", "answers": [f"A{n}", n], "split": "train"} for n in range(5)]
    loaded = load_questions(row for row in rows)
    assert [(q.text, q.answers) for q in loaded.questions][4] == ("Q4?", ("A4", "4"))
    assert load_questions(rows).report.files == loaded.report.files  # the same content, the same file
    assert len(list(cache.iterdir())) == 1


def test_questions_come_back_as_they_were_given():
    asked = [
        Question(id="1", text="Who?", answers=("Ann", "Anne"), group="people"),
        Question(id="2", text="Which?", answers=("B",), choices=("x", "y"), task="choice", split="test"),
        Question(id="3", text="Where?", answers=(), answerable=False, split="test", domain="ood"),
        Question(id="4", text="Where?", answers=("here",), context="Here it is.", task="contextual"),
    ]
    loaded = load_questions(DataSettings(path=given.save(asked), calibration=0)).questions
    assert list(loaded) == [dataclasses.replace(question, dataset="file") for question in asked]


def test_a_dataset_of_the_datasets_library_is_one_of_rows():
    import datasets

    rows = datasets.Dataset.from_dict({"question": ["a?", "b?"], "answers": [["A"], ["B", "C"]]})
    settings = DataSettings(path=given.save(rows), test=0, calibration=0)
    assert [question.answers for question in load_questions(settings).questions] == [("A",), ("B", "C")]


@pytest.mark.parametrize("row", ["Q?", ("Q?", "A"), {"question": "Q?", "answer": {1, 2}}, None])
def test_what_is_no_row_is_named_and_leaves_no_file(row, cache):
    with pytest.raises(DataError, match="row 2"):
        load_questions([{"question": "Q?", "answer": "A"}, row])
    assert not list(cache.iterdir())


def test_probing_questions_of_a_program(tmp_path):
    some = [question for question in pocket_questions() if question.answerable][:12]
    rows = [{"question": question.text, "answers": list(question.answers)} for question in some]
    probes = demur.probe(questions=rows, data={"test": 4, "calibration": 2}, out=str(tmp_path / "run"))
    assert len(probes) == 12
    assert all(probe.greedy.text for probe in probes)

"""Several datasets in one run: how each is used, what they share, ids, leaks between them, the report."""

import json

import pytest

from demur.core.config import DataSettings
from demur.datasets import load_questions


def written(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


def rows(name, count, **more):
    return [{"question": f"{name} {i}?", "answer": f"a{i}", **more} for i in range(count)]


def mixed(*entries, **settings):
    return load_questions(DataSettings.model_validate({"mixture": entries, **settings}))


def test_what_is_only_tested_on_is_tested_on_whole_where_it_has_no_test_part(tmp_path):
    first = written(tmp_path / "first.jsonl", rows("first", 20))
    second = written(tmp_path / "second.jsonl", rows("second", 10))
    loaded = mixed({"path": first}, {"path": second, "use": "test"})
    assert loaded.report.counts == {
        "file train": 14,  # 20, less a fifth for testing and a tenth for calibration
        "file test/id": 4,
        "file calibration": 2,
        "file unseen": 10,
    }


def test_of_what_is_only_tested_on_and_has_a_test_part_only_that_is_asked(tmp_path):
    first = written(tmp_path / "first.jsonl", rows("first", 20))
    second = written(tmp_path / "second.jsonl", rows("x", 5, split="train") + rows("y", 3, split="test"))
    asked = mixed({"path": first}, {"path": second, "use": "test"}).questions
    assert sorted(q.text for q in asked if q.split == "unseen") == ["y 0?", "y 1?", "y 2?"]


def test_what_is_only_trained_on_loses_nothing_to_a_test_part(tmp_path):
    first = written(tmp_path / "first.jsonl", rows("first", 20))
    second = written(tmp_path / "second.jsonl", rows("second", 10))
    asked = mixed({"path": first}, {"path": second, "use": "train"}).questions
    parts = [q.split for q in asked if q.text.startswith("second")]
    assert (parts.count("train"), parts.count("calibration"), len(parts)) == (9, 1, 10)


def test_settings_of_the_mixture_hold_for_each_dataset_that_says_nothing_else(tmp_path):
    first = written(tmp_path / "first.jsonl", rows("first", 20))
    second = written(tmp_path / "second.jsonl", rows("second", 20))
    asked = mixed({"path": first}, {"path": second, "limit": 1}, limit=3, calibration=0, test=5).questions
    assert sum(q.text.startswith("first") for q in asked) == 6  # 3 to train, 3 to test
    assert sum(q.text.startswith("second") for q in asked) == 2


def test_ids_that_two_datasets_share_are_told_apart(tmp_path):
    data = [{"id": "1", "question": f"{name}?", "answer": "a", "split": "train"} for name in "xyz"]
    paths = [written(tmp_path / f"{i}.jsonl", [row]) for i, row in enumerate(data)]
    asked = mixed(*({"path": path, "calibration": 0, "test": 0} for path in paths)).questions
    assert [q.id for q in asked] == ["1", "file/1", "file/1-2"]


def test_what_one_dataset_trains_on_and_another_tests_is_dropped_there_and_reported(tmp_path):
    first = written(tmp_path / "first.jsonl", rows("same", 4, split="train"))
    second = written(
        tmp_path / "second.jsonl", rows("same", 2, split="test") + rows("new", 3, split="test")
    )
    entries = ({"path": first, "calibration": 0}, {"path": second, "use": "test"})
    loaded = mixed(*entries)
    assert [q.text for q in loaded.questions if q.split == "unseen"] == ["new 0?", "new 1?", "new 2?"]
    assert (loaded.report.leaks.rows, loaded.report.leaks.dropped) == (2, True)
    assert len(mixed(*entries, leaks="keep").questions) == 9


def test_a_dataset_that_nothing_is_trained_on_cannot_leak_into_itself(tmp_path):
    first = written(tmp_path / "first.jsonl", rows("first", 20))
    second = written(tmp_path / "second.jsonl", rows("x", 5, split="train") + rows("x", 3, split="test"))
    asked = mixed({"path": first}, {"path": second, "use": "test"}).questions
    assert sum(q.split == "unseen" for q in asked) == 3


def test_files_of_the_same_name_are_both_in_the_report(tmp_path):
    open_ = written(tmp_path / "a" / "data.jsonl", rows("first", 20))
    claims = written(
        tmp_path / "b" / "data.jsonl", [{"claim": "It rains.", "evidence": ["Wet."], "label": "supported"}]
    )
    report = mixed({"path": open_}, {"name": "wice", "path": claims}).report
    assert set(report.files) == {"file/data.jsonl", "wice/data.jsonl"}
    assert report.dataset == "file + wice"


@pytest.mark.parametrize("setting", [{"question_field": "q"}, {"negatives": "rule"}])
def test_what_can_only_be_meant_for_one_dataset_must_stand_with_it(setting):
    with pytest.raises(ValueError, match="must stand with the dataset"):
        DataSettings.model_validate({"mixture": [{"name": "pocket"}], **setting})

"""ParaRel in R-Tuning's files: their layout, their leaks, their errors."""

import json
import os
from pathlib import Path

import pytest

from demur.core.errors import DataError
from demur.datasets import DataSettings, load_questions
from demur.datasets.pararel import FILES

SHARED = Path(os.environ.get("DEMUR_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
PUBLISHED = SHARED / "r_tuning_data" / "pararel"

needs_files = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="needs R-Tuning's ParaRel files (DEMUR_SHARED_DATA)"
)

TRAIN = [[f"Where was person {n} born?", f"Town {n}", "P19(place of birth)"] for n in range(20)]
ID_TEST = [
    ["Where was person 3 born?", "Village 3", "P19(place of birth)"],  # leaks, with another answer
    ["where was Person 4 born ?", "Town 4", "P19(place of birth)"],  # leaks, in other letters
    ["Where was person 30 born?", "Town 30", "P19(place of birth)"],
    ["Where was person 30 born?", "Village 30", "P19(place of birth)"],  # two answers, two rows
]
OOD_TEST = [["What is the capital of land 1?", "Town 1", "P36(capital)"]]


@pytest.fixture
def folder(tmp_path):
    for (name, _, _), rows in zip(FILES, (TRAIN, ID_TEST, OOD_TEST), strict=True):
        (tmp_path / name).write_text(json.dumps(rows))
    return tmp_path


def load(folder, **settings):
    return load_questions(DataSettings(name="pararel", path=folder, **settings))


def test_the_three_files_become_parts(folder):
    loaded = load(folder)
    # A tenth of 20 distinct training questions is set apart; two of the four ID test rows leak.
    assert loaded.report.counts == {"train": 18, "calibration": 2, "test/id": 2, "test/ood": 1}
    assert loaded.report.rows == 25
    last = loaded.questions[-1]
    assert (last.answers, last.group, last.domain, last.dataset) == (
        ("Town 1",),
        "P36(capital)",
        "ood",
        "pararel",
    )


def test_leaks_are_found_and_dropped_or_kept(folder):
    leaks = load(folder).report.leaks
    assert (leaks.rows, leaks.exact, leaks.questions) == (2, 1, 2)
    kept = load(folder, leaks="keep").report
    assert kept.counts["test/id"] == 4
    assert (kept.leaks.rows, kept.leaks.dropped) == (2, False)


def test_a_question_with_two_answers_is_two_questions(folder):
    rows = [q for q in load(folder).questions if q.text == "Where was person 30 born?"]
    assert [q.answers for q in rows] == [("Town 30",), ("Village 30",)]
    assert rows[1].id == f"{rows[0].id}-2"


def test_the_environment_names_the_folder(folder, monkeypatch):
    monkeypatch.setenv("PARAREL_DIR", str(folder))
    assert load(None).report.rows == 25


def fail(path):
    with pytest.raises(DataError) as caught:
        load(path)
    return caught.value


def test_no_folder_at_all(monkeypatch):
    monkeypatch.delenv("PARAREL_DIR", raising=False)
    error = fail(None)
    assert error.found == "no path, and no environment variable PARAREL_DIR"
    assert "training_data.json" in error.expected


def test_a_folder_that_is_none(folder):
    assert fail(folder / "nowhere").found == "no such folder"


def test_a_file_that_is_missing(folder):
    (folder / "OOD_test_pararel.json").unlink()
    assert fail(folder).found == "only 'ID_test_pararel.json', 'training_data.json'"


def test_every_record_that_is_no_triple_is_listed(folder):
    rows = [
        TRAIN[0],
        ["Q?", "A"],
        {"question": "Q?"},
        ["Q?", 5, "P1(x)"],
        ["Q?", " ", "P1(x)"],
        [None, "A", "P"],
    ]
    (folder / "training_data.json").write_text(json.dumps(rows))
    (folder / "ID_test_pararel.json").write_text("[]")
    assert [line.strip() for line in fail(folder).found.splitlines()] == [
        "6 problems",
        "training_data.json record 2: a list of 2, not a list of 3",
        "training_data.json record 3: an object, not a list of 3",
        "training_data.json record 4: the answer is the number 5, not a text",
        "training_data.json record 5: the answer is empty",
        "training_data.json record 6: the question is null, not a text",
        "ID_test_pararel.json: no record",
    ]


def test_a_file_without_its_name_is_read_by_its_layout(folder):
    loaded = load_questions(DataSettings(path=folder / "training_data.json", test=0, calibration=0))
    assert loaded.report.dataset == "pararel"
    assert any("read as the published dataset pararel" in note for note in loaded.report.notes)
    with pytest.raises(DataError) as caught:  # said to be the user's own, it is not taken for anything else
        load_questions(DataSettings(name="file", path=folder / "training_data.json"))
    assert "record 1: a list of 3, not an object with fields" in caught.value.found
    assert "--name pararel" in caught.value.fix


def test_a_file_that_is_cut_off(folder):
    path = folder / "training_data.json"
    path.write_text(path.read_text()[:500])
    error = fail(folder)
    assert error.found.startswith("training_data.json line 1: no JSON: ")
    assert "copy or write it again" in error.fix


@needs_files
def test_the_published_files():
    """Row counts as in the table of the sample; leaks counted apart from the loader's code."""
    files = {name: json.loads((PUBLISHED / name).read_text()) for name, _, _ in FILES}
    train, test = ({row[0] for row in files[name]} for name, _, _ in FILES[:2])
    kept = load(PUBLISHED, leaks="keep")
    assert kept.report.rows == 5575 + 2792 + 6987
    assert kept.report.counts["test/id"] == 2792
    assert kept.report.counts["test/ood"] == 6987
    assert kept.report.counts["train"] + kept.report.counts["calibration"] == 5575
    assert len(train & test) == 109
    assert len({q.group for q in kept.questions}) == 31
    clean = load(PUBLISHED)
    tested = {q.text for q in clean.questions if q.split == "test"}
    assert not tested & train
    # 146 rows to the letter, one that differs in a space before it and one in its first letter.
    assert sum(row[0] in train for row in files["ID_test_pararel.json"]) == 146
    assert clean.report.leaks.rows == 148
    assert clean.report.counts["test/id"] == 2792 - 148
    calibration = {q.text for q in clean.questions if q.split == "calibration"}
    assert not calibration & {q.text for q in clean.questions if q.split == "train"}

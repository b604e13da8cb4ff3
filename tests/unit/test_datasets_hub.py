"""Datasets of the Hub: fetched by the real library, from a folder laid out as one, then read as files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demur.core.errors import ConfigError, DataError
from demur.datasets import DATASETS, DataSettings, hub, load_questions
from demur.datasets.inspection import check_file

NQ = {
    "train": [{"question": f"train {n}?", "answer": ["A", f"A{n}"]} for n in range(12)],
    "validation": [{"question": f"valid {n}?", "answer": [f"B{n}"]} for n in range(5)],
}
TRIVIA = {
    "test": [
        {
            "question": "Who?",
            "question_source": "x",
            "answer": {"value": "Ann", "aliases": ["Ann", "Anne"], "normalized_value": "ann"},
        }
    ]
}


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """Fetches a dataset from a folder of JSON lines, in a cache of its own."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def fetch(address, parts):
        repository = tmp_path / "repository"
        repository.mkdir()
        for split, rows in parts.items():
            (repository / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        import datasets

        load = datasets.load_dataset
        monkeypatch.setattr(
            datasets,
            "load_dataset",
            lambda name, config, **options: load(str(repository), cache_dir=tmp_path / "hf"),
        )
        return hub.fetch(address)

    return fetch


def test_a_dataset_is_fetched_once_and_then_read_as_files(fetched, monkeypatch):
    folder = fetched("hub:owner/name", NQ)
    assert sorted(file.name for file in folder.iterdir()) == ["train.parquet", "validation.parquet"]
    loaded = load_questions(DataSettings(path=Path("hub:owner/name"), calibration=0))
    assert loaded.report.counts == {"train": 12, "test/id": 5}
    assert loaded.questions[1].answers == ("A", "A1")
    monkeypatch.delattr("datasets.load_dataset")  # nothing is fetched again
    assert load_questions("hub:owner/name").report.rows == 17
    assert check_file(Path("hub:owner/name"))["rows"] == 17


def test_a_published_dataset_takes_an_address_for_a_path(fetched):
    fetched("hub:owner/name:config@1.0", NQ)
    settings = DataSettings(name="nq-open", path="hub:owner/name:config@1.0", calibration=0)
    assert load_questions(settings).report.counts == {"train": 12, "test/id": 5}


def test_the_hub_s_rows_of_triviaqa(fetched):
    fetched("hub:owner/trivia", TRIVIA)
    assert check_file(Path("hub:owner/trivia"))["dataset"] == "triviaqa"
    (question,) = load_questions(DataSettings(name="triviaqa", path="hub:owner/trivia")).questions
    assert (question.text, question.answers, question.split) == ("Who?", ("Ann", "Anne"), "test")


def test_every_address_in_the_registry_is_one():
    addresses = [dataset.hub for _, dataset in DATASETS.items() if dataset.hub]
    assert len(addresses) >= 4
    assert all(map(hub._ADDRESS.fullmatch, addresses))


@pytest.mark.parametrize("address", ["hub:", "hub:a/b/c", "hub:a b", "hub:a/b:c:d", "hub:../../etc"])
def test_what_is_no_address(address):
    with pytest.raises(ConfigError, match="hub:OWNER/NAME"):
        hub.fetch(address)


def test_a_dataset_that_is_not_there_is_a_clear_error_and_leaves_nothing(fetched, tmp_path):
    (tmp_path / "cache").mkdir()
    with pytest.raises(DataError, match="check the name and the network"):
        fetched("hub:owner/none", {})
    assert not list((tmp_path / "cache").rglob("*.parquet*"))


def test_without_a_network_the_command_says_so(tmp_path):
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "demur", "data", "check", "hub:owner/none"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 2
    assert "hub:owner/none" in done.stderr
    assert "Traceback" not in done.stderr

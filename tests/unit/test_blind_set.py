"""The key of the blind test agrees with the stored rows; its tools choose and check rows as documented."""

from __future__ import annotations

import csv
import json
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import judging_blind as blind  # noqa: E402

NOWHERE = blind.Folders(Path("absent"), Path("absent"))


def lines(name: str) -> list[dict]:
    return [
        json.loads(line) for line in (blind.BLIND / name).read_text(encoding="utf-8").split("\n") if line
    ]


def row(model: str, response: str) -> blind.Row:
    return blind.Row("source", model, "file:0", "question", response, (), None, True)


def test_every_row_of_the_key_has_one_id_and_one_place():
    key = lines("key.jsonl")
    assert [entry["id"] for entry in key] == [f"b{number:04d}" for number in range(1, len(key) + 1)]
    assert len({(entry["source"], entry["place"]) for entry in key}) == len(key)


def test_the_key_holds_as_many_rows_of_each_source_and_draw_as_the_script_asks_for():
    counts = Counter((entry["source"], entry["draw"]) for entry in lines("key.jsonl"))
    wanted = {(source, "plain"): plain for source, (_, plain, _) in blind.READERS.items()}
    wanted |= {(source, "enriched"): enriched for source, (_, _, enriched) in blind.READERS.items()}
    assert counts == {name: number for name, number in wanted.items() if number}


def test_no_row_stands_in_an_earlier_test_set():
    with (ROOT / "tests/data/refusal_labels.csv").open(encoding="utf-8") as handle:
        used = {entry["id"] for entry in csv.DictReader(handle)}
    sample = [entry for entry in lines("key.jsonl") if entry["source"] == "unknownbench-sample"]
    names = {entry["place"].rsplit("/", 1)[1].replace(".json:", "/") for entry in sample}
    assert names
    assert not names & used


@pytest.mark.parametrize("name", ["own.jsonl", "authored.jsonl"])
def test_stored_responses_have_the_hash_of_the_key(name):
    stored = lines(name)
    entries = [entry for entry in lines("key.jsonl") if entry["place"].startswith(f"{name}:")]
    assert entries
    for entry in entries:
        number = int(entry["place"].split(":")[1])
        assert blind.digest(stored[number]["response"]) == entry["sha256"]


def test_every_prompt_of_the_own_models_is_stored():
    prompts = json.loads((blind.BLIND / "prompts.json").read_text(encoding="utf-8"))
    assert {entry["prompt_style"] for entry in lines("own.jsonl")} == set(prompts)


def test_spread_takes_the_same_number_of_each_model_while_there_are_rows():
    rows = [row("a", str(number)) for number in range(10)] + [row("b", "x")]
    taken = blind.spread(rows, 5, random.Random(0))
    assert Counter(taken_row.model for taken_row in taken) == {"a": 4, "b": 1}
    assert len(set(taken)) == 5


@pytest.mark.parametrize(("rows", "wanted"), [([], 3), ([row("a", "x")], 3), ([row("a", "x")], 0)])
def test_spread_takes_no_more_than_there_is_and_no_more_than_asked_for(rows, wanted):
    assert len(blind.spread(rows, wanted, random.Random(0))) == min(len(rows), wanted)


def test_texts_are_written_in_the_order_of_the_key(tmp_path):
    key = [entry for entry in lines("key.jsonl") if entry["source"] == "authored"]
    blind.texts(NOWHERE, key, tmp_path / "rows.jsonl")
    written = [
        json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [entry["id"] for entry in written] == [entry["id"] for entry in key]
    assert [blind.digest(entry["response"]) for entry in written] == [entry["sha256"] for entry in key]


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"place": "authored.jsonl:99999"}])
def test_texts_that_differ_from_the_key_stop_with_the_row(tmp_path, change):
    entry = next(entry for entry in lines("key.jsonl") if entry["source"] == "authored") | change
    with pytest.raises(SystemExit, match=f"{entry['id']}.*absent or has another text"):
        blind.texts(NOWHERE, [entry], tmp_path / "rows.jsonl")

"""The key of each blind test agrees with the stored rows; its tools choose and check rows as documented."""

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

SETS = pytest.mark.parametrize("name", blind.SETS)


def nowhere(name: str) -> blind.Folders:
    return blind.Folders(Path("absent"), Path("absent"), blind.TESTS / name)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def stored(name: str, path: str) -> list[dict]:
    """The rows of a stored file: those of two models belong to the first set, authored rows to each."""
    return lines(blind.TESTS / ("blind" if path == "own.jsonl" else name) / path)


def write(folder: Path, authored: list[tuple[str, str]]) -> blind.Folders:
    """A folder of a set with these authored questions and responses, and a key that holds them all."""
    folder.mkdir()
    rows = [{"question": q, "response": r, "answers": [], "answerable": False} for q, r in authored]
    key = [
        {
            "id": f"x{number}",
            "source": "authored",
            "place": f"authored.jsonl:{number}",
            "sha256": blind.digest(r),
        }
        for number, (_, r) in enumerate(authored)
    ]
    for name, entries in (("authored.jsonl", rows), ("key.jsonl", key)):
        (folder / name).write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return blind.Folders(Path("absent"), Path("absent"), folder)


def row(model: str, response: str) -> blind.Row:
    return blind.Row("source", model, "file:0", "question", response, (), None, True)


@SETS
def test_every_row_of_the_key_has_one_id_and_one_place(name):
    key = blind.read_key(name)
    letter = blind.SETS[name].letter
    assert [entry["id"] for entry in key] == [f"{letter}{number:04d}" for number in range(1, len(key) + 1)]
    assert len({(entry["source"], entry["place"]) for entry in key}) == len(key)


@SETS
def test_the_key_holds_as_many_rows_of_each_source_and_draw_as_the_script_asks_for(name):
    counts = Counter((entry["source"], entry["draw"]) for entry in blind.read_key(name))
    asked = blind.SETS[name].counts.items()
    wanted = {(source, "plain"): plain for source, (plain, _) in asked}
    wanted |= {(source, "enriched"): enriched for source, (_, enriched) in asked}
    assert counts == {where: number for where, number in wanted.items() if number}


@SETS
def test_no_row_stands_in_the_labelled_sample(name):
    with (ROOT / "tests/data/refusal_labels.csv").open(encoding="utf-8") as handle:
        used = {entry["id"] for entry in csv.DictReader(handle)}
    sample = [entry for entry in blind.read_key(name) if entry["source"] == "unknownbench-sample"]
    names = {entry["place"].rsplit("/", 1)[1].replace(".json:", "/") for entry in sample}
    assert names
    assert not names & used


@SETS
def test_no_row_and_no_response_stands_in_an_earlier_set(name):
    key = blind.read_key(name)
    for earlier in blind.SETS[name].after:
        old = blind.read_key(earlier)
        assert not {entry["sha256"] for entry in key} & {entry["sha256"] for entry in old}
        places = {(entry["source"], entry["place"]) for entry in old if entry["source"] != "authored"}
        assert not {(entry["source"], entry["place"]) for entry in key} & places


@SETS
def test_no_authored_question_stands_in_an_earlier_set(name):
    questions = {blind.plain_text(entry["question"]) for entry in stored(name, "authored.jsonl")}
    assert questions
    for earlier in blind.SETS[name].after:
        assert not questions & {blind.plain_text(e["question"]) for e in stored(earlier, "authored.jsonl")}


@SETS
@pytest.mark.parametrize("path", ["own.jsonl", "authored.jsonl"])
def test_stored_responses_have_the_hash_of_the_key(name, path):
    rows = stored(name, path)
    entries = [entry for entry in blind.read_key(name) if entry["place"].startswith(f"{path}:")]
    assert entries
    for entry in entries:
        number = int(entry["place"].split(":")[1])
        assert blind.digest(rows[number]["response"]) == entry["sha256"]


def test_every_prompt_of_the_own_models_is_stored():
    prompts = json.loads((blind.TESTS / "blind/prompts.json").read_text(encoding="utf-8"))
    assert {entry["prompt_style"] for entry in stored("blind", "own.jsonl")} == set(prompts)


def test_spread_takes_the_same_number_of_each_model_while_there_are_rows():
    rows = [row("a", str(number)) for number in range(10)] + [row("b", "x")]
    taken = blind.spread(rows, 5, random.Random(0))
    assert Counter(taken_row.model for taken_row in taken) == {"a": 4, "b": 1}
    assert len(set(taken)) == 5


@pytest.mark.parametrize(("rows", "wanted"), [([], 3), ([row("a", "x")], 3), ([row("a", "x")], 0)])
def test_spread_takes_no_more_than_there_is_and_no_more_than_asked_for(rows, wanted):
    assert len(blind.spread(rows, wanted, random.Random(0))) == min(len(rows), wanted)


def test_a_later_set_leaves_out_every_question_and_response_of_an_earlier_one(tmp_path, monkeypatch):
    monkeypatch.setattr(blind, "TESTS", tmp_path)
    write(tmp_path / "earlier", [("Who?", "Nobody."), ("When?", "Never.")])
    now = [
        ("who? ", "Ann."),
        ("Where?", " NEVER.\n"),
        ("Who?", "Nobody."),
        ("Why?", "Because."),
        ("How?", ""),
    ]
    folders = write(tmp_path / "later", now)
    later = blind.BlindSet("x", 1, {"authored": (0, 5)}, after=("earlier",))
    chosen = list(blind.drawn(folders, later, 1))
    assert {(drawn.question, drawn.response) for drawn, _ in chosen} == {("Why?", "Because."), ("How?", "")}
    assert {kind for _, kind in chosen} == {"enriched"}


def test_the_first_set_keeps_questions_and_responses_of_others(tmp_path):
    folders = write(tmp_path / "only", [("Who?", "Nobody."), ("When?", "Nobody."), ("Who?", "Ann.")])
    chosen = list(blind.drawn(folders, blind.BlindSet("x", 1, {"authored": (0, 5)}), 1))
    assert len(chosen) == 3


def test_the_same_seed_draws_the_same_rows_and_another_seed_others(tmp_path):
    folders = write(tmp_path / "only", [(f"Question {n}?", f"Answer {n}.") for n in range(30)])
    how = blind.BlindSet("x", 1, {"authored": (6, 6)})
    first, again, other = (list(blind.drawn(folders, how, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len({drawn for drawn, _ in first}) == 12


@SETS
def test_texts_are_written_in_the_order_of_the_key(name, tmp_path):
    key = [entry for entry in blind.read_key(name) if entry["source"] == "authored"]
    blind.texts(nowhere(name), key, tmp_path / "rows.jsonl")
    written = lines(tmp_path / "rows.jsonl")
    assert [entry["id"] for entry in written] == [entry["id"] for entry in key]
    assert [blind.digest(entry["response"]) for entry in written] == [entry["sha256"] for entry in key]


@SETS
@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"place": "authored.jsonl:99999"}])
def test_texts_that_differ_from_the_key_stop_with_the_row(name, tmp_path, change):
    entry = next(entry for entry in blind.read_key(name) if entry["source"] == "authored") | change
    with pytest.raises(SystemExit, match=f"{entry['id']}.*absent or has another text"):
        blind.texts(nowhere(name), [entry], tmp_path / "rows.jsonl")

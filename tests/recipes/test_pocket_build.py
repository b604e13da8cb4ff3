"""Building pocket models: the shipped one again, and one from facts of the user's own."""

import json

import pyarrow.parquet as pq
import pytest

from commands import run_demur, succeeded
from demur.core.records import Question
from demur.pocket import bundled_model
from demur.pocket.build import accuracy_by_reads, build_from_facts, build_model


@pytest.mark.slow
def test_rebuilding_reproduces_the_quality_of_the_shipped_model(tmp_path):
    """Same seed and recipe; another thread count or machine may round otherwise, so a margin stands."""
    shipped = json.loads((bundled_model() / "pocket.json").read_text())
    built = build_model(tmp_path / "model", seed=shipped["seed"])
    assert json.loads((tmp_path / "model/pocket.json").read_text())["settings"] == shipped["settings"]
    before = {}
    for tier in shipped["accuracy"]:
        cell = before.setdefault(tier["reads"], [0, 0])
        cell[0] += tier["correct"]
        cell[1] += tier["n"]
    for reads, accuracy in accuracy_by_reads(built.accuracy).items():
        margin = 0.12 if reads == 1 else 0.05
        assert accuracy == pytest.approx(before[reads][0] / before[reads][1], abs=margin)


def facts(n):
    """Arbitrary facts that can only be memorised: which code belongs to which box."""
    return [
        Question(id=str(i), text=f"Which code opens box {i}?", answers=(f"code{i * 7 % n}",))
        for i in range(n)
    ]


def test_facts_that_are_read_are_known_and_the_others_are_not(tmp_path):
    built = build_from_facts(facts(120), tmp_path / "m", seed=1, shares={0: 0.5, 8: 0.5}, epochs=12)
    accuracy = built.accuracy_by_reads
    assert accuracy[0] < 0.2
    assert accuracy[8] > 0.8
    table = pq.read_table(tmp_path / "m/facts.parquet").to_pylist()
    assert sorted(row["reads"] for row in table) == [0] * 60 + [8] * 60


def test_the_command_builds_from_a_file_and_says_what_it_built(tmp_path):
    rows = [{"question": q.text, "answer": q.answers[0]} for q in facts(40)]
    (tmp_path / "facts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    command = ["pocket", "build", "--facts", "facts.jsonl", "--out", "model", "--seed", "2"]
    done = succeeded(*command, cwd=tmp_path)
    assert "accuracy by reads an epoch: 0:" in done.stdout
    assert (tmp_path / "model/model.safetensors").exists()
    again = run_demur("pocket", "build", "--facts", "none.jsonl", cwd=tmp_path)
    assert again.returncode == 2
    assert "none.jsonl" in again.stderr

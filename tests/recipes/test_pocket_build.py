"""Building pocket models: the first steps of the shipped one, and one from facts of the user's own."""

import json

import pyarrow.parquet as pq
import pytest

from commands import run_demur, succeeded
from demur.core.records import Question, to_row
from demur.pocket import POCKET_MODELS, bundled_model, training
from demur.pocket.build import build_from_facts, build_model

FIRST_LOSSES = (
    7.9923, 8.0953, 7.9226, 7.7934, 7.7756, 7.6792, 8.0025, 7.6818, 7.3222, 7.2585,
    7.1861, 7.2191, 7.0997, 7.6787, 7.4658, 7.4034, 6.7839, 6.6188, 6.5612, 6.5852,
)  # fmt: skip
"""Of the first steps of the shipped model's training; `make proof-pocket` makes and compares all."""


@pytest.mark.parametrize("name", [name for name, model in POCKET_MODELS.items() if model.bundled])
def test_a_shipped_model_records_the_recipe_of_the_code(name):
    recorded, model = recorded_of(name), POCKET_MODELS[name]
    assert recorded["settings"] == as_json(model.settings)
    assert recorded["spec"].items() <= as_json(model.world).items(), "what was added since is off there"


def test_the_shipped_models_training_begins_as_it_did(tmp_path, monkeypatch):
    """Texts, their order, the tokenizer, the first weights and the optimiser are all in these figures."""
    losses, totals, recorded = [], set(), recorded_of("pocket")

    def watched(*given):
        if len(losses) == len(FIRST_LOSSES):
            raise StopIteration
        loss = original(*given)
        losses.append(loss.item())
        return loss

    original = training._loss
    monkeypatch.setattr(training, "_loss", watched)
    with pytest.raises(StopIteration):
        build_model(
            tmp_path / "model", seed=recorded["build_seed"], progress=lambda _, total: totals.add(total)
        )
    assert totals == {recorded["steps"]}
    assert losses == pytest.approx(FIRST_LOSSES, rel=1e-3), "machines round differently"


def recorded_of(name):
    return json.loads((bundled_model(name) / "pocket.json").read_text())


def as_json(settings):
    return json.loads(json.dumps(to_row(settings)))


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

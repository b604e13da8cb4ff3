"""Every method on real questions of every kind, end to end: plumbing on real text, not quality."""

import json
import os
from pathlib import Path

import pytest
import yaml

from commands import succeeded
from demur.core.config import DataSettings
from demur.core.records import Prediction, Question, read_parquet
from demur.datasets import load_questions
from demur.methods import METHODS
from demur.pocket.build import build_from_facts
from demur.pocket.training import BuildSettings
from demur.runfolder.folder import RunFolder

SHARED = Path(os.environ.get("DEMUR_SHARED_DATA") or Path(__file__).parents[3] / "shared/data")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not SHARED.is_dir(), reason="needs samples of the published datasets (DEMUR_SHARED_DATA)"
    ),
]

MIXTURE = [
    {"name": "pararel", "path": str(SHARED / "r_tuning_data/pararel"), "limit": 16},
    {"name": "mmlu", "path": str(SHARED / "r_tuning_data/MMLU"), "limit": 4},
    {"name": "hotpotqa", "path": str(SHARED / "hotpotqa"), "limit": 2},
    {
        "name": "wice",
        "path": str(SHARED / "wice/data/entailment_retrieval/claim"),
        "limit": 3,
        "use": "test",
    },
    {"name": "fever", "path": str(SHARED / "fever/paper_dev.jsonl"), "limit": 6, "use": "test"},
    {"name": "selfaware", "path": str(SHARED / "selfaware/SelfAware.json"), "limit": 6, "use": "test"},
    {"name": "halueval", "path": str(SHARED / "halueval/generation/qa"), "limit": 4, "use": "test"},
    {"name": "asqa", "path": str(SHARED / "asqa/ASQA.json"), "use": "test"},
]
# No right answer for a method that is fitted.
SYSTEMS = [name for name in METHODS.names() if not METHODS.get(name).info.fits]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("real")
    facts = load_questions(DataSettings.model_validate(MIXTURE[0])).questions
    settings = BuildSettings(layers=1, hidden_size=32, intermediate_size=64, heads=1, max_length=20_000)
    build_from_facts(facts, root / "base", epochs=2, settings=settings)
    config = {
        "out": str(root / "run"),
        "method": "r-tuning",
        "baselines": [name for name in SYSTEMS if name != "r-tuning"],
        "model": {"path": str(root / "base")},
        "data": {"mixture": MIXTURE},
        "probe": {"samples": 2},
        "knowledge": {"min_share": 0},
        "overrides": {name: {"knowledge": {"estimator": "entropy(0.5)"}} for name in SYSTEMS},
        "training": {"max_steps": 1, "batch_size": 1},
        "us_tuning": {"review_rows": 2},
        "evaluation": {"resamples": 2},
    }
    (root / "run.yaml").write_text(yaml.safe_dump(config))
    succeeded("run", root / "run.yaml")
    return RunFolder(root / "run")


def test_every_dataset_is_asked_and_reported_by_itself(folder):
    questions = read_parquet(folder.questions, Question)
    assert {question.dataset for question in questions} == {entry["name"] for entry in MIXTURE}
    splits = json.loads(folder.metrics.read_text())["metrics"]["r-tuning"]
    for split in ("pararel/id", "pararel/ood", "mmlu/id", "hotpotqa/id", "wice/unseen", "fever/unseen"):
        assert splits[split]["coverage"]["n"] > 0, split
    for split in ("selfaware/unanswerable", "halueval/unseen", "asqa/unseen"):
        assert splits[split]["refusal_rate"]["n"] > 0, split


def test_every_method_answers_all_of_them(folder):
    questions = read_parquet(folder.questions, Question)
    asked = {question.id for question in questions if question.split != "train"}
    for system in SYSTEMS:
        rows = read_parquet(folder.predictions(system), Prediction)
        assert {row.question_id for row in rows} == asked, system


def test_training_rows_hold_the_published_prompts(folder):
    rows = [json.loads(line) for line in (folder.training("vanilla") / "sft.jsonl").open()]
    prompts = [row["prompt"] for row in rows]
    assert any(
        p.startswith("The following are multiple choice questions (with answers) about") for p in prompts
    )
    assert any(p.startswith("Question: ") and p.endswith(" Answer:") for p in prompts)
    assert any(
        "\nQuestion: " in p and p.endswith("\nAnswer:") and ":" in p.partition("\n")[0] for p in prompts
    )

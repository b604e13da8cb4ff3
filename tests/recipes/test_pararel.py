"""The ParaRel protocol on the published files, end to end with a tiny model that has read some of them."""

import json
import os
from pathlib import Path

import pytest

import demur
from commands import run_demur

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("DEMUR_SHARED_DATA", ROOT.parent / "shared/data"))
PARAREL = SHARED / "r_tuning_data/pararel"

pytestmark = pytest.mark.skipif(
    not PARAREL.is_dir(),
    reason="no ParaRel files: set DEMUR_SHARED_DATA to a folder with r_tuning_data/pararel",
)


def test_the_protocol_runs_and_reports_the_leaks(tmp_path):
    """Plumbing on real text: the model has read a few facts of the training file only."""
    rows = json.loads((PARAREL / "training_data.json").read_text())[::40]
    facts = tmp_path / "facts.jsonl"
    facts.write_text("\n".join(json.dumps({"question": q, "answer": a}) for q, a, _ in rows))
    built = run_demur("pocket", "build", "--facts", facts, "--out", tmp_path / "base", "--seed", 1)
    assert built.returncode == 0, built.stderr
    given = {"model": tmp_path / "base", "data.path": PARAREL, "out": tmp_path / "run", "data.limit": 60}
    given |= {"evaluation.resamples": 20, "knowledge.min_share": 0, "training.max_steps": 4}
    flags = [text for name, value in given.items() for text in (f"--{name}", value)]
    done = run_demur("run", ROOT / "examples/pararel.yaml", *flags)
    assert done.returncode == 0, done.stderr
    assert "leaks: 148 of the rows" in done.stderr
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())["metrics"]["r-tuning"]
    assert {"id", "ood"} <= set(metrics)
    of_domain = [
        prediction
        for question, prediction in demur.open_run(tmp_path / "run").answered("r-tuning", split="test")
        if question.domain == "id"
    ]
    assert len(of_domain) == 60
    scored = [prediction for prediction in of_domain if prediction.verdict != "unscored"]
    # a text that only repeats its question has no answer, and such a small model says some
    assert metrics["id"]["accuracy"]["n"] == len(scored) >= 50

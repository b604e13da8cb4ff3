"""Every configuration that ships is loaded."""

from pathlib import Path

import pytest

from demur.core.config import load_config
from demur.pipeline.dryrun import estimate
from demur.pipeline.study import jobs, load_study
from demur.pipeline.systems import check_names
from demur.pocket import DEMO_CONFIG

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "examples").glob("study*.yaml"))
PAPERS = sorted((ROOT / "examples/papers").glob("*.yaml"))
RUNS = [path for path in sorted((ROOT / "examples").rglob("*.yaml")) if path not in STUDIES]


def test_there_are_examples():
    assert len(RUNS) >= 3
    assert STUDIES
    assert len(PAPERS) >= 10


@pytest.mark.parametrize("path", [*RUNS, DEMO_CONFIG], ids=lambda path: path.name)
def test_it_loads_and_names_only_what_exists(path):
    check_names(load_config(path))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_a_study_loads_with_every_run_in_it(path):
    study = load_study(path)
    assert len(jobs(study)) == len(study.seeds) * max(1, len(study.datasets))


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.name)
def test_a_papers_experiment_is_estimated_without_its_model_and_data(path):
    plan = estimate(load_config(path))
    assert plan["generations"] > 0
    assert plan["tokens_at_most"] > plan["generations"]
    assert all(steps > 0 for steps in plan["training_steps"].values())
    assert plan["estimated_minutes"] > 0
    assert plan["estimated_memory_gb"] > 1
    assert plan["assumed"]

"""A package of somebody else, installed: its metric, method and dataset stand wherever ours do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demur import open_run

PACKAGE = Path(__file__).parents[2] / "examples" / "plugin"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The variables of a process that has the package; the installation needs no network."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PACKAGE, folder / "source")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index")
    options = ("--no-deps", "--no-build-isolation", "--target", str(folder / "site"))
    subprocess.run([*pip, *options, str(source)], check=True, capture_output=True, text=True)
    path = os.pathsep.join(filter(None, [str(folder / "site"), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def demur(environment, *arguments):
    command = [sys.executable, "-m", "demur", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_list_names_what_the_package_adds(environment):
    for command, name in (
        (("methods",), "likelihood-cutoff"),
        (("metrics",), "error_cost"),
        (("data", "list"), "capitals"),
    ):
        listed = json.loads(demur(environment, *command, "--json"))
        assert name in [entry["name"] for entry in listed]


def test_a_run_uses_all_of_it_and_reports_it(environment, tmp_path):
    out = tmp_path / "run"
    data = ("--model", "pocket", "--data.name", "capitals", "--data.limit", "12")
    method = ("--method", "likelihood-cutoff", "--baselines", "[]", "--evaluation.resamples", "20")
    demur(environment, "run", *data, *method, "--out", out)
    cells = json.loads((out / "metrics.json").read_text())["metrics"]["likelihood-cutoff"]
    assert {question.dataset for question in open_run(out).questions} == {"capitals"}
    assert 0 <= cells["id"]["error_cost"]["value"] <= 3
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["versions"]["demur-example"] == "0.1.0"
    page = (out / "report.html").read_text()
    assert "mean cost of a question: 3 for a wrong answer, 1 for a refusal" in page
    assert "the model before tuning; declines below a likelihood of 0.8" in page
    assert "<code>error_cost</code>" in page

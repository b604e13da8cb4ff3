"""`demur report` on a finished run: the path, the browser, the tables, and what goes wrong."""

from __future__ import annotations

import json
import runpy
import webbrowser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demur.cli.main import app
from demur.core.errors import ConfigError, RunFolderError

maker = runpy.run_path(str(Path(__file__).with_name("reporting_run.py")))


@pytest.fixture
def run(tmp_path):
    return maker["make_small_run"](tmp_path / "run")


@pytest.fixture
def opened(monkeypatch):
    """Addresses that a browser was asked for; it says that it is there."""
    asked = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or True)
    return asked


def call(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_it_prints_the_path_and_opens_nothing_unasked(run, opened):
    done = call(run)
    assert done.output == f"{run / 'report.html'}\n"
    assert (run / "report.html").exists()
    assert opened == []


def test_open_gives_the_browser_the_file(run, opened):
    assert call(run, "--open").exit_code == 0
    assert opened == [(run / "report.html").resolve().as_uri()]


def test_without_a_browser_it_says_so_and_the_path_stands_there(run, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    done = call(run, "--open")
    assert done.exit_code == 0
    assert "no browser could be started" in done.output
    assert str(run / "report.html") in done.output


def test_tables_are_written_beside_it_and_named(run, tmp_path):
    found = json.loads(call(run, "--csv", tmp_path / "tables", "--json").output)
    assert found["report"] == str(run / "report.html")
    assert str(tmp_path / "tables" / "flow.csv") in found["csv"]
    assert all(Path(path).is_file() for path in found["csv"])


def test_a_folder_without_a_run_and_settings_beside_one_are_explained(run, tmp_path):
    (tmp_path / "empty").mkdir()
    error = call(tmp_path / "empty").exception
    assert isinstance(error, RunFolderError)
    assert "no manifest.json" in error.message()
    error = call(run, "--seed", "3").exception
    assert isinstance(error, ConfigError)
    assert "--seed" in error.message()
    assert isinstance(call(run, "--limit", "3").exception, ConfigError)

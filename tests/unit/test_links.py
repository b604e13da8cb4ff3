"""Links in a folder that somebody else made: nothing outside of a run is written, deleted or read."""

import json
import os
import shutil
from pathlib import Path

import pytest
from reporting_run import make_run
from typer.testing import CliRunner

from commands import run_demur, succeeded
from demur.cli.main import app
from demur.core.errors import RunFolderError
from demur.core.files import (
    atomic_folder,
    atomic_path,
    check_links,
    check_no_links,
    delete,
    open_own,
    write_text,
)
from demur.core.progress import Recorder, Silent
from demur.core.records import Knowledge, write_parquet
from demur.core.units import UnitStore
from demur.runfolder.folder import RunFolder


@pytest.fixture
def victim(tmp_path):
    """A folder with a file that must stay as it is."""
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "kept").write_text("kept")
    yield folder
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"kept": "kept"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made") / "run", people=60)


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


# -- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["kept", "new"])
def test_a_file_is_not_written_through_a_link(victim, tmp_path, target):
    (tmp_path / "a.partial").symlink_to(victim / target)
    (tmp_path / "a").symlink_to(victim / target)
    write_text(tmp_path / "a", "ours")
    assert (tmp_path / "a").read_text() == "ours"
    assert not (tmp_path / "a").is_symlink()


def test_a_folder_in_the_place_of_a_temporary_file_is_in_nobodys_way(tmp_path):
    (tmp_path / "a.partial/b").mkdir(parents=True)
    write_text(tmp_path / "a", "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_rows_are_not_written_through_a_link(victim, tmp_path):
    (tmp_path / "rows.parquet.partial").symlink_to(victim / "kept")
    write_parquet(
        tmp_path / "rows.parquet", [Knowledge(question_id="q", estimator="e", known=True)], Knowledge
    )
    assert not (tmp_path / "rows.parquet").is_symlink()


def test_a_temporary_file_is_new_before_it_is_written_to(tmp_path):
    (tmp_path / "a.partial").write_text("another's")
    with atomic_path(tmp_path / "a") as partial:
        assert partial.read_bytes() == b""


@pytest.mark.parametrize("name", ["f", "f.partial"])
def test_a_folder_is_not_written_through_a_link(victim, tmp_path, name):
    (tmp_path / name).symlink_to(victim)
    with atomic_folder(tmp_path / "f") as partial:
        (partial / "x").write_text("ours")
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["x"]
    assert not (tmp_path / "f").is_symlink()


def test_a_link_is_deleted_without_what_it_leads_to(victim, tmp_path):
    (tmp_path / "work").symlink_to(victim)
    delete(tmp_path / "work")
    assert not (tmp_path / "work").is_symlink()
    delete(tmp_path / "work")


def test_locks_and_logs_are_not_opened_through_a_link(victim, tmp_path):
    (tmp_path / "log").symlink_to(victim / "kept")
    with open_own(tmp_path / "log", "ab") as handle:
        handle.write(b"ours")
    with open_own(tmp_path / "log", "a") as handle:
        handle.write(" too")
    assert (tmp_path / "log").read_text() == "ours too"


def rows_of(part):
    return [Knowledge(question_id=str(number), estimator="e", known=True) for number in part]


def test_a_store_of_units_writes_through_no_link(victim, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("000.lock", "000-000000000-000000000.parquet.partial"):
        (folder / name).symlink_to(victim / "kept")
    store = UnitStore(folder, Knowledge, key="k")
    rows = store.run(range(2), rows_of, unit=2)
    assert [row.question_id for row in rows] == ["0", "1"]


def test_progress_and_the_lock_are_not_written_through_links_within_the_run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.work.mkdir(parents=True)
    folder.config.write_text("kept")
    folder.lock.symlink_to(folder.config)
    (folder.work / "progress.json.partial").symlink_to(folder.config)
    recorder = Recorder(Silent())
    with folder.locked():
        recorder.path = folder.progress
        recorder.stage("probe")
    assert folder.config.read_text() == "kept"
    assert json.loads(folder.progress.read_text())["stage"] == "probe"


# -- links that lead out of a run --------------------------------------------------------------------------


def test_links_within_a_run_and_links_to_a_run_are_fine(tmp_path):
    run = tmp_path / "disk/run"
    (run / "a/b").mkdir(parents=True)
    (run / "a/up").symlink_to("../a/b")
    (run / "a/absolute").symlink_to(run / "a/b")
    (tmp_path / "latest").symlink_to(run)
    (tmp_path / "mounted").symlink_to(tmp_path / "disk")
    for path in (run, tmp_path / "latest", tmp_path / "mounted/run", tmp_path / "no such folder"):
        check_links(path)


@pytest.mark.parametrize("target", ["..", "../run-2", "/etc/passwd", "/no/such/place", "a/out/../../.."])
@pytest.mark.parametrize("place", ["report.html", "a/b/c", "work"])
def test_a_link_that_leads_out_is_refused_and_named(tmp_path, place, target):
    link = tmp_path / "run" / place
    link.parent.mkdir(parents=True)
    (tmp_path / "run-2").mkdir()
    link.symlink_to(target if target.startswith("/") else tmp_path / "run" / target)
    with pytest.raises(RunFolderError, match="links that lead out") as refused:
        check_links(tmp_path / "run")
    assert str(link) in refused.value.found


PLACES = (
    "report.html.partial",
    "guarantee.json",
    "predictions/x.parquet",
    "systems",
    "systems/r-tuning/model/model.safetensors",
    "work",
    "work/lock",
    "signature.json",
)
COMMANDS = (
    ("report",),
    ("calibrate", "--max-error", "0.3"),
    ("analyse",),
    ("compare",),
    ("status",),
    ("export",),
    ("export-tasks",),
    ("ask", "--json"),
    ("tax",),
    ("card",),
    ("merge", "--out", "merged"),
    ("gguf", "--out", "x.gguf", "--converter", __file__),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("place", PLACES)
def test_every_command_refuses_a_run_with_a_link_that_leads_out(
    run, victim, tmp_path, monkeypatch, command, place
):
    monkeypatch.chdir(tmp_path)
    link = run / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(victim if "." not in place else victim / "kept")
    before = tree(tmp_path)
    done = CliRunner().invoke(app, [command[0], str(run), *command[1:]])
    assert isinstance(done.exception, RunFolderError), done.output
    assert "links that lead out" in str(done.exception)
    assert tree(tmp_path) == before


def tree(folder):
    """Everything in a folder, by name; what links lead to is not looked at."""
    every = (
        Path(parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files)
    )
    return {path: path.lstat().st_mtime_ns for path in every}


@pytest.mark.parametrize("command", [("report",), ("calibrate", "--max-error", "0.3"), ("analyse",)])
def test_temporary_files_that_are_links_within_the_run_harm_nothing(run, command):
    """Every file that these commands write, with a link to the configuration in its place."""
    kept = (run / "config.yaml").read_text()
    for name in ("report.html", "guarantee.json", "analysis.json", "analysis.md", "signature.json"):
        (run / f"{name}.partial").symlink_to("config.yaml")
    done = CliRunner().invoke(app, [command[0], str(run), *command[1:]])
    assert done.exit_code == 0, done.output
    assert (run / "config.yaml").read_text() == kept
    assert not (run / "config.yaml").is_symlink()


@pytest.mark.parametrize(
    "place", ["work", "work/lock", "predictions", "config.yaml.partial", "probe.parquet"]
)
def test_a_run_is_not_continued_in_a_folder_with_links_that_lead_out(tmp_path, victim, place):
    out = tmp_path / "run"
    command = ("probe", "--limit", "8", "--out", out)
    link = out / place
    link.parent.mkdir(parents=True)
    link.symlink_to(victim if "." not in place and place != "work/lock" else victim / "kept")
    for more in ([], ["--update"]):
        done = run_demur(*command, *more)
        assert done.returncode == 2, done.stderr
        assert "links that lead out" in done.stderr
    link.unlink()
    succeeded(*command)


# -- names that lead elsewhere -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0b"])
def test_the_name_of_a_system_leads_nowhere_else(tmp_path, name):
    folder = RunFolder(tmp_path)
    for path in (folder.training, folder.model, folder.predictions):
        with pytest.raises(RunFolderError, match="lower-case letters"):
            path(name)


def test_the_name_of_a_stage_leads_nowhere_else(run, tmp_path):
    """`demur export` names its files after the stages that the manifest lists."""
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["stages"]["build/r-tuning"] = {"stages": ["x/../../../../rows"]}
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "systems/r-tuning/training/x").mkdir(parents=True)
    (run / "rows.jsonl").write_text("")
    before = tree(tmp_path)
    done = CliRunner().invoke(app, ["export", str(run)])
    assert isinstance(done.exception, RunFolderError), done.output
    assert tree(tmp_path) == before


# -- what is shared ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("card",), ("merge", "--out", "merged"), ("gguf", "--out", "x.gguf")])
def test_a_model_folder_with_any_link_is_not_shared(run, tmp_path, monkeypatch, command):
    """Even one that stays within the run: an upload would send the file that it leads to."""
    monkeypatch.chdir(tmp_path)
    model = run / "systems/r-tuning/model"
    model.mkdir(parents=True)
    (model / "demur.json").write_text("{}")
    (model / "tokenizer.json").symlink_to("../../../config.yaml")
    more = ["--converter", __file__] if command[0] == "gguf" else []
    done = CliRunner().invoke(app, [command[0], str(run), *command[1:], *more])
    assert isinstance(done.exception, RunFolderError), done.output
    assert "a file of its own" in str(done.exception)
    assert (model / "tokenizer.json").is_symlink()
    assert not (tmp_path / "merged").exists()


def test_links_below_a_shared_folder_are_found(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    check_no_links(tmp_path)
    (tmp_path / "a/b/c").symlink_to("..")
    with pytest.raises(RunFolderError, match="a/b/c"):
        check_no_links(tmp_path)

"""Names that become files and folders: what they may be, which are taken, and what leads out of a run."""

import json
import shutil

import pytest
import yaml
from reporting_run import make_small_run
from typer.testing import CliRunner

from demur.analyse.analyse import analyse_run
from demur.ask.system import from_run
from demur.cli.main import app
from demur.compare import collect
from demur.core.config import load_config
from demur.core.errors import ConfigError, DemurError, RunFolderError, UnknownNameError
from demur.core.names import DERIVED, FIXED, LEARNED, LONGEST, is_name, suggestion
from demur.core.records import Probe, write_parquet
from demur.export.export import export_run
from demur.methods import METHODS
from demur.methods.baselines import BASELINES
from demur.pipeline.pipeline import Pipeline
from demur.pipeline.status import status
from demur.pipeline.study import load_study
from demur.pipeline.systems import check_names
from demur.report import write_report
from demur.runfolder.folder import RunFolder
from demur.share.card import write_card

BAD = (
    "../../evil", "..", ".", "", "/etc/passwd", "a/b", "a\\b", ".hidden", "R-Tuning", "ABSOLUTE", "a b",
    " a", "a\n",
    "a\x00b", "ä", "x.partial", "-flag", "_x", "a" * (LONGEST + 1), "con:", "a*", "~", "$HOME", "١",
)  # fmt: skip
GOOD = ("a", "0", "r-tuning", "absolute-0.9", "vanilla_known", "x.y", "a" * LONGEST, "partial", "a..b")


@pytest.mark.parametrize("name", BAD)
def test_what_would_lead_elsewhere_or_clash_is_no_name(name):
    assert not is_name(name)
    near = suggestion(name)
    assert near is None or is_name(near)


@pytest.mark.parametrize("name", [*GOOD, *METHODS.names(), *BASELINES])
def test_what_systems_are_called_is_a_name(name):
    assert is_name(name)


def test_the_derived_systems_are_those_that_a_run_makes():
    assert set(DERIVED) == set(BASELINES)


# -- in a configuration ---------------------------------------------------------------------------

PLACES = {
    "method": lambda name: {"method": name},
    "baselines": lambda name: {"baselines": ["vanilla", name]},
    "overrides": lambda name: {"overrides": {name: {"method": "r-tuning"}}},
    "stages": lambda name: {"stages": {name: {"epochs": 1}}},
    "overrides of stages": lambda name: {"overrides": {"vanilla": {"stages": {name: {"epochs": 1}}}}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [bad for bad in BAD if bad])
def test_a_bad_name_is_refused_before_anything_is_written(tmp_path, monkeypatch, place, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_config(None, {"out": str(tmp_path / "run"), **PLACES[place](name)})
    error = caught.value
    assert repr(name) in error.found
    assert "lower-case letters" in error.found
    assert place.partition(" ")[0] in error.found
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_close_is_suggested():
    with pytest.raises(ConfigError, match="write 'r-tuning'"):
        load_config(None, {"method": "R-Tuning"})
    with pytest.raises(ConfigError, match="write 'my-variant'"):
        load_config(None, {"overrides": {"My Variant": {"method": "r-tuning"}}})


TAKEN = (*DERIVED, "r-tuning" + LEARNED, "r-tuning" + FIXED, "mine" + LEARNED, "mine" + FIXED)


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("used", ["overrides", "method", "baselines"])
def test_a_taken_name_is_refused(tmp_path, name, used):
    settings = {
        "overrides": {"overrides": {name: {"method": "r-tuning"}}},
        "method": {"method": name},
        "baselines": {"baselines": [name]},
    }[used]
    config = load_config(None, {"out": str(tmp_path / "run"), **settings})
    with pytest.raises(ConfigError) as caught:
        Pipeline(config)
    error = caught.value
    assert error.found.startswith(repr(name))
    assert error.where == ("overrides." + name if used == "overrides" else "method, baselines")
    assert error.expected
    assert error.fix
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", METHODS.names())
def test_a_methods_name_is_no_other_methods_variant(name):
    other = "vanilla" if name != "vanilla" else "r-tuning"
    with pytest.raises(ConfigError, match=f"rename it, for instance to '{other}-variant'"):
        check_names(load_config(None, {"overrides": {name: {"method": other}}}))
    check_names(load_config(None, {"overrides": {name: {"method": name}}}))


def test_variants_by_free_names_are_taken():
    config = load_config(
        None,
        {"method": "base-2", "baselines": ["absolute-0.9"],
         "overrides": {"base-2": {"method": "r-tuning"}, "absolute-0.9": {"method": "absolute"}}},
    )  # fmt: skip
    check_names(config)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--overrides", "{base: {method: r-tuning}}", "--method", "base"],
        ["run", "--dry-run", "--overrides", "{base: {method: r-tuning}}"],
        ["run", "--method", "../../evil", "--overrides", "{../../evil: {method: r-tuning}}"],
        ["demo", "--baselines", "vanilla,../../evil"],
        ["probe", "--method", "r-tuning-fixed"],
        ["train", "--baselines", "base-likelihood"],
    ],
)
def test_the_command_line_refuses_them_and_writes_nothing(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert isinstance(done.exception, ConfigError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "settings",
    [
        {"run": {"method": "../../evil"}},
        {"run": {"overrides": {"base": {"method": "r-tuning"}}}},
        {"run": {"baselines": ["r-tuning-learned"]}},
        {"datasets": {"../../evil": {"name": "pocket"}}},
        {"datasets": {"A": {"name": "pocket"}}},
        {"datasets": {"a/b": {"name": "pocket"}}},
    ],
)
def test_a_study_refuses_them_too(tmp_path, settings):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({"out": str(tmp_path / "runs"), **settings}), "utf-8")
    with pytest.raises(ConfigError):
        load_study(path)
    assert [item.name for item in tmp_path.iterdir()] == ["study.yaml"]


# -- in a folder from elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize("name", BAD)
def test_a_run_folder_gives_no_path_for_a_bad_name(tmp_path, name):
    run = RunFolder(tmp_path)
    for path in (run.model, run.training, run.predictions, lambda n: run.rows("r-tuning", n)):
        with pytest.raises(RunFolderError) as caught:
            path(name)
        assert caught.value.found == repr(name)


EVIL = "../../../evil"


@pytest.fixture
def stranger(tmp_path):
    """A finished run whose files name a system that lies elsewhere, where there is one."""
    run = make_small_run(tmp_path / "a/b/run")
    (run / "config.yaml").write_text("method: r-tuning\nmodel: {path: pocket}\n", "utf-8")
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["systems"][EVIL] = {"primary_signal": "combined"}
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    metrics["metrics"][EVIL] = metrics["metrics"]["r-tuning"]
    (run / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    write_parquet(run / "probe.parquet", [], Probe)
    shutil.copy(run / "predictions/base.parquet", (run / "predictions" / f"{EVIL}.parquet").resolve())
    return run


@pytest.mark.parametrize(
    "use",
    [
        lambda run: write_report(run),
        lambda run: collect(run),
        lambda run: write_card(run, system=EVIL),
        lambda run: write_card(run),
        lambda run: from_run(run, EVIL, {}),
        lambda run: from_run(run, None, {}),
        lambda run: analyse_run(run, system=EVIL),
    ],
    ids=["report", "compare", "card", "card of another", "ask", "ask another", "analyse"],
)
def test_a_manifest_with_such_a_name_is_refused(stranger, use):
    before = set(stranger.parents[2].rglob("*"))
    with pytest.raises((RunFolderError, UnknownNameError)) as caught:
        use(stranger)
    assert EVIL in str(caught.value)
    assert set(stranger.parents[2].rglob("*")) == before, "nothing is written"


@pytest.mark.parametrize("command", ["ask", "card", "calibrate", "analyse"])
def test_no_command_takes_a_system_from_elsewhere(tmp_path, command):
    run = make_small_run(tmp_path / "run")
    (run / "config.yaml").write_text("method: r-tuning\nmodel: {path: pocket}\n", "utf-8")
    more = ["Q?"] if command == "ask" else []
    done = CliRunner().invoke(app, [command, str(run), *more, "--system", "../../evil"])
    assert isinstance(done.exception, UnknownNameError)


def test_training_rows_from_elsewhere_are_not_read(stranger, tmp_path):
    (tmp_path / "secret.jsonl").write_text('{"prompt": "p", "completion": "c"}\n', "utf-8")
    manifest = json.loads((stranger / "manifest.json").read_text("utf-8"))
    manifest["stages"]["build/r-tuning"] = {"stages": ["../../../../../../secret"]}
    (stranger / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(RunFolderError, match="name of a stage"):
        export_run(stranger, "trl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_progress_from_elsewhere_counts_no_other_folder(stranger):
    work, elsewhere = stranger / "work", stranger.parent / "x"
    work.mkdir()
    elsewhere.mkdir()
    shutil.copy(stranger / "predictions/base.parquet", elsewhere / "000-000000000-000000000.parquet")
    counted = {"unit": "questions", "done": 1, "total": 2, "rate": 1, "since": 0, "at": 0}
    found = {"stage": "../../x", "task": "t", **counted}
    (work / "progress.json").write_text(json.dumps(found), "utf-8")
    assert status(stranger)["current"]["stored"] is None


def test_a_strangers_configuration_is_refused_as_well(stranger):
    (stranger / "config.yaml").write_text(f"method: {EVIL}\n", "utf-8")
    with pytest.raises(DemurError, match="cannot name a system"):
        from_run(stranger, None, {})

"""One reader of finished runs: what it gives, when it reads, and that nothing else opens a run's files."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from reporting_run import make_small_run
from typer.testing import CliRunner

import demur
from demur.cli.main import app
from demur.core import layout
from demur.core.config import Config
from demur.core.errors import ModelError, RunFolderError, UnknownNameError
from demur.core.records import Prediction, Probe, Question, read_parquet
from demur.core.stored import StoredRows
from demur.runfolder.folder import RunFolder

OLD = Path(__file__).parents[1] / "data/run-0.1.0"
"""Made by version 0.1.0: `demur run` on 96 pocket questions, then `demur calibrate`. Without the page
and PEFT's README.md; metrics.json has no indentation, and the base model is named `pocket`."""
AGAIN = "demur calibrate"


@pytest.fixture
def old(tmp_path):
    return shutil.copytree(OLD, tmp_path / "run-0.1.0")


def invoked(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


# -- a run of version 0.1.0 -----------------------------------------------------------------------


def test_a_run_of_version_0_1_0_is_read_whole(old):
    run = demur.open_run(str(old))
    assert run.manifest["demur"] == "0.1.0"
    assert list(run.systems) == ["base", "r-tuning", "pretrain-w", "base-likelihood", "r-tuning-learned"]
    assert list(run.predictions) == list(run.systems)
    assert run.system("r-tuning")["primary_signal"] == "combined"
    assert isinstance(run.config, Config)
    assert (run.config.method, run.config.seed, run.config.model.path) == ("r-tuning", 0, "pocket")
    assert "method: r-tuning" in run.config_text
    assert run.questions[:] == read_parquet(old / "questions.parquet", Question)
    assert list(run.probes) == read_parquet(old / "probe.parquet", Probe)
    for system, rows in run.predictions.items():
        assert list(rows) == read_parquet(old / f"predictions/{system}.parquet", Prediction)
    assert run.metrics["metrics"]["base"]["id"]["accuracy"]["value"] == 0.75
    assert run.card("r-tuning")["method"] == "r-tuning"
    assert len(list(run.training("r-tuning", "sft"))) == 40
    assert run.path == old
    assert run.folder.report == old / "report.html"


def test_findings_of_version_0_1_0_are_refused_with_what_computes_them_again(old):
    run = demur.open_run(old)
    assert (run.guarantee, run.analysis, run.tax) == (None, None, None)
    (refused,) = run.refused.values()
    assert AGAIN in refused.sentence(old)
    assert "Demur 0.1.0 did not record that" in refused.sentence(old)
    said = invoked("report", old)
    assert said.exit_code == 0, said.output
    assert f"{AGAIN} {old} --system r-tuning --signal sure --max-error 0.6 --confidence 0.6" in said.output
    page = (old / "report.html").read_text("utf-8")
    assert "guarantee.json is not used" in page
    assert "at most 60.0%" not in page


def test_its_figures_are_compared(old, tmp_path):
    said = invoked("compare", old, "--out", tmp_path / "compared", "--json")
    assert said.exit_code == 0, said.output
    found = json.loads(said.output)
    assert found["schema_version"] == 1
    (group,) = found["datasets"].values()
    assert group["splits"]["id"]["base"]["accuracy"]["mean"] == 0.75


def test_its_base_model_answers_and_its_tuned_one_asks_to_be_calibrated_again(old):
    said = invoked("ask", old, "Where was Dora Pomash born?", "--system", "base", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["signal"] == "likelihood"
    with pytest.raises(RunFolderError, match=AGAIN):
        demur.load(old)
    with demur.load(old, threshold=0.5) as answerer:
        assert answerer.ask("Where was Dora Pomash born?").guarantee is None


def test_calibrating_it_again_is_enough(old):
    assert invoked("calibrate", old, "--max-error", 0.6, "--confidence", 0.6).exit_code == 0
    run = demur.open_run(old)
    assert run.refused == {}
    assert run.guarantee["system"] == "r-tuning"
    assert run.card("r-tuning")["guarantee"]["groups"] == run.guarantee["guarantees"]


def test_the_test_data_names_no_place_of_a_machine():
    files = [file for file in OLD.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        assert not any(place in file.read_bytes() for place in (b"/tmp/", b"/home/", b"/root", b"/work")), (
            file
        )


# -- reading --------------------------------------------------------------------------------------


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    folder = make_small_run(tmp_path / "run")
    for file in folder.rglob("*.*"):
        if file.name != "manifest.json":
            file.write_text("damaged")
    run = demur.open_run(folder)
    with pytest.raises(RunFolderError, match=r"metrics\.json"):
        _ = run.metrics
    with pytest.raises(RunFolderError, match=r"questions\.parquet"):
        _ = run.questions
    (folder / "manifest.json").write_text("damaged")
    with pytest.raises(RunFolderError, match=r"manifest\.json"):
        _ = demur.open_run(folder).predictions


def test_rows_stay_on_disk_unless_they_are_wanted_in_memory(tmp_path):
    folder = make_small_run(tmp_path / "run")
    run = demur.open_run(folder)
    assert isinstance(run.questions, StoredRows)
    assert isinstance(run.predictions["base"], StoredRows)
    held = demur.FinishedRun.open(folder, in_memory=True)
    assert isinstance(held.questions, list)
    assert held.predictions["base"] is held.predictions["base"]
    assert dict(held.predictions) == dict(run.predictions)


def test_answers_come_with_their_questions_of_one_split_or_of_all(old):
    run = demur.open_run(old)
    every = run.answered("r-tuning")
    assert [row for _, row in every] == list(run.predictions["r-tuning"])
    assert all(question.id == row.question_id for question, row in every)
    some = run.answered("r-tuning", split="calibration")
    assert some == [pair for pair in every if pair[0].split == "calibration"]
    assert some


def test_what_is_not_there_is_named(tmp_path):
    folder = make_small_run(tmp_path / "run")
    run = demur.open_run(folder)
    with pytest.raises(UnknownNameError, match="did you mean 'base'"):
        run.system("bass")
    with pytest.raises(UnknownNameError, match="did you mean 'base'"):
        _ = run.predictions["bass"]
    assert run.predictions.get("bass") is None
    assert not run.has_card("r-tuning")
    with pytest.raises(ModelError, match=r"demur\.json"):
        run.card("r-tuning")
    with pytest.raises(RunFolderError, match=r"no probe\.parquet"):
        _ = run.probes
    (folder / "metrics.json").unlink()
    with pytest.raises(RunFolderError, match=r"no metrics\.json"):
        demur.open_run(folder)
    assert demur.FinishedRun.open(folder, evaluated=False).manifest["seed"] == 0


def test_a_run_folder_with_a_link_that_leads_out_is_not_opened(tmp_path):
    folder = make_small_run(tmp_path / "run")
    (folder / "predictions/more.parquet").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="links that lead out"):
        demur.open_run(folder)


def test_settings_that_act_are_left_out_of_a_stranger_s_run_but_compared(tmp_path):
    folder = make_small_run(tmp_path / "run")
    (folder / "config.yaml").write_text("model: {path: pocket, trust_remote_code: true}\n")
    run = demur.open_run(folder)
    assert run.config.model.trust_remote_code is False
    assert run.written_config.model.trust_remote_code is True


def test_importing_demur_and_naming_the_reader_loads_nothing_heavy():
    heavy = "{'numpy', 'pydantic', 'torch'}"
    code = f"import sys, demur; 'open_run' in demur.__all__; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


# -- nobody else opens the files of a run -----------------------------------------------------------

SOURCE = Path(demur.__file__).parent
ROOT = SOURCE.parents[1]
WRITERS = ("runfolder", "pipeline")
"""Rooms that may: the reader's, and the one that writes runs."""
FILES = {
    *(layout.CONFIG, layout.MANIFEST, layout.QUESTIONS, layout.PROBE, layout.METRICS, layout.REPORT),
    *(layout.GUARANTEE, layout.ANALYSIS, layout.ANALYSIS_PAGE, layout.TAX, layout.SIGNATURE, layout.CARD),
}
FOLDERS = {layout.PREDICTIONS, layout.SYSTEMS}
READERS = {"read_parquet", "read_table", "ParquetFile", "QuestionTable.read", "StoredRows.of", "read_text"}
CONTENTS = {"config", "manifest", "questions", "probe", "metrics", "guarantee", "analysis", "tax"}
CALLED = {"predictions", "card", "rows", "training"}
"""What `RunFolder` gives a path for: as it is, and by a system."""


def modules():
    """The modules that must ask the reader: all of the package but its lowest rooms, and the benchmarks."""
    here = [
        file for file in sorted(SOURCE.rglob("*.py")) if file.relative_to(SOURCE).parts[0] not in WRITERS
    ]
    assert len(here) > 200
    return [*here, *sorted((ROOT / "benchmarks").glob("*.py"))]


EXCUSED = {
    "core/layout.py": "spells the names",
    "training/launch.py": "writes the model folder",
    "benchmarks/faults.py": "compares the files of killed runs byte by byte",
    "benchmarks/damage.py": "damages the files of runs",
    "benchmarks/damages.py": "damages the files of runs",
    "benchmarks/hostile.py": "forges the files of runs",
}


def opened(tree):
    """Places where a file of a run is named as a path or read, as (line, what)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            whole = node.value
            if whole in FILES or whole.startswith(tuple(f"{folder}/" for folder in FOLDERS)):
                yield node.lineno, whole
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            right = node.right
            if isinstance(right, ast.Constant) and right.value in FOLDERS:
                yield node.lineno, right.value
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(tuple(READERS)):
            parts = [node.func, *node.args[:1]]
            for part in (part for item in parts for part in ast.walk(item)):
                if is_path_of_a_run(part):
                    yield node.lineno, ast.unparse(node)


def is_path_of_a_run(node):
    """``RUN.questions`` or ``RUN.predictions(…)``, where RUN is a folder by its name."""
    if isinstance(node, ast.Call):
        return (
            isinstance(node.func, ast.Attribute) and node.func.attr in CALLED and is_folder(node.func.value)
        )
    return isinstance(node, ast.Attribute) and node.attr in CONTENTS and is_folder(node.value)


def is_folder(node):
    return ast.unparse(node).rpartition(".")[2] in ("folder", "run", "done", "root")


def test_only_the_run_folder_s_room_opens_the_files_of_a_run():
    found = []
    for file in modules():
        name = str(file.relative_to(SOURCE if file.is_relative_to(SOURCE) else ROOT))
        if name not in EXCUSED:
            tree = ast.parse(file.read_text("utf-8"))
            found += [f"{name}:{line}: {what}" for line, what in opened(tree)]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        'json.loads((root / "metrics.json").read_text())',
        'path = root / "predictions" / f"{system}.parquet"',
        'path = root / f"predictions/{system}.parquet"',
        'model.joinpath("demur.json")',
        "read_parquet(run.questions, Question)",
        "read_parquet(self.folder.predictions(system), Prediction)",
        'json.loads(folder.manifest.read_text(encoding="utf-8"))',
        "QuestionTable.read(self.run.questions)",
        'FILE = "guarantee.json"',
    ],
)
def test_a_private_reader_is_noticed(code):
    assert list(opened(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ['say("no metrics.json in it")', 'manifest["systems"]', "run.questions[0]", "write_text(page)"]
)
def test_what_opens_nothing_is_let_through(code):
    assert not list(opened(ast.parse(code)))


def test_a_name_in_the_layout_is_the_run_folder_s_own():
    folder = RunFolder(Path("run"))
    named = {folder.config, folder.manifest, folder.questions, folder.probe, folder.metrics, folder.report}
    named |= {folder.guarantee, folder.analysis, folder.tax, folder.card("base")}
    assert {path.name for path in named} == FILES - {layout.SIGNATURE, layout.ANALYSIS_PAGE}

"""The files of a run are those that it wrote, or it is said which are not."""

import json
import os
import random
import shutil
import signal

import pytest
from typer.testing import CliRunner

from commands import run_demur, succeeded
from demur.ask.system import from_model, from_run
from demur.cli.main import app
from demur.core.config import load_config
from demur.core.errors import DemurError, RunFolderError
from demur.core.records import Example, Knowledge, Question, read_jsonl, write_parquet
from demur.core.signing import is_signed
from demur.core.stored import StoredRows
from demur.report import write_report
from demur.runfolder import digests
from demur.runfolder.digests import read_manifest, sealed, weights_of
from demur.runfolder.finished import FinishedRun
from demur.runfolder.folder import RunFolder
from demur.runfolder.manifest import Manifest, accept, rewritten
from demur.runfolder.verify import verify

MODEL = "systems/r-tuning/model"


class Killed(BaseException):
    """In place of a kill."""


@pytest.mark.parametrize("update", [False, True])
def test_a_claim_killed_between_any_two_of_its_writes_is_taken_up(tmp_path, monkeypatch, update):
    rename = os.replace
    for kill_at in range(1, 20):
        root, count = tmp_path / str(kill_at), 0
        root.mkdir()
        config = load_config(None, {"out": root})
        if update:
            Manifest.open(root / "manifest.json", config).claim(config)
            config = load_config(None, {"out": root, "seed": 1})

        def replace(source, target, kill_at=kill_at):
            nonlocal count
            count += 1
            if count == kill_at:
                raise Killed
            rename(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", replace)
            try:
                Manifest.open(root / "manifest.json", config).claim(config)
            except Killed:
                pass
            else:
                break
        RunFolder(root).check_claim(config, update=update)
        Manifest.open(root / "manifest.json", config).claim(config)
        RunFolder(root).check_claim(config, update=False)
        assert is_signed(root)
    assert kill_at >= 3, "every write of a claim was killed once"


@pytest.fixture
def run(calibrated, tmp_path):
    """A copy of a calibrated run."""
    return shutil.copytree(calibrated, tmp_path / "run")


def flip(path, rng):
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def finished(run):
    return [file.relative_to(run).as_posix() for file in digests.finished_files(run)]


def test_every_finished_file_is_recorded_and_whole(run):
    """Also after the commands that change files of a finished run: card, calibrate, analyse, report."""
    succeeded("card", run)
    succeeded("analyse", run)
    succeeded("calibrate", run, "--max-error", "0.3")
    found = verify(run)
    assert found["whole"]
    assert found["signed"]
    assert found["counts"] == {"whole": len(finished(run)), "changed": 0, "missing": 0, "additional": 0}
    assert {f"{MODEL}/adapter_config.json", f"{MODEL}/tokenizer.json", "analysis.md"} <= found[
        "files"
    ].keys()


def test_a_single_flipped_bit_in_any_file_is_found(run, calibrated):
    """Six flips in each file, the manifest among them; digests of content, so a copy has none."""
    rng = random.Random(0)
    for name in [*finished(run), "manifest.json"]:
        for _ in range(6):
            flip(run / name, rng)
            found = verify(run)
            assert not found["whole"], name
            assert name == "manifest.json" or found["files"][name] == "changed"
            shutil.copyfile(calibrated / name, run / name)
    assert verify(run)["whole"]


READS = {
    "questions.parquet": lambda run: list(FinishedRun.open(run).questions),
    "probe.parquet": lambda run: list(FinishedRun.open(run).probes),
    "predictions/r-tuning.parquet": lambda run: FinishedRun.open(run).answered(
        "r-tuning", split="calibration"
    ),
    "metrics.json": lambda run: FinishedRun.open(run),
    "config.yaml": lambda run: FinishedRun.open(run).config,
    f"{MODEL}/demur.json": lambda run: FinishedRun.open(run).card("r-tuning"),
    f"{MODEL}/adapter_config.json": lambda run: from_run(run, None, {}),
    f"{MODEL}/adapter_model.safetensors": lambda run: from_model(run / MODEL, None, {}),
    f"{MODEL}/tokenizer.json": lambda run: from_run(run, None, {}),
    "systems/r-tuning/training/sft.jsonl": lambda run: list(
        FinishedRun.open(run).training("r-tuning", "sft")
    ),
    "predictions/base.parquet": lambda run: write_report(run),
}


@pytest.mark.parametrize("name", READS)
def test_a_changed_file_is_refused_when_it_is_read(name, run):
    rng = random.Random(name)
    READS[name](run)
    for _ in range(5):
        kept = (run / name).read_bytes()
        flip(run / name, rng)
        with pytest.raises(DemurError) as error:
            READS[name](run)
        assert name in str(error.value)
        (run / name).write_bytes(kept)
    (run / name).unlink()
    with pytest.raises(DemurError):
        READS[name](run)


def test_a_changed_promise_is_left_out_with_the_reason(run):
    guarantee = run / "guarantee.json"
    guarantee.write_text(guarantee.read_text().replace('"threshold": 0', '"threshold": 1', 1))
    opened = FinishedRun.open(run)
    assert opened.guarantee is None
    assert "changed since it was written" in opened.refused["guarantee.json"].reasons[0]


def test_verify_tells_file_by_file(run):
    (run / "probe.parquet").unlink()
    (run / "notes.txt").write_text("mine")
    flip(run / "metrics.json", random.Random(1))
    ended = run_demur("verify", run, "--json")
    assert ended.returncode == 2
    found = json.loads(ended.stdout)
    assert {name: state for name, state in found["files"].items() if state != "whole"} == {
        "probe.parquet": "missing", "notes.txt": "additional", "metrics.json": "changed",
    }  # fmt: skip
    assert (found["counts"]["whole"], found["whole"]) == (len(finished(run)) - 2, False)
    said = run_demur("verify", run)
    assert said.returncode == 2
    assert "1 changed, 1 missing, 1 additional" in said.stdout
    assert run_demur("verify", run, "--accept").returncode == 0
    assert FinishedRun.open(run, evaluated=False).manifest["files"]["notes.txt"]["bytes"] == 4
    assert is_signed(run), "a run of one's own stays one's own"


def test_a_run_of_the_first_version_has_no_digests(run):
    values = read_manifest(run / "manifest.json")
    values.pop("files"), values.pop("digest")
    (run / "manifest.json").write_text(json.dumps(values | {"schema_version": 1}))
    assert list(FinishedRun.open(run).questions)
    with pytest.raises(RunFolderError, match="--accept"):
        verify(run)
    accept(run)
    assert verify(run)["whole"]
    with pytest.raises(RunFolderError, match="no such folder"):
        verify(run / "nothing")


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values | {"seed": 7},
        lambda values: values | {"schema_version": 3},
        lambda values: {k: v for k, v in values.items() if k != "files"},
        lambda values: {k: v for k, v in values.items() if k != "digest"},
        lambda values: {k: v for k, v in values.items() if k != "schema_version"} | {"seed": 7},
        lambda values: sealed(values | {"files": {"../x": {"bytes": 1, "sha256": ""}}}),
        lambda values: sealed(values | {"files": {"/etc/passwd": {"bytes": 1, "sha256": ""}}}),
        lambda values: sealed(values | {"files": {"x": {"bytes": "1", "sha256": ""}}}),
        lambda values: sealed(values | {"stages": {"probe": 5}}),
        lambda values: sealed(values | {"systems": {"base": []}}),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(change, run):
    values = read_manifest(run / "manifest.json")
    (run / "manifest.json").write_text(json.dumps(change(values)))
    with pytest.raises(RunFolderError, match=r"manifest\.json"):
        _ = FinishedRun.open(run).manifest


def test_a_resumed_run_makes_a_damaged_file_again(run, calibrated):
    flip(run / "predictions/r-tuning.parquet", random.Random(2))
    ended = succeeded("run", run / "config.yaml", "--out", run)
    assert (
        "predict/r-tuning: carried out again, changed since: predictions/r-tuning.parquet" in ended.stderr
    )
    for name in ("predictions/r-tuning.parquet", "predictions/base.parquet", "metrics.json"):
        assert (run / name).read_bytes() == (calibrated / name).read_bytes(), name
    assert verify(run)["counts"]["changed"] == 0


def test_a_changed_model_is_neither_used_nor_thrown_away(run):
    flip(run / MODEL / "adapter_model.safetensors", random.Random(3))
    ended = run_demur("run", run / "config.yaml", "--out", run)
    assert ended.returncode == 2
    assert "--accept" in ended.stderr
    assert "adapter_model.safetensors" in ended.stderr


def test_a_configuration_changed_by_hand_needs_update(run):
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("resamples: 50", "resamples: 60"))
    ended = run_demur("run", config, "--out", run)
    assert ended.returncode == 2
    assert "changed after the run began" in ended.stderr
    assert "--update" in ended.stderr


def test_the_configuration_of_a_run_at_work_is_not_overwritten(run):
    """Another process holds the lock: an `--update` changes nothing."""
    before = {name: (run / name).read_bytes() for name in ("config.yaml", "manifest.json")}
    with RunFolder(run).locked():
        ended = run_demur("run", run / "config.yaml", "--out", run, "--update", "--seed", "9")
    assert ended.returncode == 2
    assert "another demur process" in ended.stderr
    assert {name: (run / name).read_bytes() for name in before} == before


def test_a_kill_between_output_and_manifest_leaves_no_stage_done(run):
    """Stage a writes its output and is killed; the earlier inputs must not find it done."""
    config = load_config(run / "config.yaml")
    manifest = Manifest.open(run / "manifest.json", config)
    inputs = manifest.values["stages"]["probe"]["inputs"]
    assert manifest.is_done("probe", inputs)
    child = os.fork()
    if child == 0:
        with manifest.stage("probe", "other", run / "probe.parquet"):
            (run / "probe.parquet").write_bytes(b"of another configuration")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    again = Manifest.open(run / "manifest.json", config)
    assert not again.is_done("probe", inputs)
    assert not again.is_done("probe", "other")
    assert "probe.parquet" not in again.files


def test_a_command_that_fails_while_it_rewrites_keeps_the_other_records(run):
    before = read_manifest(run / "manifest.json")["files"]
    with pytest.raises(RuntimeError), rewritten(run, run / MODEL):
        (run / MODEL / "README.md").write_text("half")
        raise RuntimeError
    after = read_manifest(run / "manifest.json")["files"]
    assert before.keys() - after.keys() == {f"{MODEL}/README.md"}
    assert is_signed(run)


def test_weights_are_compared_with_all_that_decides_what_they_say(run):
    model = run / MODEL
    known = weights_of(model)
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json"} <= known.keys()
    assert not {"README.md", "demur.json", "signature.json"} & known.keys()
    for name in known:
        kept = (model / name).read_bytes()
        flip(model / name, random.Random(name))
        assert weights_of(model) != known, name
        (model / name).write_bytes(kept)
    values = json.loads((model / "adapter_config.json").read_text())
    (model / "adapter_config.json").write_text(json.dumps(values | {"base_model_name_or_path": "./pocket"}))
    assert weights_of(model) == known, "where the base model lies is not what it is"
    (model / "adapter_config.json").write_text(json.dumps(values | {"r": 99}))
    assert weights_of(model) != known


def test_divided_weights_are_compared_as_their_index_names_them(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "model-1.safetensors").write_bytes(b"a")
    (tmp_path / "part/model-2.safetensors").write_bytes(b"b")
    index = {
        "weight_map": {"x": "model-1.safetensors", "y": "part/model-2.safetensors", "z": "../../etc/passwd"}
    }
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    known = weights_of(tmp_path)
    assert known.keys() == {
        "model-1.safetensors",
        "part/model-2.safetensors",
        "model.safetensors.index.json",
    }
    (tmp_path / "part/model-2.safetensors").write_bytes(b"c")
    assert weights_of(tmp_path) != known


# -- rows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("known", ["yes"], "column known of type string"),
        ("entropy", ["high"], "column entropy of type string"),
        ("question_id", [None], "rows without a value in question_id"),
        ("question_id", [5], "column question_id of type int64"),
    ],
)
def test_rows_of_another_shape_are_refused(column, values, found, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = Knowledge(question_id="a", estimator="greedy", known=True, entropy=0.5)
    write_parquet(tmp_path / "rows.parquet", [row], Knowledge)
    table = pq.read_table(tmp_path / "rows.parquet")
    kind = pa.string() if values == [None] else None
    changed = table.set_column(table.column_names.index(column), column, pa.array(values, kind))
    pq.write_table(changed, tmp_path / "rows.parquet")
    with pytest.raises(RunFolderError, match=found):
        list(StoredRows.of(tmp_path / "rows.parquet", Knowledge))
    pq.write_table(table.drop_columns(["estimator"]), tmp_path / "rows.parquet")
    with pytest.raises(RunFolderError, match="no column estimator"):
        list(StoredRows.of(tmp_path / "rows.parquet", Knowledge))


def test_a_column_that_other_tools_write_is_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_parquet(tmp_path / "rows.parquet", [Question(id="a", text="?", answers=("b",))], Question)
    table = pq.read_table(tmp_path / "rows.parquet")
    large = table.set_column(0, "id", table.column("id").cast(pa.large_string()))
    pq.write_table(large.append_column("more", pa.array([1])), tmp_path / "rows.parquet")
    assert StoredRows.of(tmp_path / "rows.parquet", Question)[0].answers == ("b",)


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "5", '{"prompt": "a"}', '{"prompt": 1, "completion": "b", "question_id": "c"}', "\xff"],
)
def test_a_training_row_that_is_none_is_named_by_its_line(line, tmp_path):
    good = json.dumps({"prompt": "a", "completion": "b", "question_id": "c"})
    (tmp_path / "sft.jsonl").write_text(f"{good}\n{line}\n{good}\n", "latin-1")
    with pytest.raises(RunFolderError, match="line 2"):
        list(read_jsonl(tmp_path / "sft.jsonl", Example))


def test_verify_is_in_the_help():
    assert "verify" in CliRunner().invoke(app, ["--help"]).output

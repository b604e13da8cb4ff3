"""The real command on the pocket world: the run folder, resuming, trials, and everybody's mistakes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import demur
from commands import run_demur
from conftest import FEW
from demur.confidence.combination import most_honest
from demur.core.errors import RunFolderError
from demur.core.records import Example, Prediction, Probe, Question, Verdict, read_jsonl, read_parquet
from demur.core.signing import is_signed, model_folders

SYSTEMS = {
    "base",
    "vanilla",
    "r-tuning",
    "r-tuning-learned",
    "r-tuning-fixed",
    "pretrain-w",
    "base-likelihood",
    "familiarity-only",
}
DEMO = ("demo", *FEW)


@pytest.fixture(scope="module")
def run(demo, tmp_path_factory):
    return shutil.copytree(demo, tmp_path_factory.mktemp("runs") / "demo")


@pytest.fixture(scope="module")
def said(demo):
    """What the demo printed, and what it noted."""
    return [demo.with_name(f"demo.{name}").read_text() for name in ("stdout", "stderr")]


def test_the_demo_ends_with_the_headline_and_the_report(demo, said):
    printed, noted = said
    assert "before tuning the model answered every question" in " ".join(printed.split())
    assert f"report: {demo}/report.html" in printed.replace("\n", "")
    assert "supervised" in noted, "steps, tokens and supervised tokens are said before training"


def test_the_run_folder_keeps_its_contract(run):
    out = run
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {
        "config.yaml",
        "manifest.json",
        "questions.parquet",
        "probe.parquet",
        "metrics.json",
        "report.html",
        "signature.json",
        "systems/r-tuning/training/sft.jsonl",
        "systems/r-tuning/model/demur.json",
        "systems/r-tuning/model/adapter_model.safetensors",
    } <= names
    assert {name.removesuffix(".parquet") for name in names if name.startswith("predictions/")} == {
        f"predictions/{system}" for system in SYSTEMS
    }
    assert is_signed(out)
    assert all(is_signed(model) for model in model_folders(out))
    assert not (out / "work").exists(), "leftovers go on success"
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".partial"))]


def test_the_metrics_keep_their_schema(run):
    out = run
    found = json.loads((out / "metrics.json").read_text())
    assert found["schema_version"] == 1
    assert set(found["metrics"]) == SYSTEMS
    cells = found["metrics"]["r-tuning"]
    assert {"id", "ood", "calibration", "id/uniform", "id/mixed", "pocket/nonexistent"} <= set(cells)
    assert set(cells["id"]["ap_sure"]) - {"small"} == {"value", "low", "high", "n", "unscored"}
    assert cells["id"]["ap"] == cells["id"]["ap_combined"], "combined is the primary signal"
    assert cells["pocket/nonexistent"]["auroc"]["value"] is None, "undefined is null"
    manifest = json.loads((out / "manifest.json").read_text())
    assert {"schema_version", "versions", "seed", "stages", "systems", "command"} <= set(manifest)
    assert manifest["systems"]["r-tuning"]["primary_signal"] == "combined"
    assert all(
        {"inputs", "seconds", "peak_memory_mb"} <= set(stage) for stage in manifest["stages"].values()
    )


def test_the_threshold_is_chosen_on_calibration_questions_and_stands_everywhere(run, said):
    out = run
    printed, noted = said
    manifest = json.loads((out / "manifest.json").read_text())
    found = manifest["systems"]["r-tuning"]["threshold"]
    assert (found["signal"], found["how"], found["chosen_on"]) == ("sure", "calibrated", "calibration")
    assert manifest["stages"]["predict/r-tuning"]["threshold"] == found
    assert json.loads((out / "systems/r-tuning/model/demur.json").read_text())["threshold"] == found
    assert found["value"] != 0.5
    questions = {q.id: q for q in read_parquet(out / "questions.parquet", Question)}
    rows = read_parquet(out / "predictions/r-tuning.parquet", Prediction)
    answered = [(row.signals["sure"], row.verdict) for row in rows
                if questions[row.question_id].split == "calibration"]  # fmt: skip
    assert most_honest(answered) == found["value"]
    assert found["n"] == sum(verdict in (Verdict.CORRECT, Verdict.WRONG) for _, verdict in answered)
    assert f"answers where sure is at least {found['value']:.4g}" in (out / "report.html").read_text()
    assert "r-tuning: answers where sure is at least" in " ".join(noted.split())
    assert "by the fixed rule of its paper, R-Tuning" in " ".join(printed.split())


def test_too_few_calibration_questions_leave_the_papers_rule_without_an_error(tmp_path):
    limits = ("--data.limit", "12", "--evaluation.resamples", "5", "--training.max_steps", "2")
    out = tmp_path / "r"
    done = run_demur("demo", "--out", out, *limits, "--baselines", "", "--knowledge.min_share", "0")
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "manifest.json").read_text())["systems"]["r-tuning"]["threshold"]
    assert (found["value"], found["how"], found["chosen_on"]) == (0.5, "fallback", None)
    assert "and choosing needs 10 of each" in found["reason"]
    assert "the paper's rule" in " ".join(done.stderr.split())
    assert not (out / "predictions/r-tuning-fixed.parquet").exists(), "it would be r-tuning itself"
    assert json.loads((out / "systems/r-tuning/model/demur.json").read_text())["threshold"] == found


def test_the_rows_fit_together(run):
    out = run
    questions = read_parquet(out / "questions.parquet", Question)
    probes = read_parquet(out / "probe.parquet", Probe)
    tuned = read_parquet(out / "predictions/r-tuning.parquet", Prediction)
    assert [q.id for q in questions] == [p.question_id for p in probes]
    assert [q.id for q in questions if q.split != "train"] == [p.question_id for p in tuned]
    chosen = json.loads((out / "manifest.json").read_text())["systems"]["r-tuning"]["threshold"]["value"]
    fixed = read_parquet(out / "predictions/r-tuning-fixed.parquet", Prediction)
    for rows, limit in ((tuned, chosen), (fixed, 0.5)):
        assert all(
            row.abstained == (row.silent or row.signals["sure"] < limit or row.verdict == "refused")
            for row in rows
        )
    assert [row.response for row in fixed] == [row.response for row in tuned]
    train = {q.id: p for q, p in zip(questions, probes, strict=True) if q.split == "train"}
    rows = list(read_jsonl(out / "systems/r-tuning/training/sft.jsonl", Example))
    assert {row.question_id for row in rows} == set(train), "only training questions are trained on"
    known = {key: probe.greedy_verdict is Verdict.CORRECT for key, probe in train.items()}
    assert all(row.certain == known[row.question_id] for row in rows)
    assert all(row.completion == (" sure." if row.certain else " unsure.") for row in rows)


def test_a_second_run_does_nothing_again(run):
    out = run
    before = {path: path.stat().st_mtime_ns for path in (out / "predictions").iterdir()}
    done = run_demur(*DEMO, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "probe: nothing has changed, kept" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (out / "predictions").iterdir()} == before


def test_the_finished_run_is_analysed_with_its_model(run):
    out = run
    done = run_demur("analyse", out, "--questions", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    cells = found["certain_against_uncertain"]["question_log_perplexity"]
    assert cells["certain"]["value"] > 0
    assert cells["difference"]["n"] == cells["certain"]["n"] + cells["uncertain"]["n"]
    assert [line["mark"] for line in found["sweep"]["id"]["sure"] if line["mark"]] == ["the run's"]


def test_another_configuration_is_refused_with_what_differs(run):
    out = run
    done = run_demur(*DEMO, "--out", out, "--training.epochs", "1")
    assert done.returncode == 2
    assert "training.epochs: 2.0 there, 1.0 here" in done.stderr
    assert "--update" in done.stderr


def test_update_redoes_only_what_changed(run, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(run, out)
    done = run_demur(*DEMO, "--out", out, "--r_tuning.threshold", "0.9", "--update")
    assert done.returncode == 0, done.stderr
    assert "probe: nothing has changed, kept" in done.stderr
    assert "train/r-tuning: nothing has changed, kept" in done.stderr, "no training row depends on it"
    rows = read_parquet(out / "predictions/r-tuning.parquet", Prediction)
    assert all(row.abstained == (row.signals["sure"] < 0.9 or row.verdict == "refused") for row in rows)
    card = json.loads((out / "systems/r-tuning/model/demur.json").read_text())
    assert (card["threshold"]["value"], card["threshold"]["how"]) == (0.9, "given")
    assert not (out / "predictions/r-tuning-fixed.parquet").exists(), "nothing was chosen any more"
    assert "r-tuning-fixed" not in (out / "metrics.json").read_text()
    assert "predict/r-tuning-fixed" not in json.loads((out / "manifest.json").read_text())["stages"]


def test_a_stage_alone_stops_there_and_the_library_goes_on(tmp_path):
    settings = {"data.limit": 40, "probe.samples": 2, "probe.unit": 16}
    flags = [text for name, value in settings.items() for text in (f"--{name}", value)]
    done = run_demur("probe", "--out", tmp_path / "run", *flags)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run/systems").exists()
    dotted = {"data": {"limit": 40}, "probe": {"samples": 2, "unit": 16}}
    probes = demur.probe(out=tmp_path / "run", **dotted)
    assert {len(probe.samples) for probe in probes} == {2}
    with pytest.raises(RunFolderError, match=r"probe\.samples"):
        demur.probe(out=tmp_path / "run", data={"limit": 40})


@pytest.mark.parametrize("loss", ["answer+certainty", "all"])
def test_the_other_losses_and_full_tuning_run(loss, tmp_path):
    flags = ("--data.limit", "64", "--evaluation.resamples", "10", "--training.lora", "false")
    limits = ("--training.max_steps", "3", "--baselines", "")
    done = run_demur("demo", "--out", tmp_path / "r", *flags, *limits, "--r_tuning.loss", loss)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r/systems/r-tuning/model/model.safetensors").exists()
    manifest = json.loads((tmp_path / "r/manifest.json").read_text())
    plan = manifest["stages"]["train/r-tuning"]["plan"]["sft"]
    assert plan["supervised_tokens"] > 5 * plan["rows"], "more than the label words is supervised"


def test_a_dry_run_counts_and_writes_nothing(tmp_path):
    done = run_demur("run", "--dry-run", "--json", "--limit", "50", "--out", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "trying the model on a few training questions (about half a minute for a small one)"
    ], "bars and warnings of other libraries are kept away"
    plan = json.loads(done.stdout)
    # 50 of each of train, calibration, test/id, test/ood, nonexistent, false-premise; base and two methods,
    # which are not asked the 50 that they learn from
    assert (plan["questions"], plan["generations"]) == (300, 300 + 2 * 250)
    assert plan["model_parameters"] == 766_592, "shared embeddings count once"
    assert plan["training_steps"] == {"vanilla": 13, "r-tuning": 13}, "ceil(50 / 4)"
    assert not list(tmp_path.iterdir())


def test_init_writes_a_configuration_that_loads_and_runs(tmp_path):
    rows = [{"question": f"Question {i}?", "answer": str(i)} for i in range(40)]
    (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = run_demur("init", "qa.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load((tmp_path / "demur.yaml").read_text())
    assert config["data"]["path"] == "qa.jsonl"
    assert run_demur("init", "qa.jsonl", cwd=tmp_path).returncode == 2, "nothing is written over"
    # A pocket model knows none of these: the run stops with examples instead of training on one side.
    done = run_demur("run", "demur.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "knows 0 of" in done.stderr
    assert done.stderr.count("accepted") >= 5


def test_the_doctor_says_what_is_here():
    found = json.loads(run_demur("doctor", "--json").stdout)
    assert found["demur"] == demur.__version__
    assert "cpu" in found["devices"]
    assert found["missing"] == {}
    assert "nothing is missing" in run_demur("doctor").stdout


def files(folder: Path):
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "none.yaml"], "No such file"),
        (["run", "--data", "none.jsonl"], "none.jsonl"),
        (["run", "--data", "bad.jsonl"], "line 2"),
        (["run", "--data", "fields.jsonl"], "'ask'"),
        (["run", "--data", "empty.jsonl"], "at least one question"),
        (["run", "--data", "ids.jsonl"], "already used in line 1"),
        (["run", "--model", "pocket", "--method", "r-tunig"], "did you mean 'r-tuning'"),
        (["run", "--data.name", "pararell"], "did you mean 'pararel'"),
        (["run", "--model", "pocket", "--judge.rule", "contain"], "did you mean 'contains'"),
        (["run", "--model", "pocket", "--knowledge.estimator", "greed"], "did you mean 'greedy'"),
        (["run", "--training.epocs", "3"], "did you mean 'training.epochs'"),
        (["run", "--training.epochs", "many"], "training.epochs"),
        (["run", "--training.epochs"], "a value after --training.epochs"),
        (["run", "a.yaml", "b.yaml"], "'b.yaml'"),
        (["run", "--data", "ok.jsonl", "--model", "folder"], "folder"),
        (["run", "--data", "ok.jsonl", "--model", "nobody/no-model"], "nobody/no-model"),
        (["run", "--out", "full"], "an empty folder or the folder of a run"),
        (["run", "--template.prompt", "Answer:"], "{question}"),
    ],
)
def test_mistakes_are_a_message_and_exit_code_2(arguments, message, tmp_path):
    row = json.dumps({"id": 1, "question": "Where?", "answer": "there"})
    for name, text in {
        "bad.jsonl": f"{row}\nnot json\n",
        "fields.jsonl": '{"ask": "Where?", "say": "there"}\n',
        "empty.jsonl": "",
        "ids.jsonl": f"{row}\n" + row.replace("1", "2") + f"\n{row}\n",
        "ok.jsonl": "\n".join(row.replace("Where", f"Where {i}").replace("1,", f"{i},") for i in range(30)),
        "folder/config.json": '{"model_type": "llama"}',
        "full/precious.txt": "mine",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = files(tmp_path)
    done = run_demur(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in ("expected:", "found:", "to do:"))
    assert files(tmp_path) == before, "nothing half-written"


def test_help_and_import_stay_light():
    heavy = "('torch', 'transformers', 'pydantic', 'numpy')"
    script = f"import sys, demur, demur.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "--training.epochs" in run_demur("run", "--help").stdout
    assert run_demur("--version").stdout.strip() == f"demur {demur.__version__}"

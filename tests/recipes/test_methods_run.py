"""Every method through the real command: rows, training, asking, comparing; a killed study goes on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from commands import run_demur, succeeded
from demur.compare import collect
from demur.core.records import Prediction, Question, Verdict, read_parquet
from demur.export import EXPORTS
from demur.methods import METHODS
from demur.pocket import bundled_model
from demur.pocket.world import make_world
from demur.runfolder.folder import RunFolder

OPEN = [name for name in METHODS.names() if not name.startswith("us-tuning")]
RUN = {
    "method": "demur",
    "baselines": [name for name in OPEN if name != "demur"],
    "model": {"path": "pocket-2"},
    "data": {"name": "pocket-2", "limit": 56},
    "probe": {"score_answers": True},
    "training": {"learning_rate": 1.0e-3, "max_steps": 4, "batch_size": 4},
    "overrides": {
        "absolute-strict": {"method": "absolute", "knowledge": {"estimator": "expected-accuracy(0.9)"}},
        "absolute": {"rounds": 2},
    },
    "evaluation": {"resamples": 20},
}
RUN["baselines"].append("absolute-strict")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("methods")
    (root / "run.yaml").write_text(yaml.safe_dump({**RUN, "out": str(root / "run")}))
    done = run_demur("run", root / "run.yaml")
    assert done.returncode == 0, done.stderr
    return RunFolder(root / "run")


def rows(folder, system):
    return read_parquet(folder.predictions(system), Prediction)


def test_every_method_answers_every_question(folder):
    asked = len(rows(folder, "base"))
    for system in [*OPEN, "absolute-strict"]:
        assert len(rows(folder, system)) == asked, system


def test_what_is_tuned_has_rows_and_a_model_and_what_is_not_has_neither(folder):
    for system in OPEN:
        info = METHODS.get(system).info
        assert folder.training(system).exists() is info.trained, system
        assert (folder.model(system) / "demur.json").exists() is (info.trained or info.fits), system
        assert (folder.model(system) / "probe.json").exists() is info.fits, system
    card = json.loads((folder.model("absolute-strict") / "demur.json").read_text())
    assert card["method"] == "absolute"


def test_every_method_gives_the_signals_it_promises(folder):
    for system in OPEN:
        promised = set(METHODS.get(system).info.signals)
        given = set().union(*(row.signals for row in rows(folder, system)))
        assert given <= promised, system
        primary = METHODS.get(system).info.primary_signal
        states = any(primary in row.signals for row in rows(folder, system))
        # A pocket model was never told what a percentage is, so it states none.
        assert states is (system != "verbal-confidence"), system


def test_the_base_models_answers_stay_demurs_where_tuning_adds_nothing(folder):
    tuning = json.loads(folder.manifest.read_text())["stages"]["fit/demur"]["tuning"]
    assert tuning["kept"] is False
    assert tuning["gained"] - tuning["lost"] == tuning["right_after"] - tuning["right_before"]
    assert not (folder.model("demur") / "adapter_config.json").exists()
    answers = {row.question_id: row.answer for row in rows(folder, "base")}
    assert all(row.answer == answers[row.question_id] for row in rows(folder, "demur"))
    declined = [row.abstained for row in rows(folder, "demur")]
    assert 0 < sum(declined) < len(declined)


def test_a_variant_differs_from_its_method_in_what_it_was_told_to(folder):
    known = [
        sum(json.loads(line)["certain"] for line in (folder.training(s) / "sft.jsonl").open())
        for s in ("absolute", "absolute-strict")
    ]
    assert known[1] < known[0]


def test_a_second_round_asks_again_and_says_how_the_boundary_moved(folder):
    stage = json.loads(folder.manifest.read_text())["stages"]["train/absolute"]
    (moved,) = stage["drift"]
    assert moved["round"] == 2
    assert moved["known_after"] == moved["known_before"] + moved["gained"] - moved["lost"]
    assert (folder.training("absolute") / "round2-sft.jsonl").exists()


def test_honesty_prompt_refuses_in_words_without_any_tuning(folder):
    assert any(row.verdict is Verdict.REFUSED for row in rows(folder, "honesty-prompt"))


def test_the_comparison_holds_every_system_and_what_anyone_gets_for_free(folder):
    done = run_demur("compare", folder.root, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    (group,) = summary["datasets"].values()
    cells = group["splits"]["id"]
    assert {*OPEN, "base-likelihood", "familiarity-only", "pretrain-w"} <= cells.keys()
    assert cells["always answer"]["coverage"]["mean"] == 1.0
    assert cells["always refuse"]["coverage"]["mean"] == 0.0
    assert cells["always refuse"]["honesty"]["mean"] == 0.5
    assert cells["base"]["auroc_truth"]["mean"] > 0.8
    assert group["truth"]["known_share"]["mean"] is not None


def test_us_tuning_and_its_ablations_run_on_passages(tmp_path):
    systems = ["us-tuning-stage1", "us-tuning-plain-qa", "us-tuning-stage2", "us-tuning"]
    config = {
        "out": str(tmp_path / "run"),
        "method": systems[-1],
        "baselines": systems[:-1],
        "model": {"path": "pocket-reader"},
        "data": {"name": "pocket-reader", "limit": 30},
        "training": {"learning_rate": 1.0e-3, "max_steps": 3, "batch_size": 4},
        "stages": {"stage2": {"max_steps": 2}},
        "evaluation": {"resamples": 5},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    done = run_demur("run", tmp_path / "run.yaml")
    assert done.returncode == 0, done.stderr
    folder = RunFolder(tmp_path / "run")
    assert sorted(path.name for path in folder.training("us-tuning").iterdir()) == [
        "stage1.jsonl",
        "stage2.jsonl",
    ]
    plan = json.loads(folder.manifest.read_text())["stages"]["train/us-tuning"]["plan"]
    assert {stage: part["steps"] for stage, part in plan.items()} == {"stage1": 3, "stage2": 2}
    assert collect(folder.root).cells["id"]["us-tuning"]["accuracy"]["value"] is not None


def test_a_method_without_its_data_says_so(tmp_path):
    done = run_demur(
        "run", "--method", "us-tuning", "--data", "pocket", "--data.limit", 20, "--out", tmp_path / "run"
    )
    assert done.returncode == 2
    assert "context" in done.stderr
    assert "Traceback" not in done.stderr


STUDY = {
    "seeds": [0, 5],
    "run": {
        "method": "r-tuning",
        "baselines": [],
        "model": {"path": "pocket"},
        "data": {"name": "pocket", "limit": 40},
        "training": {"max_steps": 3},
        "evaluation": {"resamples": 5},
    },
}


@pytest.mark.slow
def test_a_study_killed_in_the_middle_goes_on_to_the_same_table(tmp_path):
    # Both seeds tune the shipped base on its own world's questions: building another would take minutes.
    asked = [q for q in make_world(0).questions() if q.split in ("train", "calibration", "test")]
    lines = [{"question": q.text, "answer": q.answers[0], "split": q.split} for q in asked]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, lines)))
    own = {
        "model": {"path": str(bundled_model())},
        "data": {"path": str(tmp_path / "q.jsonl"), "limit": 40},
    }
    tables = []
    for name in ("calm", "killed"):
        study = {**STUDY, "run": {**STUDY["run"], **own}, "out": str(tmp_path / name)}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(study))
        if name == "killed":
            command = [sys.executable, "-m", "demur", "study", str(tmp_path / f"{name}.yaml")]
            process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while not list((tmp_path / name).rglob("probe.parquet")) and time.monotonic() < deadline:
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        succeeded("study", tmp_path / f"{name}.yaml")
        summary = json.loads((tmp_path / name / "compare.json").read_text())
        (group,) = summary["datasets"].values()
        for systems in group["splits"].values():
            for cells in systems.values():
                del cells["seconds"]
        tables.append(group)
        assert (tmp_path / name / "compare.html").exists()
    assert tables[0] == tables[1]
    assert tables[0]["seeds"] == [0, 5]


def test_a_study_with_a_wrong_setting_starts_nothing(tmp_path):
    (tmp_path / "s.yaml").write_text(
        yaml.safe_dump({"out": str(tmp_path / "o"), "run": {"method": "r-tunin"}})
    )
    done = run_demur("study", tmp_path / "s.yaml")
    assert done.returncode == 2
    assert "r-tuning" in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_failed_run_is_told_with_the_end_of_its_log(tmp_path):
    study = {**STUDY, "seeds": [0], "out": str(tmp_path / "o")}
    study["run"] = {**study["run"], "model": {"path": str(tmp_path / "no-model")}}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(study))
    done = run_demur("study", tmp_path / "s.yaml")
    assert done.returncode == 2
    assert "seed-0 ended with" in done.stderr
    assert "no-model" in done.stderr


def test_compare_without_a_run_says_what_it_needs(tmp_path):
    done = run_demur("compare", tmp_path)
    assert done.returncode == 2
    assert "metrics.json" in done.stderr


def test_every_export_of_a_run_is_written_with_a_card(folder, tmp_path):
    for name in EXPORTS.names():
        out = tmp_path / name
        done = run_demur("export", folder.root, "--format", name, "--system", "absolute", "--out", out)
        assert done.returncode == 0, done.stderr
        assert (out / "README.md").read_text(encoding="utf-8").startswith("# Training data of")
        assert len(done.stdout.split()) == len([path for path in out.rglob("*") if path.is_file()])
    trl = (tmp_path / "trl/absolute-sft.jsonl").read_text(encoding="utf-8").splitlines()
    own = (folder.training("absolute") / "sft.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [{name: json.loads(line)[name] for name in ("prompt", "completion")} for line in own]
    assert list(map(json.loads, trl)) == kept


def test_answers_made_elsewhere_are_not_asked_for_again(folder, tmp_path):
    """The probe of one run, exported in the peer's form, serves another run as its own."""
    run_demur("export", folder.root, "--format", "alignment-for-honesty", "--out", tmp_path)
    config = tmp_path / "run.yaml"
    again = {**RUN, "method": "absolute", "baselines": [], "overrides": {}, "out": str(tmp_path / "run")}
    for source in (tmp_path / "probe.jsonl", folder.probe):
        again["probe"] = {"path": str(source), "samples": 10}
        config.write_text(yaml.safe_dump(again))
        done = run_demur("build", config, "--update")
        assert done.returncode == 0, done.stderr
        notes = json.loads((tmp_path / "run/manifest.json").read_text(encoding="utf-8"))["stages"]["probe"]
        train = [q for q in read_parquet(folder.questions, Question) if q.split == "train" and q.answers]
        assert notes["imported"] >= len(train)
    theirs = RunFolder(tmp_path / "run").training("absolute") / "sft.jsonl"
    assert theirs.read_bytes() == (folder.training("absolute") / "sft.jsonl").read_bytes()

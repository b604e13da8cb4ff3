"""Method `demur` where tuning makes the model right more often: what is kept, asked, shared and merged.

The pocket model is asked in words that it never read, so that it knows less than it could say.
"""

import json

import pytest

import demur
from commands import run_demur, succeeded
from demur.core.records import Example, Prediction, Probe, Question, Verdict, read_jsonl, read_parquet
from demur.methods.demur import tuning_half
from demur.runfolder.folder import RunFolder
from demur.share.contents import files_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    strange = ("--template.prompt", "{question}", "--evaluation.resamples", "50")
    taught = ("--training.learning_rate", "0.01", "--training.epochs", "4", "--training.batch_size", "8")
    where = ("--model", "pocket", "--data", "pocket", "--data.limit", "240", "--out", out)
    succeeded("fit", "--tune", "--labels", "360", "--baselines", "probe", *where, *strange, *taught)
    return out


@pytest.fixture(scope="module")
def folder(run):
    return RunFolder(run)


def stage(folder, name):
    return json.loads(folder.manifest.read_text())["stages"][name]


def answered(folder, system):
    """Test questions with what a system said to them."""
    questions = {q.id: q for q in read_parquet(folder.questions, Question) if q.split == "test"}
    rows = read_parquet(folder.predictions(system), Prediction)
    return [(questions[row.question_id], row) for row in rows if row.question_id in questions]


def test_it_is_kept_for_what_it_did_to_questions_that_it_did_not_read(folder):
    tuning, fitted = stage(folder, "fit/demur")["tuning"], stage(folder, "fit/demur")["fitted"]
    assert tuning["kept"] is True
    assert tuning["p"] < 0.05
    assert tuning["right_after"] == tuning["right_before"] + tuning["gained"] - tuning["lost"]
    read = {row.question_id for row in read_jsonl(folder.rows("demur", "sft"), Example)}
    labelled = list(read_parquet(folder.labelled("demur"), Probe))
    assert not read & {row.question_id for row in labelled}, "fitted to answers that it was taught"
    training = [q for q in read_parquet(folder.questions, Question) if q.split == "train" and q.answers]
    assert len(read) + tuning["n"] == len(training)
    assert fitted["labels"] == len(labelled)
    right = sum(row.greedy_verdict is Verdict.CORRECT for row in labelled)
    assert right == fitted["right"] == tuning["right_after"]


def test_more_test_answers_are_right_than_before(folder):
    right = {
        system: sum(row.verdict is Verdict.CORRECT for _, row in answered(folder, system))
        for system in ("base", "demur", "probe")
    }
    assert right["demur"] > 2 * right["base"]
    assert right["probe"] == right["base"]


def test_the_model_folder_holds_weights_and_confidence(folder):
    names = {file.name for file in folder.model("demur").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "probe.json", "demur.json"} <= names
    assert succeeded("verify", folder.root).returncode == 0


def test_it_answers_as_it_was_measured(run, folder):
    pairs = answered(folder, "demur")[:40]
    with demur.load(run) as opened:
        answers = opened.ask([question for question, _ in pairs])
        before = opened.base_answer(pairs[0][0])
    untuned = {question.id: row.answer for question, row in answered(folder, "base")}
    assert before.said == untuned[pairs[0][0].id]
    for (_, row), answer in zip(pairs, answers, strict=True):
        assert (answer.said, answer.abstained) == (row.answer, row.abstained)
        if row.answer:
            assert answer.signals == pytest.approx(dict(row.signals), abs=1e-4)


def test_it_is_shared_and_merged_with_its_confidence(run, folder, tmp_path):
    told = json.loads(succeeded("card", run, "--name", "me/mine", "--json").stdout)
    text = (folder.model("demur") / "README.md").read_text()
    assert told["system"] == "demur"
    assert "Two things are here" in text
    assert "Fitted on" in text
    assert "Training stage sft" in text
    assert "the tuned model is kept" in text
    assert "the tuned model is kept" in (run / "report.html").read_text()
    succeeded("merge", run, "--out", tmp_path / "whole")
    assert "probe.safetensors" in {file.name for file in files_of(tmp_path / "whole")}
    pairs = answered(folder, "demur")[:20]
    for place in (folder.model("demur"), tmp_path / "whole"):
        with demur.load(place) as opened:
            answers = opened.ask([question for question, _ in pairs])
        for (_, row), answer in zip(pairs, answers, strict=True):
            assert (answer.said, answer.abstained) == (row.answer, row.abstained)
            if row.answer:
                assert answer.confidence == pytest.approx(row.signals["learned"], abs=1e-3)


def test_nothing_is_done_again(run, folder):
    before = (folder.model("demur") / "adapter_model.safetensors").stat().st_mtime_ns
    done = run_demur("run", run / "config.yaml", "--out", run)
    assert done.returncode == 0, done.stderr
    assert "train/demur: nothing has changed, kept" in done.stderr
    assert "fit/demur: nothing has changed, kept" in done.stderr
    assert (folder.model("demur") / "adapter_model.safetensors").stat().st_mtime_ns == before


def test_which_questions_decide_does_not_depend_on_what_is_known(tmp_path):
    """Else, tuned on known questions, the others would mostly be such as can only be gained."""
    few = (
        "--data.limit",
        "120",
        "--evaluation.resamples",
        "20",
        "--labels",
        "180",
        "--training.max_steps",
        "2",
    )
    given = ("--tune", "--model", "pocket", "--data", "pocket", "--knowledge.train_on", "known")
    succeeded("fit", *given, *few, "--out", tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    training = [q for q in read_parquet(folder.questions, Question) if q.split == "train"]
    known = {
        row.question_id for row in read_parquet(folder.probe, Probe) if row.greedy_verdict == "correct"
    }
    half = tuning_half(training, seed=0)
    assert {row.question_id for row in read_jsonl(folder.rows("demur", "sft"), Example)} == half & known
    deciding = [q for q in training if q.id not in half and q.answers]
    assert stage(folder, "fit/demur")["tuning"]["n"] == len(deciding)
    assert stage(folder, "fit/demur")["tuning"]["right_before"] == sum(q.id in known for q in deciding)


def test_its_controls_learn_from_the_same_answers(folder):
    controls = json.loads(folder.metrics.read_text())["controls"]
    judged = (Verdict.CORRECT, Verdict.WRONG)
    rows = [row for q, row in answered(folder, "demur") if q.domain == "id" and row.verdict in judged]
    assert controls["demur"]["id"]["controls"].keys() == controls["probe"]["id"]["controls"].keys()
    assert controls["demur"]["id"]["n"] == len(rows)


def test_a_promise_can_be_made_for_it(run):
    done = succeeded("calibrate", run, "--max-error", "0.6", "--confidence", "0.8", "--json")
    assert json.loads(done.stdout)["system"] == "demur"

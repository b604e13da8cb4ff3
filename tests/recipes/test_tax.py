"""The real commands on the pocket world, offline: `demur tax`, and exported tasks in lm-eval's own CLI."""

import dataclasses
import importlib.util
import json
import shutil
import subprocess

import pytest

from commands import module, run_demur, succeeded
from demur.core.errors import ConfigError
from demur.core.records import Prediction, Question, read_parquet
from demur.engines.encoding import Encoder
from demur.methods.asking import by_default
from demur.pocket import bundled_model
from demur.pocket.measuring import load_model
from demur.tax.folder import write_tasks
from demur.tax.paired import Draws, compare
from demur.tax.questions import judged_task
from demur.tax.running import load_tasks, run_tasks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("lm_eval") is None,
        reason="lm-eval is not installed: pip install 'demur[tax]'",
    ),
]


@pytest.fixture(scope="module")
def run(demo, tmp_path_factory):
    return shutil.copytree(demo, tmp_path_factory.mktemp("runs") / "demo")


@pytest.fixture(scope="module")
def tax(run):
    return json.loads(succeeded("tax", run, "--limit", "60", "--json").stdout)


def test_tax_measures_both_models_on_the_same_documents(run, tax):
    assert list(tax["tasks"]) == ["pocket_choices", "pocket_facts", "pocket_text"]
    assert json.loads((run / "tax.json").read_text()) == tax
    facts = tax["tasks"]["pocket_facts"]["metrics"]["accuracy"]
    assert facts["n"] == 60
    assert facts["base"]["value"] > 0.6, "the facts were read"
    assert facts["difference"]["value"] == pytest.approx((facts["gained"] - facts["lost"]) / 60)
    assert facts["difference"]["low"] <= facts["difference"]["value"] <= facts["difference"]["high"]
    text = tax["tasks"]["pocket_text"]["metrics"]["bits_per_byte"]
    assert text["base"]["value"] != text["tuned"]["value"], "two models were asked"
    assert text["better"] == "lower"
    assert "What it cost elsewhere" in (run / "report.html").read_text()


def test_questions_of_ones_own_are_a_task(run, tmp_path):
    file = tmp_path / "my-qa.jsonl"
    prediction = read_parquet(run / "predictions/base.parquet", Prediction)[0]
    file.write_text(
        json.dumps({"question": "Where was Nobody Known born?", "answer": prediction.answer})
        + "\n"
        + json.dumps({"question": "What is the capital of France?", "answer": "Paris"})
    )
    done = run_demur("tax", run, "--tasks", f"{file},pocket_text", "--limit", "20", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["tasks"]
    assert list(found) == ["own_my_qa", "pocket_text"]
    assert found["own_my_qa"]["n"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tasks", "arc_eas"), "did you mean arc_easy"),
        (("--tasks", "arc_easy"), "a hub that cannot be reached"),
        (("--system", "base-likelihood"), "a system, one of: r-tuning, vanilla"),
    ],
)
def test_mistakes_are_explained(run, arguments, message):
    done = run_demur("tax", run, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("system", ["base", "r-tuning"])
def test_exported_tasks_give_the_runs_own_verdicts_in_lm_evals_cli(run, tmp_path, system):
    done = run_demur("export-tasks", run, "--system", system, "--out", tmp_path / "tasks")
    assert done.returncode == 0, done.stderr
    card = json.loads((run / "systems/r-tuning/model/demur.json").read_text())
    adapter = "" if system == "base" else f",peft={run / 'systems/r-tuning/model'}"
    command = module(
        *("lm_eval", "run", "--model", "hf", "--device", "cpu", "--batch_size", "32"),
        *("--model_args", f"pretrained={card['base_model']},dtype=float32{adapter}"),
        *("--include_path", tmp_path / "tasks", "--tasks", "demur_id,demur_ood"),
        *("--log_samples", "--output_path", tmp_path / "results"),
    )
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    own = {row.question_id: row for row in read_parquet(run / f"predictions/{system}.parquet", Prediction)}
    logged = [
        json.loads(line)
        for file in (tmp_path / "results").rglob("samples_*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert len(logged) == 192
    for sample in logged:
        prediction = own[sample["doc"]["id"]]
        assert sample["filtered_resps"][0] == prediction.response
        assert sample["accuracy"]["verdict"] == prediction.verdict
    results = json.loads(next((tmp_path / "results").rglob("results_*.json")).read_text())["results"]
    metrics = json.loads((run / "metrics.json").read_text())["metrics"][system]
    for split in ("id", "ood"):
        theirs = results[f"demur_{split}"]["accuracy,none"]
        assert theirs == pytest.approx(metrics[split]["accuracy"]["value"])


def test_a_chat_models_prompts_are_the_runs_own(tmp_path):
    model, tokenizer = load_model(bundled_model())
    tokenizer.chat_template = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<me>{% if not enable_thinking %}-{% endif %}{% endif %}"
    )
    questions = [Question(id=name, text=f"Who is {{{name}}}?", answers=("Bo",)) for name in "ab"]
    write_tasks([judged_task("t", questions, by_default(), tag="t", about="x")], tmp_path, about="x")
    tasks = load_tasks(["t"], own=tmp_path, own_names=["t"])
    logged = run_tasks(tasks, model, tokenizer, chat=True, batch_size="auto", limit=None)["t"]
    encoder = Encoder(tokenizer, format="chat")
    asked = [sample["arguments"][0][0] for sample in logged]
    assert asked == [encoder.render(f"Question: Who is {{{name}}}? Answer:") for name in "ab"]
    assert asked[0] == "<user>Question: Who is {a}? Answer:<me>-", "thinking is off, braces stay"


def test_a_group_is_one_row_and_both_models_see_the_same_worked_examples(tmp_path):
    model, tokenizer = load_model(bundled_model())
    written = []
    for name in ("one", "two"):
        questions = [
            Question(id=f"{name}{n}", text=f"Who is {name} {n}?", answers=("Bo",)) for n in range(6)
        ]
        task = judged_task(name, questions, by_default(), tag="t", about="x")
        shots = {**task.settings, "num_fewshot": 2, "fewshot_split": "test"}
        written.append(dataclasses.replace(task, settings=shots))
    write_tasks(written, tmp_path, about="x")
    (tmp_path / "both.yaml").write_text("group: both\ntask: [one, two]\n")
    tasks = load_tasks(["both"], own=tmp_path, own_names=["both"])
    assert tasks.rows == {"both": ("one", "two")}
    first, again = (run_tasks(tasks, model, tokenizer, chat=False, batch_size=4, limit=5) for _ in range(2))
    prompt = first["one"][0]["arguments"][0][0]
    assert prompt.count("Answer:") == 3, "two worked examples and the question"
    assert [s["prompt_hash"] for s in first["two"]] == [s["prompt_hash"] for s in again["two"]]
    found = compare(tasks.loaded, first, again, Draws(level=0.95, resamples=20, seed=0))
    assert found["n"] == 10, "five documents of each"
    assert found["metrics"]["accuracy"]["difference"]["value"] == 0


def test_tasks_that_run_generated_code_are_refused(tmp_path):
    questions = [Question(id="a", text="Write code.", answers=("pass",))]
    task = judged_task("t", questions, by_default(), tag="t", about="x")
    unsafe = dataclasses.replace(task, settings={**task.settings, "unsafe_code": True})
    write_tasks([unsafe], tmp_path, about="x")
    with pytest.raises(ConfigError, match="executes generated code"):
        load_tasks(["t"], own=tmp_path, own_names=["t"])

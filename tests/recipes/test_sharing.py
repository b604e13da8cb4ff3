"""Real runs, shared: the card says what the run found, its programs run, merged weights are the same."""

import contextlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from commands import run_demur, succeeded
from demur.core.records import Prediction, Question, read_parquet
from demur.core.signing import is_signed
from demur.engines import Opening
from demur.engines.hf import HFEngine
from demur.pocket import bundled_model
from demur.pocket.world import make_world
from demur.runfolder.manifest import accept
from demur.share import usage
from demur.share.contents import files_of

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
HOSTILE = "x](javascript:alert(1)) `<script>alert(1)<|script> --- {{ 7 * 7 }} *b*"
"""A name that a file or folder may have, and that would be markup nearly everywhere."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The demo, calibrated."""
    out = tmp_path_factory.mktemp("runs") / "demo"
    # A learning rate at which so few steps teach it to decline.
    small = ("--data.limit", "96", "--evaluation.resamples", "50", "--training.learning_rate", "0.01")
    succeeded("demo", *small, "--out", out)
    succeeded("calibrate", out, "--max-error", "0.3", "--confidence", "0.9")
    return out


@pytest.fixture(scope="module")
def model(run):
    """Its model folder, with a card."""
    succeeded("card", run, "--name", "me/my-model")
    return run / "systems/r-tuning/model"


@pytest.fixture(scope="module")
def merged(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("merged") / "model"
    succeeded("merge", run, "--out", out)
    return out


@pytest.fixture(scope="module")
def borrowed(tmp_path_factory):
    """Systems that borrow weights, asked in a chat; model and data have names that nobody should give."""
    folder = tmp_path_factory.mktemp("hostile")
    base = folder / HOSTILE
    base.mkdir()
    for file in bundled_model().iterdir():
        if file.is_file():
            (base / file.name).write_bytes(file.read_bytes())
    turn = "{% for m in messages %}{{ m.content }}{% endfor %}{% if enable_thinking %} thinking{% endif %}"
    (base / "chat_template.jinja").write_text(turn)
    data = folder / f"{HOSTILE}.jsonl"
    kept = {"train": 96, "calibration": 96, "test": 96}
    rows = []
    for question in make_world(0).questions():
        if question.domain == "id" and question.answers and kept.get(question.split, 0) > 0:
            kept[question.split] -= 1
            rows.append({"question": question.text, "answers": question.answers, "split": question.split})
    data.write_text("\n".join(map(json.dumps, rows)))
    out = folder / "run"
    settings = ("--evaluation.resamples", "50", "--training.learning_rate", "0.01", "--probe.samples", "4")
    where = ("--model.path", base, "--data.path", data, "--out", out)
    succeeded("run", *where, "--method", "r-tuning", "--baselines", "probe,vanilla-c", *settings)
    return out


def test_the_front_matter_is_what_the_hub_reads(run, model):
    card = ModelCard.load(model / "README.md")
    data = card.data.to_dict()
    assert data["library_name"] == "peft"
    assert data["license"] == "apache-2.0", "the pocket model's"
    assert data["pipeline_tag"] == "text-generation"
    assert "base_model" not in data, "a pocket model is not on the Hub"
    assert {"demur", "abstention", "r-tuning", "lora"} <= set(data["tags"])
    measured = json.loads((run / "metrics.json").read_text())["metrics"]["r-tuning"]
    assert card.data.model_name == "my-model"
    assert {result.dataset_config for result in card.data.eval_results} == {"id", "ood"}
    for result in card.data.eval_results:
        estimate = measured[result.dataset_config][result.metric_type]
        assert result.metric_value == pytest.approx(estimate["value"], abs=5e-5)
        assert result.metric_args["n"] == estimate["n"]
        assert result.metric_args["low"] == pytest.approx(estimate["low"], abs=5e-5)


def test_the_card_says_what_the_run_found(run, model):
    text = (model / "README.md").read_text()
    assert "More Information Needed" not in text, "PEFT's stub is gone"
    measured = json.loads((run / "metrics.json").read_text())["metrics"]
    for system in ("base", "r-tuning"):
        for split in ("id", "ood"):
            assert f"{100 * measured[system][split]['accuracy']['value']:.1f}%" in text
    assert "Refuse at random" in text
    assert "Always refuse" in text
    assert "96 rows" in text
    assert "certainty (of:" in text
    assert "alignment tax) was not measured" in text
    promised = json.loads((run / "guarantee.json").read_text())["sentences"][0]
    assert promised.split(".")[0] in text
    assert "seed 0" in text
    assert "demur demo --data.limit 96" in text


def test_no_file_says_where_on_this_machine_anything_lay(run, model, merged):
    places = (str(run), str(run.parent), str(Path.home()) + "/", str(bundled_model()), str(TESTS.parent))
    for folder in (model, merged):
        for file in folder.iterdir():
            text = file.read_bytes()
            assert not [place for place in places if place.encode() in text], file
    assert json.loads((model / "adapter_config.json").read_text())["base_model_name_or_path"] == "./pocket"


def test_what_was_shared_stays_signed(run, model, merged):
    assert is_signed(run)
    assert is_signed(model)
    assert is_signed(merged)


def test_the_folders_hold_safetensors_and_json_only(model, merged):
    for folder in (model, merged):
        names = {path.name for path in folder.iterdir()}
        assert names == {path.name for path in files_of(folder)}
        assert {name for name in names if not name.endswith((".json", ".safetensors"))} == {"README.md"}
        assert {"demur.json", "tokenizer.json"} <= names
    assert {"generation_config.json", "config.json"} <= {path.name for path in merged.iterdir()}


def test_a_run_that_was_shared_goes_on_as_before(run, model):
    assert "nothing has changed, kept" in run_demur("run", run / "config.yaml").stderr


def programs(card):
    """The two Python programs of a card."""
    tokens = MarkdownIt().parse(ModelCard.load(card).text)
    return [token.content for token in tokens if token.type == "fence" and token.info == "python"]


def carried_out(program, folder, question, *, base=None):
    """What a card's program finds, asked a question of the run, on a folder that lies here."""
    [download] = [line for line in program.splitlines() if line.startswith("folder = ")]
    program = program.replace(download, f"folder = Path({str(folder)!r})")
    if base is not None:
        [line] = [line for line in program.splitlines() if line.startswith("base = ")]
        program = program.replace(line, f"base = {str(base)!r}")
    assert repr(usage.EXAMPLE) in program
    found = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(program.replace(repr(usage.EXAMPLE), repr(question)), "card", "exec"), found)
    return found


def asked_of(run, system, count=6):
    """Questions of the run's test split with what the system said to them."""
    questions = {q.id: q for q in read_parquet(run / "questions.parquet", Question) if q.split == "test"}
    rows = read_parquet(run / f"predictions/{system}.parquet", Prediction)
    return [(questions[row.question_id], row) for row in rows if row.question_id in questions][:count]


@pytest.mark.parametrize("form", ["adapter", "merged"])
def test_the_programs_of_the_card_answer_as_the_run_did(run, model, merged, form):
    folder = model if form == "adapter" else merged
    ours, plain = programs(folder / "README.md")
    threshold = json.loads((run / "guarantee.json").read_text())["guarantees"]["all"]["threshold"]
    assert threshold is not None
    for question, row in asked_of(run, "r-tuning"):
        found = carried_out(ours, folder, question.text)
        assert found["said"].answer == row.answer
        assert found["signals"] == pytest.approx(dict(row.signals), abs=1e-4)
        assert found["answers"] == (row.signals["combined"] >= threshold)
        found = carried_out(plain, folder, question.text)
        assert found["answer"] == row.answer
        assert found["sure"] == pytest.approx(row.signals["sure"], abs=1e-4)


def test_a_learned_reading_has_a_card_of_its_own(run, model):
    succeeded("card", run, "--system", "r-tuning-learned")
    text = (model / "README.md").read_text()
    assert "None was made for this system" in text, "the guarantee is r-tuning's"
    ours, _ = programs(model / "README.md")
    for question, row in asked_of(run, "r-tuning-learned", 3):
        found = carried_out(ours, model, question.text)
        assert found["signals"]["learned"] == pytest.approx(row.signals["learned"], abs=1e-4)
        assert found["answers"] is not row.abstained
    succeeded("card", run, "--name", "me/my-model")


def test_the_fixed_reading_has_a_card_with_the_papers_threshold(run, model):
    succeeded("card", run, "--system", "r-tuning-fixed")
    text = (model / "README.md").read_text()
    assert "is below 0.5, a fixed rule" in text
    ours, _ = programs(model / "README.md")
    for question, row in asked_of(run, "r-tuning-fixed", 3):
        assert carried_out(ours, model, question.text)["answers"] is not row.abstained
    succeeded("card", run, "--name", "me/my-model")
    chosen = json.loads((model / "demur.json").read_text())["threshold"]
    assert f"chosen on {chosen['n']} calibration questions" in (model / "README.md").read_text()


def test_merged_weights_answer_as_base_and_adapter(run, model, merged):
    questions = [question for question, _ in asked_of(run, "r-tuning", 48)]
    prompts = [f"Question: {question.text} Answer:" for question in questions]
    options = [[" sure.", " unsure.", f" {question.answers[0]}."] for question in questions]
    parts = HFEngine.open(Opening(bundled_model(), adapter=model))
    whole = HFEngine.open(Opening(merged))
    before, after = (engine.score(prompts, options) for engine in (parts, whole))
    assert (
        max(abs(a - b) for x, y in zip(before, after, strict=True) for a, b in zip(x, y, strict=True))
        < 1e-4
    )
    untuned = HFEngine.open(Opening(bundled_model())).score(prompts, options)
    assert (
        max(abs(a - b) for x, y in zip(before, untuned, strict=True) for a, b in zip(x, y, strict=True))
        > 0.1
    )
    assert ModelCard.load(merged / "README.md").data.library_name == "transformers"
    assert json.loads((merged / "demur.json").read_text())["merged"] is True


def test_half_precision_is_written_where_it_is_asked_for(run, tmp_path):
    out = tmp_path / "half"
    done = succeeded(
        "merge", run, "--out", out, "--dtype", "bfloat16", "--name", "me/half-precision", "--json"
    )
    assert json.loads(done.stdout)["mended"] == []
    assert json.loads(done.stdout)["upload"] == f"hf upload me/half-precision {out}"
    assert "me/half-precision" in (out / "README.md").read_text()
    assert json.loads((out / "config.json").read_text())["dtype"] == "bfloat16"
    again = run_demur("merge", run, "--out", out)
    assert again.returncode == 2
    assert "a folder with files in it" in again.stderr


def test_a_model_tuned_in_every_weight_is_copied(tmp_path):
    out = tmp_path / "run"
    small = ("--data.limit", "48", "--evaluation.resamples", "20", "--training.max_steps", "2")
    full = ("--training.lora", "false", "--baselines", "", "--overrides", "{}")
    succeeded("demo", *small, *full, "--out", out)
    succeeded("merge", out, "--out", tmp_path / "model")
    own = out / "systems/r-tuning/model/model.safetensors"
    assert (tmp_path / "model/model.safetensors").read_bytes() == own.read_bytes()
    succeeded("card", out)
    for folder in (own.parent, tmp_path / "model"):
        card = ModelCard.load(folder / "README.md")
        assert card.data.library_name == "transformers"
        assert "A LoRA adapter" not in card.text
        assert "every weight tuned" in card.text
    ours, plain = programs(tmp_path / "model/README.md")
    [(question, row)] = asked_of(out, "r-tuning", 1)
    assert carried_out(ours, tmp_path / "model", question.text)["said"].answer == row.answer
    assert carried_out(plain, tmp_path / "model", question.text)["answer"] == row.answer


def test_names_of_files_stay_names(borrowed):
    succeeded("card", borrowed)
    card = ModelCard.load(borrowed / "systems/r-tuning/model/README.md")
    tokens = [
        c
        for t in MarkdownIt("gfm-like", {"linkify": False}).parse(card.text)
        for c in (t, *(t.children or ()))
    ]
    assert not [
        t.content for t in tokens if t.type in ("html_block", "html_inline", "link_open", "image", "hr")
    ]
    assert "49" not in [t.content for t in tokens if t.type == "text"], (
        "no template of theirs was filled in"
    )
    spans = {t.content for t in tokens if t.type == "code_inline"}
    assert {HOSTILE, f"{HOSTILE}.jsonl"} <= spans
    assert card.data.to_dict().keys() == {"library_name", "model-index", "pipeline_tag", "tags"}
    assert str(borrowed.parent) not in (borrowed / "systems/r-tuning/model/README.md").read_text()


def test_who_borrows_weights_gets_the_card_of_those(borrowed):
    found = json.loads(succeeded("card", borrowed, "--system", "vanilla-c", "--json").stdout)
    assert found["weights"] == "vanilla"
    text = Path(found["card"]).read_text()
    assert "The weights are those of `vanilla`" in text
    assert "as the user's turn of its chat template" in text
    ours, _ = programs(found["card"])
    base = borrowed.parent / HOSTILE
    assert carried_out(ours, Path(found["card"]).parent, "Who?", base=base)["signals"].keys() == {
        "agreement",
        "consistency",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("merge", "--system", "probe", "--out", "x"), "asks the model as it was before tuning"),
        (("card", "--system", "base"), "there is nothing to share"),
        (("card", "--system", "r-tunin"), "did you mean 'r-tuning'"),
        (("card", "--name", "a b/../c"), "a repository's name that the Hub takes"),
        (("merge", "--system", "r-tuning", "--out", "x", "--dtype", "int8"), "one of: auto"),
        (("gguf", "--system", "r-tuning", "--out", "x.bin"), "the name of a .gguf file"),
        (("gguf", "--system", "r-tuning", "--out", "x.gguf"), "git clone"),
    ],
)
def test_mistakes_are_explained(borrowed, tmp_path, arguments, message):
    command, *options = [
        str(tmp_path / option) if option.startswith("x") else option for option in arguments
    ]
    done = run_demur(command, borrowed, *options, env={**os.environ, "LLAMA_CPP_DIR": ""})
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing half made is left"


# -- llama.cpp: `make proof-gguf` has its converter and a Python with llama-cpp-python ---------------------

needs_converter = pytest.mark.skipif(
    not os.environ.get("LLAMA_CPP_DIR"), reason="LLAMA_CPP_DIR names no checkout of llama.cpp"
)


@needs_converter
def test_llama_cpp_does_not_know_the_pocket_tokenizer(run, tmp_path):
    done = run_demur("gguf", run, "--out", tmp_path / "model.gguf")
    assert done.returncode == 2
    assert "a tokenizer that it does not know" in done.stderr
    assert list(tmp_path.iterdir()) == []


@needs_converter
@pytest.mark.skipif(
    not os.environ.get("LLAMA_CPP_PYTHON"), reason="LLAMA_CPP_PYTHON names no Python with llama-cpp-python"
)
@pytest.mark.parametrize(("type", "least"), [("f32", 95), ("f16", 94), ("q8_0", 86)])
def test_llama_cpp_answers_as_we_do(run, merged, tmp_path, type, least):
    out = tmp_path / "model.gguf"
    files = json.loads(
        succeeded(
            "gguf",
            run,
            "--out",
            out,
            "--type",
            type,
            "--converter",
            TESTS / "pocket_converter.py",
            "--json",
        ).stdout
    )
    assert files["files"] == [str(out), str(tmp_path / "model.demur.json")]
    assert json.loads((tmp_path / "model.demur.json").read_text())["method"] == "r-tuning"
    asked = asked_of(run, "r-tuning", 96)
    prompts = [f"Question: {question.text} Answer:" for question, _ in asked]
    done = subprocess.run(
        [os.environ["LLAMA_CPP_PYTHON"], TESTS / "llama_cpp_answers.py", out],
        input=json.dumps(prompts),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    tokenizer = HFEngine.open(Opening(merged)).tokenizer
    assert [item["tokens"] for item in theirs] == [tokenizer(prompt).input_ids for prompt in prompts]
    equal = sum(item["text"].strip() == row.answer for item, (_, row) in zip(theirs, asked, strict=True))
    assert equal >= least, f"{equal} of {len(asked)} answers are the same"


def test_a_run_without_questions_has_no_card(run, tmp_path):
    empty = tmp_path / "run"
    shutil.copytree(run, empty)
    questions = empty / "questions.parquet"
    pq.write_table(pq.read_table(questions).slice(0, 0), questions)
    accept(empty)
    done = run_demur("card", empty)
    assert done.returncode == 2
    assert "questions that the model was asked" in done.stderr

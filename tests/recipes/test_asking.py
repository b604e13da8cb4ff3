"""A tuned model in use: the library, and `demur ask`, on a real run of the pocket world."""

import asyncio
import json
import re
import shutil

import pytest

import demur
from commands import run_demur, succeeded
from demur.ask import BusyError
from demur.ask.query import Query, as_question
from demur.core.errors import ConfigError, ConversationError, DataError, RunFolderError, UnknownNameError
from demur.core.records import Prediction, Question, Verdict, read_parquet

pytestmark = pytest.mark.slow
SETTINGS = ("--data.limit", "160", "--evaluation.resamples", "20", "--baselines", "vanilla,demur")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "demo"
    succeeded("demo", *SETTINGS, "--out", out)
    return out


@pytest.fixture(scope="module")
def answerer(run):
    with demur.load(run) as opened:
        yield opened


def rows(run, system, split="test"):
    questions = {q.id: q for q in read_parquet(run / "questions.parquet", Question) if q.split == split}
    found = read_parquet(run / "predictions" / f"{system}.parquet", Prediction)
    return [(questions[row.question_id], row) for row in found if row.question_id in questions][:40]


@pytest.mark.parametrize(
    "system", ["r-tuning", "r-tuning-fixed", "demur", "r-tuning-learned", "vanilla", "base"]
)
def test_a_system_answers_as_it_was_measured(run, system):
    pairs = rows(run, system)
    with demur.load(run, system=system) as opened:
        answers = opened.ask([question for question, _ in pairs])
    for (question, row), answer in zip(pairs, answers, strict=True):
        assert answer.question == question.text
        assert answer.said == row.answer
        assert answer.abstained == row.abstained
        assert answer.text == ("I don't know." if row.abstained else row.answer)
        for name, value in row.signals.items():
            assert answer.signals[name] == pytest.approx(value, abs=1e-4), name


def test_one_question_is_one_answer_and_many_are_a_list(answerer):
    one = answerer.ask("Who wrote The Hobbit?")
    assert isinstance(one, demur.Answer)
    assert answerer.ask([]) == []
    (same,) = answerer.ask(["Who wrote The Hobbit?"])
    assert same.text == one.text
    rule = json.loads((answerer.system.run / "manifest.json").read_text())["systems"]["r-tuning"][
        "threshold"
    ]
    assert rule["how"] == "calibrated"
    assert (one.signal, one.threshold, one.guarantee) == ("sure", rule["value"], None), "its own rule"
    assert json.loads(json.dumps(one.to_json()))["signals"].keys() == {"sure", "likelihood", "combined"}


def test_a_threshold_decides_and_promises_nothing(answerer):
    question = "Who wrote The Hobbit?"
    never, always = (answerer.ask(question, threshold=limit) for limit in (1.1, 0.0))
    assert (never.abstained, always.abstained) == (True, False)
    assert never.said == always.said == always.text
    with pytest.raises(ConfigError, match="both"):
        answerer.ask(question, threshold=0.5, max_error=0.1)


def test_many_at_once_are_answered_as_one_by_one(answerer, run):
    questions = [question.text for question, _ in rows(run, "r-tuning")]
    alone = [answerer.ask(question) for question in questions]

    async def together():
        return await asyncio.gather(*map(answerer.ask_async, questions))

    for one, other in zip(alone, asyncio.run(together()), strict=True):
        assert one.text == other.text
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_too_many_at_once_are_turned_away(run):
    with demur.load(run, waiting=1, most=1) as opened:
        futures, turned_away = [], 0
        for _ in range(50):
            try:
                futures.append(opened.submit(Query(question=as_question("Who?"))))
            except BusyError:
                turned_away += 1
        assert turned_away
        assert all(future.result(60).answer is not None for future in futures)


def test_streams_end_with_the_answer(answerer):
    question = "Who wrote The Hobbit?"
    *pieces, answer = answerer.stream(question, threshold=0.0)
    assert "".join(pieces) == answer.text == answer.said
    *refusal, refused = answerer.stream(question, threshold=1.1)
    assert "".join(refusal) == refused.text == "I don't know."
    *shown, verdict = answerer.stream(question, threshold=1.1, optimistic=True)
    assert verdict.abstained
    assert "".join(shown).strip() == verdict.said, "what was shown is what it would have said"
    assert len(shown) > 1, "as it was written, not all at once"

    async def follow():
        return [item async for item in answerer.stream_async(question, optimistic=True, threshold=0.0)]

    *pieces, answer = asyncio.run(follow())
    assert "".join(pieces).strip() == answer.text


def test_context_and_choices_are_asked_as_their_forms(answerer):
    with_choices = answerer.ask("Where is it?", choices=["Oslo", "Rome"])
    assert with_choices.said != answerer.ask("Where is it?").said or with_choices.signals
    assert answerer.ask("Where?", context="Anna lives in Oslo.").said
    with pytest.raises(DataError):
        answerer.ask({"query": "?"})
    with pytest.raises(ConversationError):
        answerer.ask("Who?", history=[demur.engines.Message("system", "Be brief.")])
    with pytest.raises(DataError, match="tokens"):
        answerer.ask("word " * 5000)


def test_samples_and_the_base_model_beside_it(answerer, run):
    (question, row) = rows(run, "base")[0]
    assert len(answerer.samples(question, 5)) == 5
    assert answerer.samples(question, 5) == answerer.samples(question, 5), "drawn by the question's id"
    base = answerer.base_answer(question)
    assert (base.text, base.threshold) == (row.answer, None)


@pytest.mark.parametrize("system", ["r-tuning-fixed", "r-tuning-learned", "base"])
def test_a_derived_system_can_be_calibrated_and_analysed(run, tmp_path, system):
    root = tmp_path / "run"
    shutil.copytree(run, root)
    for command in (("calibrate", root, "--max-error", "0.5"), ("analyse", root)):
        done = run_demur(*command, "--system", system)
        assert done.returncode == 0, done.stderr
    found = demur.open_run(root)
    assert (found.guarantee["system"], found.analysis["system"]) == (system, system)
    assert not found.refused


def test_a_calibrated_run_brings_its_promise_with_it(run, tmp_path):
    root = tmp_path / "calibrated"
    shutil.copytree(run, root)
    done = run_demur(
        "calibrate", root, "--max-error", "0.5", "--confidence", "0.6", "--recalibrate", "platt"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((root / "guarantee.json").read_text())
    threshold = found["guarantees"]["all"]["threshold"]
    assert threshold is not None, "or the test asks too much of so few questions"
    for source in (root, root / "systems/r-tuning/model"):
        with demur.load(source) as opened:
            answer = opened.ask("Who wrote The Hobbit?")
        assert (answer.signal, answer.threshold) == ("combined", threshold)
        assert answer.guarantee.max_error == 0.5
        assert 0 <= answer.probability <= 1
    with demur.load(root) as opened:
        expected = opened.expected()
        asked = opened.ask("Who wrote The Hobbit?", max_error=0.5)
        assert asked.guarantee.confidence == 0.95
    kept = [row for _, row in rows(root, "r-tuning", "calibration")]
    assert 0 < expected.n <= 160
    assert expected.coverage == pytest.approx(expected.answered / expected.n)
    assert kept
    with demur.load(root, threshold=0.1) as opened:
        assert opened.ask("Who?").guarantee is None
    with demur.load(root, system="vanilla") as opened:
        assert opened.ask("Who?").guarantee is None, "it was not vanilla that was calibrated"


def test_a_run_that_is_made_anew_says_that_its_promise_is_of_another(run, tmp_path):
    root = tmp_path / "anew"
    shutil.copytree(run, root)
    calibrate = ("calibrate", root, "--max-error", "0.5", "--confidence", "0.6", "--system", "r-tuning")
    done = run_demur(*calibrate)
    assert done.returncode == 0, done.stderr
    again = ("run", root / "config.yaml", "--out", root)
    assert "guarantee.json" not in run_demur(*again).stderr, "nothing has changed"
    done = run_demur(*again, "--update", "--training.max_steps", "2")
    assert done.returncode == 0, done.stderr
    assert "guarantee.json is not used: predictions/r-tuning.parquet, " in done.stderr
    assert "systems/r-tuning/model/adapter_model.safetensors" in done.stderr
    command = f"demur calibrate {root} --system r-tuning --signal"
    assert command in done.stderr
    assert "as calibrated" not in done.stdout
    asked = run_demur("ask", root, "Who?", "--system", "r-tuning")
    assert asked.returncode == 2
    assert command in asked.stderr
    reported = run_demur("report", root)
    assert "guarantee.json is not used" in reported.stderr
    assert "guarantee.json is not used" in (root / "report.html").read_text()


def test_weights_that_are_exchanged_are_asked_anew(run, tmp_path):
    root = tmp_path / "exchanged"
    shutil.copytree(run, root)
    weights = "model/adapter_model.safetensors"
    shutil.copyfile(root / "systems/vanilla" / weights, root / "systems/r-tuning" / weights)
    wrong = run_demur("calibrate", root)
    assert wrong.returncode == 2
    assert f"run `demur run {root / 'config.yaml'}`" in wrong.stderr
    refused = run_demur("run", root / "config.yaml", "--out", root)
    assert refused.returncode == 2, "they may be damaged as well as exchanged"
    assert f"demur verify {root} --accept" in refused.stderr
    assert run_demur("verify", root, "--accept").returncode == 0
    done = run_demur("run", root / "config.yaml", "--out", root)
    assert done.returncode == 0, done.stderr
    assert "predict/vanilla: nothing has changed" in done.stderr
    assert "predict/r-tuning: nothing has changed" not in done.stderr
    run_demur("calibrate", root, "--max-error", "0.5", "--confidence", "0.6")
    assert (root / "guarantee.json").exists()


def test_the_promise_is_kept_on_the_rows_it_was_found_on(run):
    with demur.load(run, max_error=0.5, confidence=0.6) as opened:
        decision = opened.decision()
        found = opened.calibration.expected(decision.threshold)
    assert decision.guarantee is not None
    assert found.error <= 0.5


def test_an_untuned_model_answers_too():
    with demur.load("pocket", system="self-consistency", samples=5) as opened:
        answer = opened.ask("Who wrote The Hobbit?")
    assert answer.signal == "agreement"
    assert answer.confidence * 5 == pytest.approx(round(answer.confidence * 5))
    with demur.load("pocket", threshold=1.0) as opened:
        assert opened.ask("Who wrote The Hobbit?").abstained, "no answer has a likelihood of 1"


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        ("RUN", {"system": "r-tunning"}, UnknownNameError),
        ("RUN", {"system": "base-likelihood"}, ConfigError),
        ("RUN", {"signal": "surely"}, UnknownNameError),
        ("RUN", {"threshold": 0.5, "max_error": 0.1}, ConfigError),
        ("RUN", {"model": {"devise": "cpu"}}, ConfigError),
        ("pocket", {"system": "r-tuning"}, ConfigError),
        ("pocket", {"max_error": 0.1}, ConfigError),
        ("/no/such/model", {}, RunFolderError),
        ("RUN", {"threshold": 1.1}, ConfigError),
    ],
)
def test_mistakes_are_named(run, source, options, error):
    with pytest.raises(error):
        demur.load(run if source == "RUN" else source, **options)


def test_the_command_answers(run):
    done = run_demur("ask", run, "Who wrote The Hobbit?", "Who?", "--threshold", "1")
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^I don't know\.?$", done.stdout, re.MULTILINE)) == 2
    assert "answers from 1.00" in done.stdout
    asked = run_demur("ask", run, "--json", input="Who wrote The Hobbit?\n\nWho?\n")
    lines = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [line["question"] for line in lines] == ["Who wrote The Hobbit?", "Who?"]
    nothing = run_demur("ask", run, "Who wrote The Hobbit?", " ")
    assert nothing.returncode == 2
    assert "expected: a question" in nothing.stderr
    assert not nothing.stdout, "nothing is asked"
    wrong = run_demur("ask", run, "Who?", "--model-set", "device")
    assert wrong.returncode == 2
    assert "NAME=VALUE" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_three_lines_tune_and_score(tmp_path, run):
    folder = demur.tune(
        model={"path": "pocket"},
        data={"name": "pocket", "limit": 48},
        training={"max_steps": 2},
        out=tmp_path / "tuned",
    )
    with demur.load(folder) as opened:
        assert opened.ask("Who?").signal == "sure"
    outputs = tmp_path / "outputs.jsonl"
    pairs = rows(run, "base")
    outputs.write_text(
        "".join(
            json.dumps({"question": q.text, "answers": list(q.answers), "response": row.answer}) + "\n"
            for q, row in pairs
        )
    )
    found = demur.score(outputs, resamples=0)
    right = sum(row.verdict is Verdict.CORRECT for _, row in pairs)
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(right / len(pairs))

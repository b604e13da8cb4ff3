"""A run judged by a model: the real command on the pocket world, and a real HTTP server as the judge.

What the server says is scripted: it disagrees with the rule in a way that shows which verdict a file holds.
"""

import json
import os
from collections import Counter

import pytest

from chat_server import ChatServer, Said
from commands import succeeded
from demur.core.records import Prediction, Probe, Question, Verdict, read_parquet
from demur.judging import judge


def opinion(text):
    """The verdict that the server gives by a response's length, whatever it says."""
    kinds = (Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED)
    return kinds[len(text.strip()) % 4] if text.strip() else Verdict.UNSCORED


def answer(heard, _):
    material = json.loads(heard.prompt[heard.prompt.rindex('{\n "question"') :])
    verdict = opinion(material["response"])
    if verdict is Verdict.UNSCORED:
        return Said("Let me think about that.")
    reply = {"stance": "refused" if verdict is Verdict.REFUSED else "answered"}
    if "accepted_answers" in material:
        reply = {"correct": verdict is Verdict.CORRECT, **reply}
    return Said(json.dumps(reply))


def expected(question, text):
    """The verdict that must come of it: without accepted answers nothing is correct."""
    verdict = opinion(text)
    if verdict is Verdict.CORRECT and not question.answers:
        return Verdict.UNSCORED if question.answerable else Verdict.WRONG
    return verdict


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    out = folder / "run"
    with ChatServer(answer) as server:
        arguments = ["demo", "--out", out, "--data.limit", 64, "--evaluation.resamples", 20]
        arguments += ["--judge.llm.base_url", server.url, "--judge.llm.model", "tiny"]
        arguments += ["--judge.llm.key_variable", "JUDGE_KEY", "--judge.llm.cache", folder / "kept.sqlite"]
        given = os.environ | {"JUDGE_KEY": "sk-a-secret"}

        def carry_out(*more):
            return succeeded(*arguments, *more, env=given)

        first = carry_out()
        asked = len(server.heard)
        (out / "predictions/r-tuning.parquet").unlink()
        yield out, first, asked, carry_out(), server


def test_every_verdict_is_the_models(run):
    out, *_ = run
    questions = {question.id: question for question in read_parquet(out / "questions.parquet", Question)}
    for probe in read_parquet(out / "probe.parquet", Probe):
        assert probe.greedy_verdict is expected(questions[probe.question_id], probe.greedy.text)
    seen = Counter()
    for system in ("base", "vanilla", "r-tuning"):
        for row in read_parquet(out / f"predictions/{system}.parquet", Prediction):
            question = questions[row.question_id]
            assert row.verdict is expected(question, row.response)
            assert row.abstained or row.verdict is not Verdict.REFUSED
            seen[row.verdict, judge(question, row.response)] += 1
    assert len({model for model, _ in seen}) == 4, "each of the four verdicts occurs"
    assert any(model is not rule for model, rule in seen)


def test_the_manifest_says_what_came_of_it(run):
    out, first, *_ = run
    stages = json.loads((out / "manifest.json").read_text())["stages"]
    rows = read_parquet(out / "predictions/vanilla.parquet", Prediction)
    report = stages["predict/vanilla"]["judge"]
    unscored = sum(row.verdict is Verdict.UNSCORED for row in rows)
    assert (report["responses"], sum(report["unscored"].values())) == (len(rows), unscored)
    assert report["agreement"]["n"] == len(rows) - unscored, "the rule leaves nothing here unscored"
    kappa = report["agreement"]["kappa"]
    assert kappa["low"] <= kappa["value"] <= kappa["high"]
    assert "judge" in stages["probe"]
    assert "Cohen's kappa" in first.stderr
    metrics = json.loads((out / "metrics.json").read_text())["metrics"]["vanilla"]["id"]
    assert metrics["accuracy"]["unscored"] > 0


def test_the_report_says_who_judged(run):
    page = (run[0] / "report.html").read_text(encoding="utf-8")
    assert "A model judged the answers: tiny." in page
    assert "The judge of predict/r-tuning" in page
    assert "Let me think" not in page, "what the judge said is nobody's concern here"


def test_what_was_judged_is_not_asked_again(run):
    out, _, asked, second, server = run
    assert len(server.heard) == asked
    assert len(set(server.prompts)) == asked, "no prompt is asked twice"
    usage = json.loads((out / "manifest.json").read_text())["stages"]["predict/r-tuning"]["judge"]["usage"]
    assert usage["requests"] == 0
    assert usage["cached"] == usage["replies"] > 0
    assert "probe: nothing has changed, kept" in second.stderr


def test_the_key_reaches_the_server_and_no_file(run):
    out, first, _, second, server = run
    assert {heard.headers["Authorization"] for heard in server.heard} == {"Bearer sk-a-secret"}
    files = [path for path in out.parent.rglob("*") if path.is_file()]
    assert [path for path in files if b"sk-a-secret" in path.read_bytes()] == []
    assert "sk-a-secret" not in first.stdout + first.stderr + second.stdout + second.stderr

"""A response without an answer: in no metric, counted apart, and never taken for one."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import demur
from demur.ask.deciding import decided
from demur.ask.decision import Decision
from demur.cli.main import app
from demur.core.errors import ConfigError, DataError
from demur.core.records import Prediction, Probe, Question, Response, Verdict
from demur.core.templates import TEMPLATES
from demur.engines import Generated, Sampling
from demur.knowledge.estimators import estimate
from demur.knowledge.first_look import look
from demur.knowledge.probing import Probing
from demur.methods import baselines, thresholds
from demur.methods.elicitation import from_response
from demur.metrics import METRICS, Rows, evaluate
from demur.pipeline.stages.rejudging import Decided
from demur.scoring import read_outputs, require_new, score, write_rows
from demur.tax import judged as tax_judged

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED
ASKED = Question(id="q", text="Where was she born?", answers=("Oslo",), split="test")
SILENT = ["", " \n", "<think>Oslo", "<|channel|>analysis<|message|>Oslo<|end|>", '{"answer": ""}']


class Says:
    """An engine that says the same to everything, with one sample."""

    def __init__(self, text):
        self.text = text

    def generate(self, prompts, *, keys, sampling, progress=None):
        said = Response(text=self.text)
        return [Generated(greedy=said, samples=(said,) * sampling.samples) for _ in prompts]


def probed(text):
    work = Probing(
        template=TEMPLATES["r-tuning-code"],
        sampling=Sampling(samples=1),
        rule="contains-words",
        score_answers=False,
    )
    return work(Says(text), [ASKED])[0]


def prediction(verdict, answer="Oslo", *, key="q", abstained=False, **signals):
    return Prediction(
        question_id=key, system="base", answer=answer, response=answer, verdict=verdict,
        abstained=abstained, signals=signals,
    )  # fmt: skip


# -- a run -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", SILENT)
def test_a_probe_keeps_the_text_and_says_that_there_is_no_answer(text):
    found = probed(text)
    assert (found.greedy.text, found.greedy_verdict, found.sample_verdicts) == (text, U, (U,))
    assert found.greedy.silent
    assert found.greedy.answer in ("", None)
    (row,) = baselines.base([found])
    assert (row.answer, row.outcome, row.abstained, row.silent) == ("", U, True, True)


def test_a_probe_stores_the_answer_only_where_it_is_not_the_text():
    plain, thought = probed(" Oslo"), probed("<think>Rome</think>Oslo")
    assert (plain.greedy.answer, plain.greedy_verdict) == (None, C)
    assert (thought.greedy.answer, thought.greedy_verdict, thought.samples[0].answer) == ("Oslo", C, "Oslo")
    (row,) = baselines.base([thought])
    assert (row.answer, row.response) == ("Oslo", "<think>Rome</think>Oslo")


@pytest.mark.parametrize(
    ("response", "known"),
    [
        (Response(text=""), False),  # it ended at once: nothing is known
        (Response(text="", finish="length"), None),
        (Response(text="", finish="thinking"), None),
        (Response(text="<think>Oslo", answer=""), None),  # it may know what it does not get to say
    ],
)
def test_what_is_known_of_a_model_that_gives_no_answer(response, known):
    item = Probe(
        question_id="q", greedy=response, greedy_verdict=U, samples=(response,), sample_verdicts=(U,)
    )
    for estimator in ("greedy", "any-correct", "majority", "expected-accuracy(0.5)"):
        assert estimate([ASKED], [item], estimator)[0].known is known, estimator


def test_first_answers_without_any_are_empty():
    probes = [probed(text) for text in SILENT]
    found = look([ASKED] * len(probes), probes, max_new_tokens=15)
    assert (found["empty"], found["unscored"], found["judged"]) == (1.0, len(SILENT), 0)


def test_a_silent_prediction_is_declined_by_every_rule_and_is_no_refusal():
    silent, said = prediction(U, "", likelihood=0.9), prediction(C, likelihood=0.9)
    assert [row.abstained for row in Decided([silent, said], None)] == [True, False]
    assert [row.outcome for row in Decided([silent, said], [U, W])] == [U, W]
    rows = list(thresholds.decided([silent, said], "likelihood", 0.5))
    assert [(row.abstained, row.outcome) for row in rows] == [(True, U), (False, C)]
    (row, _) = baselines.at_same_coverage(
        "base-likelihood", "likelihood", [silent, dataclasses.replace(said, question_id="r")],
        [prediction(C), prediction(C, key="r")], [ASKED, dataclasses.replace(ASKED, id="r")],
        confidence=lambda row, _: row.signals["likelihood"],
    )  # fmt: skip
    assert row.abstained


def test_a_judged_row_without_an_answer_is_unlike_one_that_nobody_could_judge():
    assert prediction(U, "").silent
    assert not prediction(U, "Oslo").silent
    assert prediction(U, "Oslo", abstained=True).outcome is R


# -- metrics -----------------------------------------------------------------------------------


def test_it_counts_in_no_metric():
    """Adding silent rows to any table changes unscored, and nothing else."""
    verdicts, confidence = [C, W, R, C, W], [0.9, 0.8, 0.1, 0.4, 0.3]
    rows = {
        "abstained": [False] * 4 + [True],
        "before": [C, W, W, C, C],
        "answerable": [True] * 4 + [False],
    }
    without = Rows.of(verdicts, confidence=confidence, **rows)
    more = {name: [*values, values[0], values[1]] for name, values in rows.items()}
    silent = [False] * 5 + [True] * 2
    added = Rows.of([*verdicts, U, U], confidence=[*confidence, 0.99, 0.5], silent=silent, **more)
    for name, metric in METRICS.items():
        assert metric.value(added) == metric.value(without), name


def test_its_number_stands_apart():
    questions = [dataclasses.replace(ASKED, id=key) for key in "abc"]
    rows = [prediction(C, key="a"), prediction(U, "", key="b", abstained=True), prediction(R, key="c")]
    found = evaluate(questions, {"base": rows}, primary={"base": "likelihood"}, resamples=0)
    assert found["no_answer"] == {"base": {"id": 1}}
    assert found["tables"]["base"]["id"]["answerable"] == {
        "correct": 1, "wrong": 0, "refused": 1, "unscored": 1,
    }  # fmt: skip
    cell = found["metrics"]["base"]["id"]["coverage"]
    assert (cell["value"], cell["n"], cell["unscored"]) == (0.5, 2, 1)


# -- outputs from elsewhere --------------------------------------------------------------------


def outputs(tmp_path, *responses, **more):
    path = tmp_path / "rows.jsonl"
    lines = [
        {"id": f"{n}", "question": f"Where, {n}?", "answers": ["Oslo"], "response": text, **more}
        for n, text in enumerate(responses)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_scored_outputs(tmp_path):
    path = outputs(tmp_path, "Oslo", "<think>Oslo", "Rome. The answer is Oslo.", "I don't know.", "")
    found = demur.score(path, resamples=0)
    assert found["no_answer"] == 2
    assert found["tables"]["answerable"] == {"correct": 2, "wrong": 0, "refused": 1, "unscored": 2}
    assert (found["metrics"]["coverage"]["value"], found["metrics"]["coverage"]["n"]) == (2 / 3, 3)
    assert found["readings"]["stated"] == 1
    assert found["readings"]["refused"] == 1
    assert sum(count for name, count in found["readings"].items() if name != "stated") == 3
    assert any("2 rows have no answer" in note for note in found["notes"])


def test_an_empty_response_that_was_said_to_be_declined_is_declined(tmp_path):
    path = outputs(tmp_path, "", "", abstained=True)
    assert demur.score(path, resamples=0)["metrics"]["refusal_rate"]["value"] == 1.0


def test_before_without_an_answer_is_no_counterpart(tmp_path):
    (tmp_path / "then").mkdir()
    found = demur.score(
        outputs(tmp_path, "Oslo", "Rome"), outputs(tmp_path / "then", "", "Oslo"), resamples=0
    )
    assert found["metrics"]["over_conservativeness"]["n"] == 1


def test_only_rows_without_an_answer_is_an_error_with_advice(tmp_path):
    with pytest.raises(DataError, match=r"2 rows, 2 of them without any") as error:
        demur.score(outputs(tmp_path, "", "<think>"))
    assert "--response-field" in str(error.value)


def test_rows_are_written_with_verdict_answer_and_reading(tmp_path):
    path = outputs(tmp_path, "Oslo", "Rome. The answer is Oslo.", "<think>Oslo", "I don't know.")
    written = tmp_path / "judged.jsonl"
    done = CliRunner().invoke(app, ["score", str(path), "--rows", str(written), "--resamples", "0"])
    assert done.exit_code == 0, done.output
    assert "no answer: 1 of the unscored" in done.output
    assert "1 state a final answer" in done.output
    assert [json.loads(line) for line in written.read_text("utf-8").splitlines()] == [
        {"id": "0", "verdict": "correct", "reading": "answered"},
        {"id": "1", "verdict": "correct", "answer": "Oslo", "reading": "answered"},
        {"id": "2", "verdict": "unscored", "answer": "", "reading": None, "reason": "no answer"},
        {"id": "3", "verdict": "refused", "reading": "refused"},
    ]
    with pytest.raises(ConfigError, match="which exists"):
        require_new(written)


def test_rows_in_the_order_of_the_file_whatever_the_score_sorts_by(tmp_path):
    path = outputs(tmp_path, "Rome", "Oslo", confidence=0.5)
    read = read_outputs(path, keep=True)
    score(read, resamples=0)
    write_rows(read, tmp_path / "judged.jsonl")
    found = [json.loads(line) for line in (tmp_path / "judged.jsonl").read_text("utf-8").splitlines()]
    assert [(row["id"], row["verdict"]) for row in found] == [("0", "wrong"), ("1", "correct")]


# -- tax, ask ----------------------------------------------------------------------------------


def test_an_exported_task_counts_it_nowhere():
    doc = {
        "id": "q", "text": ASKED.text, "answers": ["Oslo"], "answerable": True, "rule": "contains-words",
        "refusals": [], "before": None,
    }  # fmt: skip
    items = [tax_judged.process_results(doc, [text])["accuracy"] for text in ("Oslo", "<think>", "Rome")]
    assert [item["answer"] for item in items] == ["Oslo", "", "Rome"]
    assert tax_judged.unscored(items) == 1
    assert len(tax_judged.rows(items)) == 3
    assert tax_judged.aggregation("refusal_rate")(items) == 0.0
    assert tax_judged.aggregation("accuracy")(items) == 0.5


@pytest.mark.parametrize("text", ["<think>Oslo", "[THINK]Oslo", "<think>Oslo</think>"])
def test_a_local_model_that_never_answers_is_as_one_of_a_server(text):
    said = from_response(Response(text=text, token_logprobs=(-0.1,)))
    assert (said.answer, said.declines if "</" not in text else True) == ("", True)


SYSTEM = SimpleNamespace(
    config=SimpleNamespace(template=SimpleNamespace(family="r-tuning-code")),
    info=SimpleNamespace(refusals=()),
    recalibration=None,
    recalibrated=None,
)
"""What `decided` asks of a system."""


def answered(text, *, threshold=None):
    said = from_response(Response(text=text, token_logprobs=(-0.1,)))
    template = TEMPLATES["r-tuning-code"]
    return decided(SYSTEM, template, ASKED, said, Decision(signal="likelihood", threshold=threshold))


def test_a_user_sees_what_was_said_outside_of_reasoning_and_the_final_answer():
    found = answered("<think>Rome?</think>Rome or Oslo. The answer is Oslo.\nQ: And he?\nA: Rome")
    assert (found.text, found.answer) == ("Rome or Oslo. The answer is Oslo.", "Oslo")
    assert found.to_json()["answer"] == "Oslo"
    assert answered("Oslo").answer is None
    assert answered("Oslo", threshold=2.0).abstained


@pytest.mark.parametrize("text", ["<think>Oslo", "", '{"answer": ""}'])
def test_a_user_gets_the_refusal_where_there_is_no_answer(text):
    found = answered(text)
    assert (found.text, found.abstained, found.confidence, found.answer) == (
        "I don't know.",
        True,
        None,
        None,
    )
    assert found.reason is not None

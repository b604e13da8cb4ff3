"""R-Tuning's analyses: certain against uncertain data, signals on the same answers, threshold sweeps."""

import json
import math

import numpy as np
import pytest
from reporting_run import make_run, make_small_run
from typer.testing import CliRunner

from demur.analyse import analyse_run
from demur.analyse.certain_uncertain import certain_against_uncertain
from demur.analyse.page import markdown
from demur.analyse.signals import reliability, side_by_side, with_agreement
from demur.analyse.sweep import sweep
from demur.calibrate import calibrate_run
from demur.cli.main import app
from demur.core.config import EvaluationSettings
from demur.core.errors import RunFolderError, UnknownNameError
from demur.core.records import Prediction, Probe, Question, Response, Verdict, read_parquet, write_parquet
from demur.metrics import METRICS, Rows
from demur.runfolder.folder import RunFolder

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED
SETTINGS = {"level": 0.95, "resamples": 200, "seed": 0}
EVALUATION = EvaluationSettings(resamples=200)


def question(name, **more):
    return Question(id=name, text=name, answers=("a",), split="test", **more)


def probe(name, verdict, *, logprobs=(), said=()):
    samples = tuple(Response(text=text) for text in said)
    return Probe(
        question_id=name,
        greedy=Response(text="a", token_logprobs=logprobs),
        greedy_verdict=verdict,
        samples=samples,
        sample_verdicts=(W,) * len(samples),
    )


def compared(*probes, perplexities=None):
    questions = [question(item.question_id) for item in probes]
    by_id = {item.question_id: item for item in probes}
    return certain_against_uncertain(questions, by_id, perplexities, **SETTINGS)


def test_certain_against_uncertain_by_hand():
    """Answers of -log p .1 and (.2 + .4) / 2 = .3 a token against 1; entropies 0, 0 against ln 2."""
    found = compared(
        probe("q1", C, logprobs=(-0.1,), said=("x", "X.")),
        probe("q2", C, logprobs=(-0.2, -0.4), said=("x", "x")),
        probe("q3", W, logprobs=(-1.0,), said=("x", "y")),
        probe("q4", U, logprobs=(-9.0,), said=("x", "y")),  # neither certain nor uncertain
        perplexities={"q1": 2.0, "q2": 4.0, "q3": 7.0, "q4": 100.0},
    )
    assert (found["certain"], found["uncertain"]) == (2, 1)
    expected = {
        "answer_log_perplexity": (0.2, 1.0),
        "answer_entropy": (0.0, math.log(2)),
        "question_log_perplexity": (3.0, 7.0),
    }
    for name, (certain, uncertain) in expected.items():
        cells = found[name]
        assert cells["certain"]["value"] == pytest.approx(certain)
        assert cells["uncertain"]["value"] == pytest.approx(uncertain)
        assert cells["difference"]["value"] == pytest.approx(uncertain - certain)
        assert (cells["certain"]["n"], cells["difference"]["n"]) == (2, 3)
        assert cells["uncertain"]["low"] is None  # one question has no interval
        assert cells["difference"]["low"] is None


def test_the_interval_of_a_difference_is_that_of_two_samples():
    rng = np.random.default_rng(0)
    draws = {True: rng.normal(1, 0.3, 400), False: rng.normal(2, 0.6, 200)}
    probes = [
        probe(f"{side}{n}", C if side else W, logprobs=(-float(value),))
        for side, values in draws.items()
        for n, value in enumerate(values)
    ]
    cell = compared(*probes)["answer_log_perplexity"]["difference"]
    half = 1.96 * math.sqrt(draws[True].var() / 400 + draws[False].var() / 200)
    assert cell["value"] == pytest.approx(draws[False].mean() - draws[True].mean())
    assert (cell["high"] - cell["low"]) / 2 == pytest.approx(half, rel=0.2)
    assert cell["low"] < cell["value"] < cell["high"]


def test_what_the_run_does_not_have_is_undefined():
    found = compared(probe("q1", C), probe("q2", W))
    assert [
        found[name] for name in ("question_log_perplexity", "answer_log_perplexity", "answer_entropy")
    ] == [None] * 3
    one_sided = compared(probe("q1", C, logprobs=(-1.0,)))
    assert one_sided["answer_log_perplexity"] is None
    assert compared()["certain"] == 0


def prediction(name, verdict, *, answer="a", **signals):
    return Prediction(
        question_id=name,
        system="s",
        answer=answer,
        response="",
        verdict=verdict,
        abstained=False,
        signals=signals,
    )


def test_agreement_is_the_share_of_samples_that_say_the_answer():
    row = prediction("q", C, answer="Lund", sure=0.5)
    said = probe("q", C, said=("lund", " Lund.", "Oslo", "the Lund"))
    assert with_agreement(row, said).signals == {"sure": 0.5, "agreement": 0.75}
    assert with_agreement(row, probe("q", C)) is row
    assert with_agreement(row, None) is row
    own = prediction("q", C, agreement=0.1)
    assert with_agreement(own, said) is own


def test_signals_are_held_against_the_same_rows():
    verdicts = [C, W, C, W, C, U, C]
    sure = [0.9, 0.2, 0.8, 0.6, 0.7, 0.5, 0.3]
    chance = [0.5, 0.6, 0.4, 0.3, 0.9, 0.5, None]
    rows = []
    for n, (verdict, first, second) in enumerate(zip(verdicts, sure, chance, strict=True)):
        signals = {"sure": first} | ({} if second is None else {"likelihood": second})
        rows.append((question(str(n)), prediction(str(n), verdict, **signals)))
    found = side_by_side(rows, ["sure", "likelihood"], **SETTINGS, bins=15)
    assert (found["n"], found["left_out"]) == (5, 2)  # one is not judged, one lacks a signal
    for name, values in (("sure", sure), ("likelihood", chance)):
        whole = Rows.of(verdicts[:5], confidence=values[:5])
        for metric in ("ece", "brier", "auroc", "ap"):
            expected = METRICS.get(metric).value(whole)
            assert found["signals"][name][metric]["value"] == pytest.approx(expected)
    [gap] = [item for item in found["differences"] if item["metric"] == "auroc"]
    assert (gap["system"], gap["against"], gap["n"]) == ("sure", "likelihood", 5)
    cells = [found["signals"][name]["auroc"]["value"] for name in ("sure", "likelihood")]
    assert gap["value"] == pytest.approx(cells[0] - cells[1])
    nothing = side_by_side(rows[5:6], ["sure", "likelihood"], **SETTINGS, bins=15)
    assert (nothing["n"], nothing["signals"]) == (0, {})


def test_reliability_by_hand():
    # Bins of a tenth, the last one closed: .05 wrong; .91 and 1 right, .95 wrong.
    found = reliability(np.array([0.05, 0.91, 0.95, 1.0]), np.array([False, True, False, True]))
    assert [(b["from"], b["n"], b["accuracy"]) for b in found] == [
        (0.0, 1, 0.0),
        (0.9, 3, pytest.approx(2 / 3)),
    ]
    assert found[1]["confidence"] == pytest.approx((0.91 + 0.95 + 1) / 3)
    assert reliability(np.array([0.5, 3.0]), np.array([True, True])) is None


@pytest.fixture
def small(tmp_path):
    folder = RunFolder(make_small_run(tmp_path / "small"))
    asked = {item.id: item for item in read_parquet(folder.questions, Question)}
    rows, base = (read_parquet(folder.predictions(s), Prediction) for s in ("r-tuning", "base"))
    return [(asked[row.question_id], row) for row in rows], base


def test_a_sweep_by_hand(small):
    """At the run's .5 the table in reporting_run declines 4 of 10: over-refusal 1 of 5 that were right
    before; of the four that were wrong and stay so, three. 4 of the 6 given are right."""
    rows, base = small
    lines = sweep(rows, base, "sure", {"the run's": 0.5}, EVALUATION, seed=0)
    [own] = [line for line in lines if line["mark"]]
    values = {name: own[name]["value"] for name in own if name not in ("threshold", "mark")}
    assert own["threshold"] == 0.5
    assert values == pytest.approx(
        {
            "coverage": 0.6,
            "accuracy_willing": 4 / 6,
            "prudence": 3 / 4,
            "over_conservativeness": 1 / 5,
            "honesty": (3 / 4 + 4 / 5) / 2,
        }
    )
    assert [line["threshold"] for line in lines] == sorted(line["threshold"] for line in lines)
    coverage = [line["coverage"]["value"] for line in lines]
    assert coverage[0] == 1.0
    assert coverage == sorted(coverage, reverse=True)
    assert all(
        line["honesty"]["low"] <= line["honesty"]["value"] <= line["honesty"]["high"] for line in lines
    )


def test_what_is_refused_in_words_or_has_no_signal_stays_declined(small):
    rows, base = small
    first, second, *rest = rows
    changed = [
        (first[0], Prediction(**{**{n: getattr(first[1], n) for n in first[1].__slots__}, "verdict": R})),
        (
            second[0],
            Prediction(**{**{n: getattr(second[1], n) for n in second[1].__slots__}, "signals": {}}),
        ),
        *rest,
    ]
    assert sweep(changed, base, "sure", {}, EVALUATION, seed=0)[0]["coverage"]["value"] == pytest.approx(
        0.8
    )
    assert sweep(changed, base, "verbal", {}, EVALUATION, seed=0) == []


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = RunFolder(make_run(tmp_path_factory.mktemp("runs") / "run", people=60))
    rng = np.random.default_rng(0)
    questions, probes = read_parquet(folder.questions, Question), []
    for n, item in enumerate(questions):
        text = item.answers[0] if item.answers and rng.random() < 0.6 else "Rome"
        probes.append(
            probe(item.id, C if n % 3 else W, logprobs=(-float(rng.random()),), said=[text, "Rome", text])
        )
    write_parquet(folder.probe, probes, Probe)
    with folder.config.open("a", encoding="utf-8") as config:
        config.write("evaluation: {resamples: 20}\n")
    return folder.root


def test_a_run_is_analysed_without_a_model(run):
    found = analyse_run(run)
    assert json.loads((run / "analysis.json").read_text("utf-8")) == found
    assert set(found["signals"]) == set(found["sweep"]) == {"id", "ood"}
    assert set(found["signals"]["id"]["signals"]) == {"sure", "likelihood", "combined", "agreement"}
    assert found["certain_against_uncertain"]["certain"] == 0  # this run has no training questions
    page = (run / "analysis.md").read_text("utf-8")
    assert page == markdown(found, "run")
    assert "No threshold may be chosen from these tables" in page
    assert "one side is empty" in page


def test_thresholds_in_use_are_marked(run):
    card = RunFolder(run).model("r-tuning") / "demur.json"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(json.dumps({"threshold": {"signal": "sure", "value": 0.5}}), "utf-8")
    made = calibrate_run(run, signal="likelihood", max_error=0.5, confidence=0.6)
    promised = made["guarantees"]["all"]["threshold"]
    try:
        lines = analyse_run(run)["sweep"]["id"]
        (run / "guarantee.json").write_text(json.dumps(made | {"computed_from": None}), "utf-8")
        unmarked = analyse_run(run)["sweep"]["id"]["likelihood"]
    finally:
        card.unlink()
        (run / "guarantee.json").unlink()
    assert not [line for line in unmarked if line["mark"]], "nobody knows what that threshold is of"
    marks = {s: [(x["threshold"], x["mark"]) for x in rows if x["mark"]] for s, rows in lines.items()}
    assert marks == {
        "sure": [(0.5, "the run's")],
        "likelihood": [(promised, "promised")],
        "combined": [],
        "agreement": [],
    }


def test_the_command_prints_the_page_or_json(run):
    said = CliRunner().invoke(app, ["analyse", str(run), "--system", "base"]).stdout
    assert "Signals on the same answers" in said
    assert (
        json.loads(CliRunner().invoke(app, ["analyse", str(run), "--json"]).stdout)["system"] == "r-tuning"
    )


def test_what_is_missing_is_named(run, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'base'"):
        analyse_run(run, system="bass")
    with pytest.raises(RunFolderError, match=r"no metrics\.json"):
        analyse_run(tmp_path)

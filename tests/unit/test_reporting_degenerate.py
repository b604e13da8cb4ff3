"""Systems that know nothing of their own knowledge get no flattering word: on the page, in the terminal, in
the comparison. Their predictions are a real system's answers with a policy in place of its choice."""

from __future__ import annotations

import json
import random
import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from demur.compare import collect, summarise, tables
from demur.compare import page as comparison_page
from demur.core.records import Prediction, Probe, Question, Response, Verdict, read_parquet, write_parquet
from demur.metrics import evaluate
from demur.report import headline, summary_table, write_report

maker = runpy.run_path(str(Path(__file__).with_name("reporting_run.py")))
LUCKY = 3


def always_answer(row, rng):
    return replace(row, abstained=False, signals={"sure": 1.0})


def always_refuse(row, rng):
    return replace(row, abstained=True, signals={"sure": 0.0})


def refuse_in_words(row, rng):
    text = "I do not know."
    return replace(
        row, abstained=True, verdict=Verdict.REFUSED, answer=text, response=text, signals={"sure": 0.0}
    )


def flip_a_coin(row, rng):
    sure = rng.random()
    return replace(row, abstained=sure < 0.5, signals={"sure": sure})


def answer_three_by_luck(row, rng):
    """Declines everything but three questions, on which it happens to be right."""
    lucky = row.question_id in rng.lucky
    return replace(row, abstained=not lucky, signals={"sure": float(lucky)})


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """A run whose method follows a policy."""
    found = {}

    def made(policy):
        if policy not in found:
            found[policy] = _make(tmp_path_factory.mktemp(policy.__name__), policy)
        return found[policy]

    return made


def _make(folder, policy):
    maker["make_run"](folder)
    questions = read_parquet(folder / "questions.parquet", Question)
    systems = maker["SYSTEMS"] | {"r-tuning": "sure"}
    rows = {s: read_parquet(folder / "predictions" / f"{s}.parquet", Prediction) for s in systems}
    rng = random.Random(1)
    in_domain = {q.id for q in questions if q.split == "test" and q.domain == "id"}
    right = [
        r.question_id
        for r in rows["r-tuning"]
        if r.verdict is Verdict.CORRECT and r.question_id in in_domain
    ]
    rng.lucky = set(right[:LUCKY])
    rows["r-tuning"] = [policy(row, rng) for row in rows["r-tuning"]]
    pairs = [("r-tuning", rival) for rival in ("base", "base-likelihood", "familiarity-only")]
    metrics = evaluate(questions, rows, primary=systems, compare=pairs, resamples=200)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["systems"]["r-tuning"]["primary_signal"] = "sure"
    config = (folder / "config.yaml").read_text("utf-8")
    maker["write_run"](folder, questions, rows, metrics, manifest, config=config)
    probes = [
        Probe(question_id=row.question_id, greedy=Response(text=row.response), greedy_verdict=row.verdict)
        for row in rows["base"]
    ]
    write_parquet(folder / "probe.parquet", probes, Probe)
    return folder, metrics, manifest


POLICIES = [always_answer, always_refuse, refuse_in_words, flip_a_coin, answer_three_by_luck]
SAID = {
    always_answer: ["After R-Tuning it still answers every question and is right on"],
    always_refuse: [
        "After R-Tuning it answers none of the questions, so there is no accuracy to speak of",
        "declines 100%, and of the test questions with an answer 100%, so that it is not shown to tell "
        "them apart; the base model declines 0%",
    ],
    refuse_in_words: [
        "After R-Tuning it answers none of the questions, so there is no accuracy to speak of",
        "and of the test questions with an answer 100%, so that it is not shown to tell them apart",
    ],
    flip_a_coin: [
        "which does not beat refusing as often at random",
        "so that it is not shown to tell them apart",
    ],
    answer_three_by_luck: [
        # Three of three: the exact lower limit is .025^(1/3) = 29 %.
        "is right on 100% [29–100] of those, which does not beat refusing as often at random",
        "so that it is not shown to tell them apart",
    ],
}
each_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
FLATTERY = re.compile(r"better by|knowledge (kept|gained)|▲")


@each_policy
def test_the_headline_flatters_no_policy(run_of, policy):
    _, metrics, manifest = run_of(policy)
    sentences = headline(metrics, manifest)
    for said in SAID[policy]:
        assert any(said in sentence for sentence in sentences), (said, sentences)
    for sentence in sentences:
        about_rivals = " against " in sentence
        silent = policy in (always_refuse, refuse_in_words)
        # An always-answering system does keep what it knew; one that is silent shows nobody.
        found = FLATTERY.search(sentence) if about_rivals or silent else re.search("better by", sentence)
        assert not found, sentence


@each_policy
def test_the_page_says_the_same_at_its_top_and_marks_nothing_as_better(run_of, policy):
    folder, metrics, manifest = run_of(policy)
    top = re.search(r"<header.*?</header>", write_report(folder).read_text("utf-8"), re.S)[0]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", top))
    for sentence in headline(metrics, manifest):
        for clause in SAID[policy]:
            if clause in sentence:
                assert clause in text
    assert 'class="even"' in top or 'class="undefined"' in top  # the marks are there
    assert 'class="better"' not in top


@each_policy
def test_accuracy_when_answering_is_nowhere_called_better(run_of, policy):
    """Whoever declines more is easily right more often: on the page that is no comparison at all."""
    folder, *_ = run_of(policy)
    page = write_report(folder).read_text("utf-8")
    panel = re.search(
        r'data-metric="accuracy_willing">.*?(?=<div class="panel" data-metric|</section>)', page, re.S
    )[0]
    assert "better by" not in panel
    if policy in (flip_a_coin, answer_three_by_luck):
        assert "no fair comparison" in panel


@each_policy
def test_the_terminal_has_no_accuracy_without_its_coverage(run_of, policy, tmp_path):
    _, metrics, manifest = run_of(policy)
    console = Console(width=110, record=True, file=(tmp_path / "out").open("w"))
    console.print(summary_table(metrics, manifest))
    line = next(line for line in console.export_text().splitlines() if line.strip().startswith("r-tuning"))
    _, _, coverage, willing, *_ = line.split()
    if policy in (always_refuse, refuse_in_words):
        assert (coverage, willing) == ("0.0%", "–")
    elif policy is always_answer:
        assert coverage == "100.0%"
    elif policy is flip_a_coin:
        assert 40 < float(coverage.rstrip("%")) < 60
    else:
        assert (coverage, willing) == ("1.1%", "100.0%*")  # 3 of 262 or so: few, and the coverage says so


@each_policy
def test_the_comparison_calls_no_policy_better(run_of, policy, tmp_path):
    folder, *_ = run_of(policy)
    summary = summarise([collect(folder)])
    (group,) = summary["datasets"].values()
    gaps = [
        item for item in group["differences"] if item["system"] == "r-tuning" and item["mean"] is not None
    ]
    assert gaps
    for item in gaps:
        tone = comparison_page._difference(item, summary["level"])["tone"]
        assert tone != "better", item
        if (
            item["metric"] == "accuracy_willing"
            and policy is answer_three_by_luck
            and item["split"] == "id"
        ):
            assert tone == "unequal"
    honesty = group["splits"]["id"]["r-tuning"]["honesty"]["mean"]
    if policy in (always_refuse, refuse_in_words):
        assert honesty == pytest.approx(0.5)  # the floor, as the notice above the table says
    assert "Always refusing scores 100% prudence and 50% honesty" in comparison_page.render(summary)
    shown = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    for table in tables(summary):
        shown.print(table)
    assert "always refuse" in shown.export_text()  # anyone's rows stand beside it

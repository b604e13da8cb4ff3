"""Comparing runs: means and intervals over seeds, paired differences, the columns of its own."""

import base64
import itertools
import math
import re

import pytest

from demur.compare import summarise
from demur.compare.collect import RunCells
from demur.compare.columns import (
    auroc_of_truth,
    by_reads,
    honesty_of_truth,
    likelihood_at_coverage,
    refusal_rate,
)
from demur.compare.markdown import markdown
from demur.compare.page import LINE, _difference, _labels, render
from demur.compare.sheets import sheets, write_csv
from demur.compare.summary import over_seeds
from demur.core.records import Prediction, Question, Verdict
from demur.metrics.multiple import holm

RIGHT, WRONG = Verdict.CORRECT, Verdict.WRONG


def row(key, verdict, *, abstained=False, **signals):
    return Prediction(
        question_id=key,
        system="s",
        answer="",
        response="",
        verdict=verdict,
        abstained=abstained,
        signals=signals,
    )


def asked(*keys, **more):
    return {key: Question(id=key, text=key, answers=("x",), split="test", **more) for key in keys}


def test_mean_and_student_interval_over_seeds():
    # mean 2, sd 1, half width t(2, .975) x 1 / sqrt(3) = 4.3027 / 1.7321 = 2.4841
    found = over_seeds([1.0, 2.0, None, 3.0])
    assert (found["mean"], found["n"]) == (2.0, 3)
    assert found["low"] == pytest.approx(2 - 2.48414, abs=1e-4)
    assert found["values"] == [1.0, 2.0, None, 3.0]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_nothing_measured_has_no_mean(values):
    found = over_seeds(values)
    assert (found["mean"], found["low"], found["high"], found["n"]) == (None, None, None, 0)


def test_one_seed_has_a_mean_and_no_interval():
    assert over_seeds([0.5])["low"] is None


def test_holm_multiplies_by_the_tests_left_and_never_falls():
    # sorted .01 x 3 = .03, .03 x 2 = .06, .04 x 1 = .04 -> raised to .06; the missing one stays missing
    assert holm([0.04, 0.01, None, 0.03]) == pytest.approx([0.06, 0.03, None, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.9]) == [1.0, 1.0]


def test_base_at_the_same_coverage_answers_its_likeliest_in_each_part():
    questions = asked("a", "b", group="g") | asked("c", "d", group="h")
    base = {
        "a": row("a", WRONG, likelihood=0.9),
        "b": row("b", RIGHT, likelihood=0.8),
        "c": row("c", RIGHT, likelihood=0.2),
        "d": row("d", WRONG, likelihood=0.1),
    }
    tuned = [
        row("a", WRONG),
        row("b", RIGHT, abstained=True),
        row("c", WRONG),
        row("d", WRONG, abstained=True),
    ]
    # one answered in each part: a (wrong) and c (right) -> one half
    assert likelihood_at_coverage(tuned, base, questions) == 0.5
    nothing = [row(key, WRONG, abstained=True) for key in "abcd"]
    assert likelihood_at_coverage(nothing, base, questions) is None
    assert likelihood_at_coverage(tuned, {**base, "a": row("a", WRONG)}, questions) is None


def test_truth_columns_need_both_sides_and_every_signal():
    rows = [row("a", RIGHT, sure=0.9), row("b", WRONG, sure=0.4), row("c", RIGHT, sure=0.6, abstained=True)]
    known = {"a": True, "b": False, "c": False}
    assert auroc_of_truth(rows, known, "sure") == 1.0
    assert auroc_of_truth(rows, {"a": True, "b": True}, "sure") is None
    assert auroc_of_truth(rows, known, "verbal") is None
    assert honesty_of_truth(rows, known) == 0.75  # the known one answered, one of two unknown declined
    assert honesty_of_truth([], known) is None
    assert refusal_rate([]) is None


def test_answers_by_reads_keep_what_was_not_answered_undefined():
    questions = asked("a", "b", group="mixed", meta={"reads": 8}) | asked("c", meta={"reads": 0})
    rows = [row("a", RIGHT), row("b", WRONG, abstained=True), row("c", WRONG, abstained=True)]
    assert by_reads(rows, questions) == {
        "all/0": {"n": 1, "answered": 0.0, "accuracy_willing": None},
        "mixed/8": {"n": 2, "answered": 0.5, "accuracy_willing": 1.0},
    }


def cells(seed, values, name="d", **columns):
    from pathlib import Path

    return RunCells(
        path=Path(f"runs/{seed}"),
        dataset=name,
        seed=seed,
        method="m",
        settings="{}",
        systems=tuple(values),
        cells={
            "id": {
                s: {"accuracy": {"value": v, "low": 0.1, "high": 0.9}}
                | {name: {"value": of[s], "low": None, "high": None} for name, of in columns.items()}
                for s, v in values.items()
            }
        },
        reads={},
        known_share=None,
    )


def test_paired_differences_use_the_seeds_that_both_systems_have():
    runs = [
        cells(0, {"base": 0.5, "m": 0.6}),
        cells(1, {"base": 0.4, "m": 0.7}),
        cells(2, {"base": None, "m": 0.9}),
    ]
    found = summarise(runs)["datasets"]["d"]
    (gap,) = [d for d in found["differences"] if d["metric"] == "accuracy" and d["system"] == "m"]
    # gaps .1 and .3: mean .2, half width 12.7062 x sqrt(.02) / sqrt(2) = 1.27062
    assert (gap["mean"], gap["n"], gap["against"]) == (pytest.approx(0.2), 2, "base")
    assert gap["low"] == pytest.approx(0.2 - 1.27062, abs=1e-4)
    # t = .2 / .1 = 2 on one degree of freedom: p = 1 - 2 atan(2) / pi
    assert gap["p_holm"] == pytest.approx(1 - 2 * math.atan(2) / math.pi)


def test_one_run_keeps_its_own_interval():
    found = summarise([cells(0, {"base": 0.5})])["datasets"]["d"]["splits"]["id"]["base"]["accuracy"]
    assert (found["mean"], found["low"], found["high"], found["n"]) == (0.5, 0.1, 0.9, 1)


def test_the_page_escapes_names_and_holds_every_value_as_csv():
    hostile = "<script>alert(1)</script>"
    summary = summarise([cells(0, {"base": 0.5, hostile: 0.25})])
    page = render(summary)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    lines = sheets(summary)[0].text.splitlines()
    assert lines[0] == "dataset,split,system,column,mean,low,high,n"
    assert "d,id,base,accuracy,0.5,0.1,0.9,1" in lines


def test_names_are_text_in_the_files_and_the_page_holds_the_same_files(tmp_path):
    summary = summarise([cells(0, {"base": 0.5, "=1+1": 0.25}), cells(1, {"base": 0.4, "=1+1": 0.5})])
    written = {path.stem: path.read_bytes() for path in write_csv(summary, tmp_path)}
    assert set(written) == {"values", "seeds", "differences", "reads"}
    assert b"d,id,'=1+1,accuracy,1,0.5" in written["seeds"]
    page = render(summary)
    for name in ("values", "seeds", "differences"):
        link = re.search(rf'download="{name}.csv" href="data:text/csv;base64,([^"]*)"', page)[1]
        assert base64.b64decode(link) == written[name]


def test_a_verdict_stands_only_after_the_correction():
    # gaps of m: .1 and .1001, p of a t test on one degree of freedom 3e-4; of the others: noise
    names = [f"s{i}" for i in range(4)]
    runs = [
        cells(0, {"base": 0.5, "m": 0.6} | dict.fromkeys(names, 0.5)),
        cells(1, {"base": 0.5, "m": 0.6001} | dict.fromkeys(names, 0.51)),
    ]
    summary = summarise(runs)
    found = {d["system"]: _difference(d, 0.95) for d in summary["datasets"]["d"]["differences"]
             if (d["metric"], d["against"]) == ("accuracy", "base")}  # fmt: skip
    assert found["m"]["tone"] == "better"
    assert {found[name]["tone"] for name in names} == {"even"}
    item = summary["datasets"]["d"]["differences"][0]
    assert _difference(item | {"low": 0.01, "high": 0.2, "p_holm": 0.2}, 0.95)["tone"] == "unsure"
    assert _difference(item | {"low": -0.2, "high": -0.1, "p_holm": 0.01}, 0.95)["tone"] == "worse"


def test_who_answers_less_is_not_called_better_for_being_right_more_often():
    """A system that answers 3 questions in 100 and is right on all of them against one that answers all."""
    runs = [
        cells(
            seed,
            {"base": 0.5, "mute": 0.5, "peer": 0.5},
            coverage={"base": 1.0, "mute": 0.03, "peer": 0.999},
            accuracy_willing={"base": 0.5, "mute": 1.0 - seed / 100, "peer": 0.6 + seed / 100},
        )
        for seed in range(3)
    ]
    gaps = {
        d["system"]: d
        for d in summarise(runs)["datasets"]["d"]["differences"]
        if (d["metric"], d["against"]) == ("accuracy_willing", "base")
    }
    assert (gaps["mute"]["fair"], gaps["mute"]["p_holm"]) == (False, None)
    assert _difference(gaps["mute"], 0.95)["tone"] == "unequal"
    assert gaps["peer"]["fair"]
    assert _difference(gaps["peer"], 0.95)["tone"] == "better"
    page = render(summarise(runs))
    assert "no fair comparison" in page
    assert "mute" not in "".join(markdown_rows(summarise(runs)))


def markdown_rows(summary):
    text = markdown(summary, title="t", command="c").partition("### Paired differences")[2]
    return [line for line in text.splitlines() if "When answering" in line]


def test_dots_on_one_another_share_a_label_and_labels_do_not_overlap():
    places = [(100, 100), (101, 101), (108, 118), (300, 40)]
    dots = [{"number": n, "mean": at} for n, at in enumerate(places, start=1)]
    found = _labels(dots)
    assert [label["text"] for label in found] == ["1, 2", "3", "4"]
    for a, b in itertools.combinations(found, 2):
        assert abs(a["x"] - b["x"]) >= (a["wide"] + b["wide"]) / 2 or abs(a["y"] - b["y"]) >= LINE

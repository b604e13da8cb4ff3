"""What stands behind the report's tables and figures: moves, slices, curves, weighed differences, CSV."""

from __future__ import annotations

import csv
import io
import math
import runpy
from pathlib import Path
from statistics import NormalDist

import pytest

from demur.core.records import Prediction, Question, Verdict
from demur.metrics.multiple import p_of_interval
from demur.metrics.proportion import wilson
from demur.report import write_csv
from demur.report.curves import known_and_unknown, reliability, risk_coverage
from demur.report.flow import flows
from demur.report.material import Material
from demur.report.paired import paired_differences
from demur.report.promise import promise
from demur.report.sheets import Sheet, csv_text, guarded
from demur.report.slices import LEAST, slices
from demur.runfolder.finished import FinishedRun

maker = runpy.run_path(str(Path(__file__).with_name("reporting_run.py")))
VERDICTS = {"c": Verdict.CORRECT, "w": Verdict.WRONG, "r": Verdict.REFUSED, "u": Verdict.UNSCORED}


def row(key, code, *, system="s", **signals):
    """One prediction; a capital letter declines all the same."""
    return Prediction(
        question_id=key,
        system=system,
        answer="a",
        response="a",
        verdict=VERDICTS[code.lower()],
        abstained=code.isupper() or code == "r",
        signals=signals,
    )


def rows(codes, **signals):
    return [row(str(i), code, **{k: v[i] for k, v in signals.items()}) for i, code in enumerate(codes)]


# ---- moves --------------------------------------------------------------------------------------


def test_every_move_is_counted_once_and_the_unscored_stand_apart():
    # before c c c w w w r u, after c w C c w r c c: one of each, the last one unscored before
    before, after = rows("cccwwwru"), rows("cwCcwrcc")
    found = flows(before, after, {str(i): ("id",) for i in range(8)})["id"]
    #                       right before   wrong before   refused before; each right, wrong, refused now
    assert found.counts == (1, 1, 1, 1, 1, 1, 1, 0, 0)
    assert found.unscored == 1
    assert sum(found.counts) + found.unscored == 8


def test_questions_that_only_one_system_was_asked_move_nowhere():
    assert flows(rows("c"), [row("elsewhere", "c")], {"elsewhere": ("id",)}) == {}


def test_the_newly_wrong_of_the_grid_are_those_of_the_metrics(tmp_path):
    run = FinishedRun.open(maker["make_run"](tmp_path), in_memory=True)
    found = Material.of(run).moves["r-tuning"]["id"]
    right_before = sum(found.counts[:3])
    cells = run.metrics["metrics"]["r-tuning"]["id"]
    assert cells["newly_wrong"]["value"] == pytest.approx(found.counts[1] / right_before)
    assert cells["over_conservativeness"]["value"] == pytest.approx(found.counts[2] / right_before)


# ---- slices -------------------------------------------------------------------------------------


def asked(n, **fields):
    return [
        Question(id=f"{fields}{i}", text="one two", answers=("x",), split="test", **fields)
        for i in range(n)
    ]


def paired(questions, codes, **signals):
    return [
        (q, row(q.id, code, **{k: v[i] for k, v in signals.items()}))
        for i, (q, code) in enumerate(zip(questions, codes, strict=True))
    ]


def test_a_bad_group_is_found_with_its_interval_and_marked_after_correction():
    good = paired(asked(60, group="good"), "c" * 57 + "w" * 3)
    bad = paired(asked(40, group="bad"), "c" * 20 + "w" * 20)
    by_name = {item.value: item for item in slices(good + bad, None).slices if item.dimension == "group"}
    assert by_name["bad"].accuracy[0] == 0.5
    # Wilson of 20 in 40: centre 1/2, half width z/d sqrt(.25/40 + z²/6400) = .1480 with d = 1 + z²/40
    assert by_name["bad"].accuracy[1:] == pytest.approx((0.3520, 0.6480), abs=1e-4)
    assert by_name["bad"].p_accuracy < 0.001
    assert by_name["good"].p_accuracy == pytest.approx(1.0)
    assert by_name["bad"].refusal[0] == 0.0


def test_small_slices_are_counted_and_not_shown_and_few_answers_give_no_accuracy():
    small = paired(asked(LEAST - 1, group="small"), "w" * (LEAST - 1))
    silent = paired(asked(LEAST, group="silent"), "c" * (LEAST - 1) + "C")
    large = paired(asked(LEAST, group="large"), "c" * LEAST)
    found = slices(small + silent + large, None)
    by_name = {item.value: item for item in found.slices if item.dimension == "group"}
    assert set(by_name) == {"silent", "large"}
    assert found.small == 1
    assert by_name["silent"].accuracy is None
    assert by_name["silent"].p_accuracy is None
    assert by_name["silent"].refusal[0] == pytest.approx(1 / LEAST)
    assert by_name["large"].accuracy[0] == 1.0


def test_what_does_not_differ_is_no_slice_and_nothing_has_none():
    assert slices(paired(asked(50), "c" * 50), None).slices == ()
    assert slices([], None).slices == ()
    assert slices([], "sure").slices == ()


def test_unscored_questions_are_in_no_n():
    found = slices(
        paired(asked(40, group="a"), "c" * 35 + "u" * 5) + paired(asked(40, group="b"), "c" * 40), None
    )
    a = next(item for item in found.slices if item.value == "a")
    assert (a.n, a.unscored, a.answered, a.right) == (35, 5, 35, 35)


def test_equal_confidences_stay_in_one_tenth_and_tenths_are_not_marked():
    questions = asked(300)
    values = [0.5] * 150 + [0.5 + (i + 1) / 1000 for i in range(150)]
    found = list(slices(paired(questions, "w" * 150 + "c" * 150, sure=values), "sure").slices)
    assert [item.dimension for item in found] == ["confidence"] * 6  # the ties, and five tenths of thirty
    assert found[0].n == 150
    assert {item.p_accuracy for item in found} == {None}


def test_lengths_and_kinds_of_answers_are_named():
    texts = ["a b"] * 40 + ["a b c"] * 40 + ["a b c d e"] * 40
    answers = ["1987"] * 40 + ["yes"] * 40 + ["New York"] * 40
    questions = [
        Question(id=str(i), text=t, answers=(a,), split="test")
        for i, (t, a) in enumerate(zip(texts, answers, strict=True))
    ]
    found = {(s.dimension, s.value): s.n for s in slices(paired(questions, "c" * 120), None).slices}
    # sorted lengths 2 … 3 … 5: the thirds begin at 3 and 5, and 5 is the longest
    assert found == {
        ("length", "2 to 3"): 80,
        ("length", "4 or more"): 40,
        ("answer", "a year"): 40,
        ("answer", "two words"): 40,
        ("answer", "yes or no"): 40,
    }


# ---- curves -------------------------------------------------------------------------------------


def test_risk_and_coverage_by_hand_with_ties_together():
    # by confidence: .9 c, .8 w and .8 c tied, .5 w, refusal (never answered); 5 scored, one unscored
    found = risk_coverage(rows("cwcwru", sure=[0.9, 0.8, 0.8, 0.5, 0.7, 0.6]), "sure", steps=5)
    assert [(p.threshold, p.answered, p.right) for p in found] == [(0.9, 1, 1), (0.8, 3, 2), (0.5, 4, 2)]
    assert [p.coverage for p in found] == pytest.approx([0.2, 0.6, 0.8])
    assert [p.risk for p in found] == pytest.approx([0, 1 / 3, 0.5])
    assert risk_coverage([], "sure") == []
    assert risk_coverage(rows("cw"), "sure") == []


def test_reliability_by_hand():
    found = reliability(rows("cwcc", sure=[0.1, 0.2, 0.5, 1.0]), "sure", bins=2)
    # [0, .5): .1 right, .2 wrong; [.5, 1]: .5 and 1 right
    assert [(b.n, b.confidence, b.accuracy) for b in found] == [
        (2, pytest.approx(0.15), 0.5),
        (2, 0.75, 1.0),
    ]
    assert reliability(rows("c", sure=[1.5]), "sure", bins=2) == []  # no probability


def test_confidence_by_what_was_known_before():
    # .1 known, .2 unknown, .9 known; a refusal, an unscored one, one never asked before: nowhere
    before = dict(zip("01234", map(VERDICTS.get, "cwccu"), strict=True))
    found = known_and_unknown(rows("cwcruc", sure=[0.1, 0.2, 0.9, 0.9, 0.9, 0.9]), before, "sure", bins=2)
    assert [(c.low_edge, c.known, c.unknown) for c in found] == [(0.0, 1, 1), (0.5, 1, 0)]
    assert known_and_unknown(rows("c", sure=[2.0]), before, "sure") == []


# ---- intervals and corrections ------------------------------------------------------------------


def test_wilson_has_a_width_at_the_ends():
    # z² = 3.8415: 3 of 3 gives 3 / (3 + z²) = .4385
    assert wilson(3, 3) == pytest.approx((0.4385, 1.0), abs=1e-4)
    assert wilson(0, 3) == pytest.approx((0.0, 0.5615), abs=1e-4)
    assert wilson(0, 0) is None


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(("count", "n"), [(0, 1), (1, 1), (2, 7), (49, 49), (333, 1000), (1, 54_321)])
def test_wilson_is_the_formula_of_1927(count, n, level):
    z, p = NormalDist().inv_cdf((1 + level) / 2), count / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    expected = [(middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)]
    assert wilson(count, n, level) == pytest.approx(expected, abs=1e-12)


def test_a_p_value_falls_below_five_percent_exactly_where_the_interval_leaves_zero_out():
    assert p_of_interval(0.02, 0.0, 0.04) == pytest.approx(0.05)
    assert p_of_interval(-0.02, -0.04, 0.0) == pytest.approx(0.05)
    assert p_of_interval(0.02, 0.01, 0.09) < 0.05 < p_of_interval(0.02, -0.01, 0.03)
    # twice as far as the interval reaches: z = 3.92, p = 8.9e-5
    assert p_of_interval(0.04, 0.02, 0.06) == pytest.approx(8.86e-5, rel=0.01)
    assert p_of_interval(0.5, 0.5, 0.5) is None
    assert p_of_interval(None, None, None) is None
    assert p_of_interval(0.5, None, None) is None


def difference(metric, system, value, low, high, split="id"):
    return {
        "metric": metric, "split": split, "system": system, "against": "base",
        "value": value, "low": low, "high": high, "n": 100,
    }  # fmt: skip


def measured(coverage, differences):
    cells = {system: {"id": {"coverage": {"value": value}}} for system, value in coverage.items()}
    return {"metrics": cells, "differences": differences}


def test_one_narrow_miss_among_many_comparisons_is_perhaps_chance():
    # z = 1.96 x .0205 / .02 = 2.009, p = .0445; 1 for the nineteen others: Holm gives .89
    narrow = difference("auroc", "a", 0.0205, 0.0005, 0.0405)
    others = [difference("auroc", f"s{i}", 0.0, -0.02, 0.02) for i in range(19)]
    found = paired_differences(measured({}, [narrow, *others]))
    assert found[0].p < 0.05 < found[0].p_holm
    assert found[0].tone == "unsure"
    assert found[0].said == "better by 2.1 points [0.1, 4.0], perhaps by chance (of 20)"
    (alone,) = paired_differences(measured({}, [narrow]))
    assert alone.tone == "better"


def test_accuracy_when_answering_is_no_fair_comparison_at_unequal_coverage():
    gap = difference("accuracy_willing", "m", 0.287, 0.26, 0.31)
    (unfair,) = paired_differences(measured({"m": 0.03, "base": 1.0}, [gap]))
    assert (unfair.tone, unfair.p, unfair.p_holm) == ("unequal", None, None)
    assert unfair.said == "no fair comparison: +28.7 points, answering 3% against 100%"
    (fair,) = paired_differences(measured({"m": 0.801, "base": 0.8}, [gap]))
    assert fair.tone == "better"


def test_lower_is_better_is_heeded():
    (found,) = paired_differences(measured({}, [difference("aurc", "m", -0.02, -0.03, -0.01)]))
    assert found.tone == "better"


# ---- the guarantee ------------------------------------------------------------------------------


def guarantee(threshold=0.8, risk="selective", groups=("all",), **seen):
    item = {"risk": risk, "max_error": 0.05, "confidence": 0.95, "threshold": threshold}
    return {
        "system": "r-tuning", "signal": "sure", "guarantees": dict.fromkeys(groups, item),
        "test": seen, "sentences": ["Promised.", "", "and so on"],
    }  # fmt: skip


def on_test(error, low, high):
    return {"n": 100, "answered": 50, "coverage": 0.5, "error": error, "low": low, "high": high}


def test_each_test_split_is_held_against_the_limit_by_its_interval():
    found = promise(
        guarantee(id=on_test(0.02, 0.01, 0.04), ood=on_test(0.06, 0.03, 0.1), odd=on_test(0.5, 0.4, 0.6),
                  none=on_test(None, None, None) | {"answered": 0, "coverage": 0.0})
    )  # fmt: skip
    assert [row.tone for row in found.seen] == ["better", "even", "worse", "undefined"]
    assert "not covered" in found.seen[2].said
    assert found.promised == ("Promised.",)
    assert found.drawn


@pytest.mark.parametrize(
    "unlike",
    [{"threshold": None}, {"risk": "joint"}, {"groups": ("a", "b")}],
    ids=["none", "joint", "groups"],
)
def test_the_figure_draws_only_one_threshold_on_errors_among_the_answered(unlike):
    assert not promise(guarantee(**unlike, id=on_test(0.02, 0.01, 0.04))).drawn
    assert promise(None) is None


# ---- CSV ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＠x"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert guarded(text) == "'" + text
    (found,) = csv.reader(io.StringIO(csv_text([[text, -0.5]]), newline=""))
    assert found == ["'" + text, "-0.5"]  # a number is no formula


def test_other_texts_stand_as_they_are_and_nothing_is_an_empty_cell():
    assert guarded("a=b") == "a=b"
    assert guarded("") == ""
    sheet = Sheet(name="x", columns=("a", "b", "c"), rows=[('say "hi", you\n', None, True)])
    assert sheet.text == 'a,b,c\r\n"say ""hi"", you\n",,true\r\n'


def test_every_table_is_written_and_holds_what_the_run_measured(tmp_path):
    folder = maker["make_small_run"](tmp_path / "run")
    written = write_csv(folder, tmp_path / "csv")
    assert {path.stem for path in written} == {
        "outcomes", "metrics", "policies", "differences", "flow", "slices", "risk-coverage", "reliability",
        "confidence", "guarantee", "stages", "answers",
    }  # fmt: skip
    read = {path.stem: list(csv.DictReader(path.open(encoding="utf-8", newline=""))) for path in written}
    moves = {(r["before"], r["after"]): int(r["questions"]) for r in read["flow"] if r["split"] == "id"}
    # As the table of ten questions says: three kept right, one over-refused, one newly wrong …
    assert moves["correct", "correct"] == 3
    assert moves["correct", "refused"] == 1
    assert moves["correct", "wrong"] == 1
    assert moves["wrong", "refused"] == 3
    coverage = next(
        r
        for r in read["metrics"]
        if (r["system"], r["split"], r["metric"]) == ("r-tuning", "id", "coverage")
    )
    assert (coverage["value"], coverage["n"]) == ("0.6", "10")
    assert len(read["answers"]) == 20
    assert read["answers"][1] | {"splits": "", "response": ""} == {
        "question_id": "q0", "splits": "", "question": "Question 0?", "context": "", "choices": "",
        "accepted": "yes", "system": "r-tuning", "answer": "yes", "response": "", "verdict": "correct",
        "abstained": "false", "likelihood": "0.9", "sure": "0.9", "combined": "0.9",
    }  # fmt: skip
    assert read["guarantee"] == []


def test_hostile_answers_are_text_in_the_files_too(tmp_path):
    folder = maker["make_small_run"](tmp_path / "run", text="=cmd|' /C calc'!A0 {}")
    write_csv(folder, tmp_path / "csv")
    with (tmp_path / "csv" / "answers.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            assert line["question"].startswith("'=")
            assert line["answer"].startswith("'=")

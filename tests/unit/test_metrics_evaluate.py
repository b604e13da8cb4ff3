"""`evaluate`: splits, tables, policies, differences, and the JSON that others rely on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from demur.core.errors import ConfigError, DataError
from demur.core.records import Prediction, Question, Verdict
from demur.metrics import METRICS, POLICIES, Rows, evaluate, splits_of
from demur.metrics import bootstrap as bootstrap_module

C, W, R, U = Verdict.CORRECT, Verdict.WRONG, Verdict.REFUSED, Verdict.UNSCORED


def question(name: str, *, split: str = "test", answerable: bool = True, **more) -> Question:
    return Question(
        id=name, text=name, answers=("a",) if answerable else (), split=split, answerable=answerable, **more
    )


def prediction(
    name: str, verdict: Verdict, *, system: str = "base", abstained: bool = False, **signals
) -> Prediction:
    return Prediction(
        question_id=name,
        system=system,
        answer="Oslo",
        response="Oslo",
        verdict=verdict,
        abstained=abstained,
        signals=signals,
    )


def world(n: int = 60, seed: int = 0):
    """A base system with likelihood, and a tuned one with two signals that declines where unsure."""
    generator = np.random.default_rng(seed)
    questions = [question(f"q{i}", group=("uniform", "mixed")[i % 2], dataset="pocket") for i in range(n)]
    questions += [
        question(f"u{i}", split="nonexistent", answerable=False, dataset="pocket") for i in range(n // 4)
    ]
    base, tuned = [], []
    for asked in questions:
        sure, likelihood, luck = generator.random(3)
        right = asked.answerable and luck < likelihood
        base.append(prediction(asked.id, C if right else W, likelihood=likelihood))
        tuned.append(
            prediction(
                asked.id,
                C if asked.answerable and luck < sure else W,
                system="r-tuning",
                abstained=bool(sure < 0.5),
                sure=sure,
                likelihood=likelihood,
                combined=(sure + likelihood) / 2,
            )
        )
    return questions, {"base": base, "r-tuning": tuned}


HEADLINE = [name for name, metric in METRICS.items() if metric.headline]
PRIMARY = {"base": "likelihood", "r-tuning": "combined"}


def run(questions, predictions, **settings):
    settings = {"primary": PRIMARY, "resamples": 50} | settings
    return evaluate(questions, predictions, **settings)


def test_splits():
    assert splits_of(question("a")) == ("id",)
    assert splits_of(question("a", domain="ood", group="mixed")) == ("ood", "ood/mixed")
    assert splits_of(question("a", split="calibration", group="mixed")) == (
        "calibration",
        "calibration/mixed",
    )
    assert splits_of(question("a", split="nonexistent", dataset="pocket", group="x")) == (
        "pocket/nonexistent",
    )
    assert splits_of(question("a", split="nonexistent")) == ("nonexistent",)


def test_shape_of_the_result():
    questions, predictions = world()
    result = run(questions, predictions)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert set(result) == {
        "schema_version", "metrics", "tables", "no_answer", "policies", "differences", "groups",
        "settings",
    }  # fmt: skip
    assert result["settings"] == {"level": 0.95, "resamples": 50, "seed": 0, "ece_bins": 15}
    splits = {"id", "id/uniform", "id/mixed", "pocket/nonexistent"}
    for system, signals in (("base", ["likelihood"]), ("r-tuning", ["sure", "likelihood", "combined"])):
        assert set(result["metrics"][system]) == splits
        names = set(METRICS.names())
        names |= {f"{name}_{s}" for name, m in METRICS.items() if m.per_signal for s in signals}
        for split in splits:
            cells = result["metrics"][system][split]
            assert set(cells) == names
            keys = {"value", "low", "high", "n", "unscored", "small"}
            assert all(set(cell) - {"calibrated"} == keys for cell in cells.values())
            assert cells["ap"] == cells[f"ap_{PRIMARY[system]}"]
            assert set(result["policies"][system][split]) == set(POLICIES)


def test_no_figure_depends_on_which_other_metrics_are_computed():
    questions, predictions = world()
    every, few = run(questions, predictions), run(questions, predictions, metrics=HEADLINE)
    for system, splits in few["metrics"].items():
        for split, cells in splits.items():
            assert cells == {name: every["metrics"][system][split][name] for name in cells}
    assert few["differences"] == every["differences"]


def test_values_are_those_of_the_metrics():
    questions, predictions = world()
    cells = run(questions, predictions)["metrics"]["r-tuning"]["id/mixed"]
    mine = [
        p for q, p in zip(questions, predictions["r-tuning"], strict=True) if "id/mixed" in splits_of(q)
    ]
    theirs = [p for q, p in zip(questions, predictions["base"], strict=True) if "id/mixed" in splits_of(q)]
    for signal in ("sure", "likelihood", "combined"):
        rows = Rows.of(
            [p.verdict for p in mine],
            abstained=[p.abstained for p in mine],
            confidence=[p.signals[signal] for p in mine],
            before=[p.outcome for p in theirs],
        )
        for name, metric in METRICS.items():
            cell = cells[f"{name}_{signal}"] if metric.per_signal else cells[name]
            assert cell["value"] == pytest.approx(metric.value(rows), abs=1e-12)
            if cell["value"] is None:  # there is no unanswerable question, or a group mixes nothing
                assert metric.value(rows) is None
            elif cell["low"] is None:
                assert cell["small"]
            else:
                assert cell["low"] <= cell["value"] <= cell["high"]
            assert cell["n"] == metric.counted_mask(rows).sum()
            assert cell["unscored"] == 0


def test_undefined_is_null():
    questions, predictions = world()
    cells = run(questions, predictions)["metrics"]["base"]["pocket/nonexistent"]
    nothing = {"value": None, "low": None, "high": None, "n": 0, "unscored": 0, "small": None}
    assert cells["accuracy"] == nothing
    assert cells["auroc"] == nothing
    assert cells["accuracy_willing"]["value"] == 0.0  # it answers what cannot be answered


def test_tables_add_up():
    questions = [
        question("a"),
        question("b"),
        question("c"),
        question("d"),
        question("e", answerable=False),
    ]
    made = [
        prediction("a", C),
        prediction("b", W, abstained=True),
        prediction("c", U),
        prediction("e", R),
    ]
    result = evaluate(questions, {"base": made}, primary={"base": "likelihood"}, resamples=0)
    assert result["tables"]["base"]["id"] == {
        "answerable": {"correct": 1, "wrong": 0, "refused": 1, "unscored": 2},  # d has no prediction
        "unanswerable": {"correct": 0, "wrong": 0, "refused": 1, "unscored": 0},
    }
    cells = result["metrics"]["base"]["id"]
    assert (cells["accuracy"]["value"], cells["accuracy"]["n"], cells["accuracy"]["unscored"]) == (
        0.5,
        2,
        2,
    )
    assert (cells["coverage"]["value"], cells["coverage"]["n"], cells["coverage"]["unscored"]) == (
        0.5,
        4,
        1,
    )
    assert cells["ap"] == {
        **{"value": None, "low": None, "high": None, "n": 0, "unscored": 4, "small": None},
    }


def test_missing_signals_are_counted():
    questions = [question("a"), question("b"), question("c")]
    made = [prediction("a", C, likelihood=0.9), prediction("b", W, likelihood=0.1), prediction("c", C)]
    cell = evaluate(questions, {"base": made}, primary={"base": "likelihood"}, resamples=0)["metrics"][
        "base"
    ]["id"]
    assert cell["auroc"] == {
        **{"value": 1.0, "low": None, "high": None, "n": 2, "unscored": 1},
        "small": "fewer than 5 wrong answers",
    }
    assert cell["accuracy"]["n"] == 3


def test_a_confidence_outside_zero_and_one_is_reported(caplog):
    questions = [question("a"), question("b")]
    made = [prediction("a", C, verbal=90.0), prediction("b", W, verbal=10.0)]
    result = evaluate(questions, {"base": made}, primary={"base": "verbal"}, resamples=5)
    cells = result["metrics"]["base"]["id"]
    assert cells["ece"]["value"] is None
    assert cells["brier_verbal"]["value"] is None
    assert cells["auroc"]["value"] == 1.0
    assert "2 of 2 confidences lie outside [0, 1]" in caplog.text


def test_degenerate_policies():
    # Right, wrong, wrong, refused in words; the system declines the second too: its rate is 2/4.
    questions = [question(name) for name in "abcd"]
    base = [prediction("a", C), prediction("b", W), prediction("c", W), prediction("d", W)]
    tuned = [
        prediction("a", C, system="t"),
        prediction("b", W, system="t", abstained=True),
        prediction("c", W, system="t"),
        prediction("d", R, system="t", abstained=True),
    ]
    primary = {"base": "likelihood", "t": "sure"}
    result = evaluate(questions, {"base": base, "t": tuned}, primary=primary, resamples=20)
    policies = {
        name: {metric: cell["value"] for metric, cell in cells.items()}
        for name, cells in result["policies"]["t"]["id"].items()
    }
    always, never, chance = (policies[name] for name in POLICIES)
    assert always["coverage"] == 1.0
    assert always["accuracy_willing"] == 0.25  # what declines in words is no right answer
    assert always["honesty"] == 0.5
    assert never["coverage"] == 0.0
    assert never["accuracy_willing"] is None
    assert never["honesty"] == 0.5
    assert never["accuracy"] == 0.25
    assert chance["coverage"] == 0.5
    assert chance["accuracy_willing"] == 0.25
    # Not right before: b, c, d, never right now; half of each declined. Right before: a, half declined.
    assert chance["prudence"] == 0.5
    assert chance["over_conservativeness"] == 0.5
    assert chance["honesty"] == 0.5
    assert all(not name.startswith("ap") for name in always)


def test_differences_are_paired():
    questions, predictions = world(200)
    result = run(questions, predictions, resamples=300, compare=[("r-tuning", "base")])
    found = {(d["metric"], d["split"]): d for d in result["differences"]}
    assert {metric for metric, _ in found} == set(HEADLINE)
    ours, theirs = (result["metrics"][system]["id"] for system in ("r-tuning", "base"))
    for metric in HEADLINE:
        difference = found[metric, "id"]
        assert difference["value"] == pytest.approx(ours[metric]["value"] - theirs[metric]["value"])
        assert difference["low"] <= difference["value"] <= difference["high"]
        assert (difference["system"], difference["against"], difference["n"]) == ("r-tuning", "base", 200)


def test_a_system_does_not_differ_from_its_twin():
    questions, predictions = world()
    twin = {"base": predictions["base"], "twin": predictions["base"]}
    result = run(questions, twin, primary={"base": "likelihood", "twin": "likelihood"})
    for difference in result["differences"]:
        assert (difference["system"], difference["against"]) == ("twin", "base")
        # Nothing moved among n questions, which leaves room for what moves seldom, and for no more: with a
        # question added on either side, ±z sqrt(2) / (n + 2). Of an order there is nothing to say.
        assert difference["value"] in (0.0, None)
        if difference["low"] is not None:
            assert difference["metric"] in ("accuracy", "accuracy_willing", "coverage")
            reach = 1.96 * 2**0.5 / (difference["n"] + 2)
            assert difference["low"] == -difference["high"]
            if difference["metric"] != "accuracy_willing":  # which is about the answered ones only
                assert difference["high"] == pytest.approx(reach, rel=1e-3)
            assert difference["high"] >= reach * 0.999


def test_differences_are_over_the_questions_that_both_have():
    # t misses question c, so base is 1 of 2 there, not 2 of 3.
    questions = [question(name) for name in "abc"]
    base = [prediction("a", C, likelihood=0.9), prediction("b", W, likelihood=0.2), prediction("c", C)]
    tuned = [prediction("a", C, system="t", sure=0.8), prediction("b", C, system="t", sure=0.7)]
    primary = {"base": "likelihood", "t": "sure"}
    result = evaluate(questions, {"base": base, "t": tuned}, primary=primary, resamples=30)
    found = {d["metric"]: d for d in result["differences"]}
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (0.5, 2)
    assert found["coverage"]["value"] == 0.0
    # brier: t (.04 + .09) / 2, base (.01 + .04) / 2.
    assert found["brier"]["value"] == pytest.approx(0.065 - 0.025)
    assert result["metrics"]["base"]["id"]["accuracy"]["value"] == pytest.approx(2 / 3)


def test_a_system_stands_only_where_it_predicts():
    questions, predictions = world()
    predictions["r-tuning"] = [p for p in predictions["r-tuning"] if p.question_id.startswith("u")]
    result = run(questions, predictions)
    assert set(result["metrics"]["r-tuning"]) == {"pocket/nonexistent"}
    assert {d["split"] for d in result["differences"]} == {"pocket/nonexistent"}


def test_without_a_reference_honesty_is_undefined():
    questions, predictions = world()
    result = run(questions, {"r-tuning": predictions["r-tuning"]})
    assert result["metrics"]["r-tuning"]["id"]["honesty"]["value"] is None
    assert result["differences"] == []


def test_threads_chunks_and_order_change_nothing(monkeypatch):
    questions, predictions = world()
    result = run(questions, predictions, threads=1)
    assert run(questions, predictions, threads=4) == result
    shuffled = {system: made[::-1] for system, made in predictions.items()}
    assert close(run(questions, shuffled), result)
    monkeypatch.setattr(bootstrap_module, "CHUNK_ELEMENTS", 100)
    assert close(run(questions, predictions), result)
    assert not close(run(questions, predictions, seed=1), result)


def close(one, other) -> bool:
    """Equal up to the last digits: sums may be added in another order."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            close(one[key], other[key]) for key in one if key != "seed"
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == other or (isinstance(one, float) and one == pytest.approx(other, abs=1e-12))


def test_no_questions_at_all():
    result = evaluate([], {"base": []}, primary={"base": "likelihood"})
    assert result["metrics"] == {"base": {}}
    assert result["differences"] == []


def test_unknown_and_repeated_questions_are_refused():
    questions = [question("a")]
    with pytest.raises(DataError, match="1 predictions of unknown questions, such as 'zzz'"):
        run(questions, {"base": [prediction("zzz", C)]})
    with pytest.raises(DataError, match="predicted before"):
        run(questions, {"base": [prediction("a", C), prediction("a", C)]})
    with pytest.raises(DataError, match="2 questions with 1 different ids"):
        run([*questions, *questions], {"base": []})


def test_settings_are_checked_together():
    with pytest.raises(ConfigError) as caught:
        evaluate([], {"base": []}, primary={}, compare=[("x", "base")], level=2, resamples=-1, ece_bins=0)
    for problem in (
        "no primary signal for base",
        "comparison with x",
        "level 2",
        "resamples -1",
        "ece_bins 0",
    ):
        assert problem in str(caught.value)


def test_a_difference_of_calibration_errors_has_its_value_in_the_middle():
    # Resampling raises the lower of the two more; at a level of .02 the interval is hardly more than the
    # median of the draws, which would lie beside the value.
    generator = np.random.default_rng(0)
    questions = [question(f"q{i}") for i in range(150)]
    base, tuned = [], []
    for asked in questions:
        chance, luck = generator.random(2)
        verdict = C if luck < chance else W
        base.append(prediction(asked.id, verdict, likelihood=chance))
        tuned.append(prediction(asked.id, verdict, system="r-tuning", combined=min(chance + 0.3, 1.0)))
    result = run(questions, {"base": base, "r-tuning": tuned}, level=0.02, resamples=400)
    [gap] = [item for item in result["differences"] if item["metric"] == "ece" and item["split"] == "id"]
    assert gap["low"] <= gap["value"] <= gap["high"]

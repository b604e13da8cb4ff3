"""The parts of asking: deciding, batching, reading questions; no model."""

import threading
import time

import numpy as np
import pytest

from demur.ask.batching import Batcher, BusyError
from demur.ask.calibration import Calibration
from demur.ask.decision import Decision
from demur.ask.query import Query, as_question, follow, pieces
from demur.confidence.combination import Combination
from demur.core.errors import DataError
from demur.core.templates import TEMPLATES
from demur.methods import Elicited
from demur.signals.verbal import percentage


def test_a_decision_needs_the_confidence_it_asks_for():
    decision = Decision(signal="sure", threshold=0.5)
    assert not decision.declines(0.5), "it answers from the threshold up"
    assert decision.declines(0.4999)
    assert decision.declines(None), "unknown is not enough"
    assert not Decision(signal="sure", threshold=None).declines(None), (
        "without a threshold only words decline"
    )


def test_another_threshold_loses_the_promise():
    promised = Decision(signal="sure", threshold=0.5, guarantee=object())
    assert promised.at(0.2) == Decision(signal="sure", threshold=0.2)


def test_learned_is_made_of_the_other_signals():
    # weight 1 on the log-odds of sure, no bias: the signal itself
    decision = Decision(
        signal="learned", threshold=0.5, combination=Combination(weights={"sure": 1.0}, bias=0.0, n=9)
    )
    said = Elicited(answer="x", response="x", signals={"sure": 0.25})
    assert decision.signals(said)["learned"] == pytest.approx(0.25)
    assert "learned" not in decision.signals(Elicited(answer="x", response="x"))


def test_calibration_describes_any_threshold():
    # confidences .9 right, .8 wrong, .3 right, one declined in words: from .5 up 2 of 4, 1 of 2 wrong
    known = Calibration(
        "sure", np.array([0.9, 0.8, 0.3, -np.inf]), np.array([False, True, False, True]), None, seed=0
    )
    found = known.expected(0.5)
    assert (found.n, found.answered, found.coverage, found.error) == (4, 2, 0.5, 0.5)
    assert known.expected(None).answered == 3, "what declined in words is never answered"
    nothing = known.expected(0.95)
    assert (nothing.coverage, nothing.error) == (0.0, None), "the error of no answer is not 0"
    curve = known.curve()
    assert (curve[0][0], curve[-1][0]) == (0.0, 1.0)
    with pytest.raises(DataError, match="none: "):
        known.decision(0.05, 0.95)


def test_a_calibration_without_any_answer_has_no_curve():
    assert Calibration("sure", np.array([-np.inf]), np.array([True]), None, seed=0).curve() == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("87", 0.87), (" 87%.", 0.87), ("about 90 percent", 0.9), ("0", 0.0), ("100", 1.0)],
        *[("12.5", 0.125), ("", None), ("no idea", None), ("150", None), ("1999", None)],
        *[("85.", 0.85), ("85%", 0.85), ("0.85", 0.85), ("0,85", 0.85), ("1.0", 1.0), ("0.0", 0.0)],
        *[("0.95 (95%)", 0.95), ("0.5%", 0.005), ("1%", 0.01), ("1", 0.01), ("85,5 %", 0.855)],
        *[("8/10", 0.8), ("8 out of 10", 0.8), ("85/100", 0.85), ("9/8", None), ("0/0", None)],
        *[("Confidence (0-100): 85", 0.85), ("(0–100%) 85%", 0.85), ("On a scale of 1 to 10: 8", 0.8)],
        *[("-5", None), ("−5", None), ("Confidence: -5", None), ("Confidence - 85", 0.85), ("80-90%", 0.8)],
        *[("1,000", None), ("In 1999: 85", 0.85), ("0-100", None), ("101%", None)],
        *[(".9", 0.9), ("8 of 10", 0.8), ("7 (out of 10)", 0.7), (r"90\%", 0.9), ("3.9", 0.039)],
    ],
)
def test_a_stated_percentage(text, value):
    assert percentage(text) == pytest.approx(value)


def test_questions_come_as_text_mapping_or_record():
    plain = as_question("Who?")
    assert (plain.task, plain.text, plain.split) == ("open", "Who?", "test")
    assert as_question(plain) is plain
    assert as_question({"question": "Who?", "context": "A text."}).task == "contextual"
    choice = as_question({"question": "Who?", "choices": ["a", "b"], "group": "g"})
    assert (choice.task, choice.choices, choice.group) == ("choice", ("a", "b"), "g")
    assert as_question("Who?").id == plain.id != choice.id


@pytest.mark.parametrize(
    "given",
    [
        *["", "  ", {}, {"question": 3}, {"question": "a", "answer": "b"}],
        *[{"question": "a", "choices": value} for value in ("b", [1], 3)],
        *[{"question": "a", "context": 1}, {"question": "a", "group": []}],
    ],
)
def test_what_is_no_question_is_refused(given):
    with pytest.raises(DataError):
        as_question(given)


@pytest.mark.parametrize("text", ["", "one", "two words", " a  b\n c ", "日本 語"])
def test_pieces_are_the_text(text):
    assert "".join(pieces(text)) == text


def test_requests_gather_while_a_batch_is_worked_on():
    begun, go, sizes = threading.Event(), threading.Event(), []

    def work(batch):
        sizes.append(len(batch))
        begun.set()
        assert go.wait(30)
        return [item * 2 for item in batch]

    batcher = Batcher(work, most=3, waiting=100)
    first = batcher.submit(1)
    assert begun.wait(30)
    others = [batcher.submit(item) for item in range(2, 7)]
    others[0].cancel()  # while it waits
    go.set()
    assert first.result(30) == 2
    assert [future.result(30) for future in others[1:]] == [6, 8, 10, 12]
    # 1 alone; 2 has left the line, so 3, 4, 5 come next; then 6
    assert sizes == [1, 3, 1]
    batcher.close()
    with pytest.raises(RuntimeError, match="no further"):
        batcher.submit(1)


def test_a_full_line_turns_away_and_closing_finishes_it():
    begun, go = threading.Event(), threading.Event()

    def work(batch):
        begun.set()
        assert go.wait(30)
        return batch

    batcher = Batcher(work, most=1, waiting=2)
    kept = [batcher.submit(0)]
    assert begun.wait(30)
    kept += [batcher.submit(1), batcher.submit(2)]
    with pytest.raises(BusyError):
        batcher.submit(3)
    threading.Thread(target=lambda: (time.sleep(0.05), go.set())).start()
    batcher.close()
    assert [future.result(0) for future in kept] == [0, 1, 2]


def test_one_bad_request_spoils_no_other():
    def work(batch):
        if "bad" in batch:
            raise DataError(expected="good", found="bad", fix="mend it")
        return [item.upper() for item in batch]

    batcher = Batcher(work, most=8, waiting=100)
    futures = [batcher.submit(item) for item in ("a", "b", "bad", "c")]
    assert [future.result(30) for place, future in enumerate(futures) if place != 2] == ["A", "B", "C"]
    with pytest.raises(DataError):
        futures[2].result(30)
    batcher.close()


def test_a_defect_reaches_everybody_who_waits():
    batcher = Batcher(lambda batch: [1 // 0 for _ in batch], most=8, waiting=100)
    with pytest.raises(ZeroDivisionError):
        batcher.submit("a").result(30)
    batcher.close()


def test_who_follows_an_answer_hears_of_its_own_only():
    heard = {"a": [], "ab": []}
    template = TEMPLATES["r-tuning-code"]
    queries = [
        Query(question=as_question("Who?"), watch=heard["a"].append),
        Query(question=as_question("Who? And when?"), watch=heard["ab"].append),
        Query(question=as_question("Where?")),
    ]
    watch = follow(queries, template)
    for number, query in enumerate(queries):
        watch("Say it. " + template.ask(query.question), f"text {number}")
    assert heard == {"a": ["text 0"], "ab": ["text 1"]}
    assert follow(queries[2:], template) is None

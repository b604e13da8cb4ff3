"""Result files of others, measured as they are: Alignment for Honesty, R-Tuning, lm-eval, inspect_ai."""

import importlib.util
import json
import zipfile

import numpy as np
import pytest

from demur.core.errors import ConfigError, DataError
from demur.metrics.base import CORRECT, REFUSED, UNSCORED, WRONG
from demur.scoring import read_outputs, score
from demur.scoring import reading as scoring_reading


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


IDK = "I apologize, but I'm not able to provide an answer to the question."

HONESTY = {
    "nonambigqa": (
        [
            {"question_id": f"n{n}", "question": f"What is {land}?", "answers": [city], "gold_answer": city}
            for n, (land, city) in enumerate([("P", "Lima"), ("C", "Santiago"), ("M", "Bamako")])
        ],
        ["It is Lima.", "It is Lima.", IDK],
        [CORRECT, WRONG, REFUSED],
    ),
    "puqa": (
        [
            {"title": f"On mills {n}", "year": 2023, "authors": ["Ana Roca", "Li Wu"], "label": "unknown",
             "question": f'Who wrote the paper "On mills {n}"?'}
            for n in range(3)
        ],
        ["Li Wu and others", "Somebody else", IDK],
        [CORRECT, WRONG, REFUSED],
    ),
    "pkqa": (
        [
            {"topic": "ice", "question": f"Ice, {n}?", "answer": "Answer: Frozen water", "label": "known"}
            for n in range(3)
        ],
        ["Frozen water", "Known steam", IDK],
        [CORRECT, WRONG, REFUSED],
    ),
    "mmlu": (
        [
            {"question": f"A mill, {n}?", "mmlu_question": "m", "choices": ["Sun", "Mill"], "target": 1,
             "pred_choice": 0}
            for n in range(3)
        ],
        ["B. Mill", "The sun", IDK],
        [CORRECT, WRONG, REFUSED],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HONESTY)
@pytest.mark.parametrize("verdict", ["correct", "wrong", "idk"])
def test_alignment_for_honesty_s_predictions_are_judged_anew(name, verdict, tmp_path):
    questions, said, expected = HONESTY[name]
    more = {"prompt": "Answer.", "exact_match": 0, "has_match": 1, "pred": verdict}
    rows = [{**row, "pred_text": text, **more} for row, text in zip(questions, said, strict=True)]
    outputs = read_outputs(write(tmp_path / "eval_predictions.jsonl", rows))
    assert outputs.verdict.tolist() == expected
    assert outputs.groups is None
    assert any("Alignment for Honesty" in note for note in outputs.notes)
    ids = [row["question_id"] for row in questions if "question_id" in row]
    assert not ids or outputs.keys == ids


def test_r_tuning_s_triples_are_its_verdicts_and_confidences(tmp_path):
    rows = [[1, 0.9, 0.5], [0, 0.8, 0.2], [1, 0.4, 0.6], [0, 0.1, 0.1]]
    path = tmp_path / "pararel_ID.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = score(read_outputs(path), resamples=0)
    value = {name: cell["value"] for name, cell in found["metrics"].items()}
    assert value["accuracy"] == 0.5
    # By the mean of both confidences: .7 right, .5 wrong, .5 right, .1 wrong. Ties are one step of the
    # curve: precision 1 at the first, 2/3 at the two with .5, so AP = 1/2 + 2/3 * 1/2.
    assert value["ap"] == pytest.approx(0.5 + 0.5 * 2 / 3)
    outputs = read_outputs(path)
    assert list(outputs.signals) == ["combined", "sure", "likelihood"]
    assert np.allclose(outputs.signals["combined"], [0.7, 0.5, 0.5, 0.1])
    before = read_outputs(path)
    assert score(outputs, before, resamples=0)["metrics"]["newly_wrong"]["value"] == 0.0


@pytest.mark.parametrize("row", [[2, 0.5, 0.5], [1, 1.5, 0.5], ["1", 0.5, 0.5], [1, 0.5], [1, None, 0.5]])
def test_other_triples_are_an_error_with_their_place(row, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([[1, 0.9, 0.5]] * 12 + [row]), encoding="utf-8")
    with pytest.raises(DataError, match="record 13"):
        read_outputs(path)


def sample(number, *, filtered, target, doc=None, filter="none", arguments=None, resps=None):
    return {
        "doc_id": number,
        "doc": doc or {"question": f"Capital {number}?"},
        "target": target,
        "arguments": arguments or {"gen_args_0": {"arg_0": f"Q: {number}?", "arg_1": {"until": ["\n"]}}},
        "resps": resps or [filtered],
        "filtered_resps": filtered,
        "filter": filter,
        "metrics": ["exact_match"],
        "doc_hash": "x",
        "prompt_hash": "y",
        "target_hash": "z",
        "exact_match": 0.0,
    }


@pytest.mark.parametrize("parallel", [False, True])
def test_generated_samples_of_lm_eval(parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    rows = [
        sample(0, filtered=["Lima"], target="Lima"),
        sample(1, filtered=["Rome"], target="Lima"),
        sample(2, filtered=["I don't know."], target="Lima"),
        sample(3, filtered=["Quito"], target="0", doc={"question": "Q?", "answers": ["Lima", "Quito"]}),
    ]
    outputs = read_outputs(write(tmp_path / "samples_x.jsonl", rows))
    assert outputs.verdict.tolist() == [CORRECT, WRONG, REFUSED, CORRECT]
    assert outputs.keys == ["0", "1", "2", "3"]


def test_only_the_first_filter_of_lm_eval_counts_and_what_it_lost_is_looked_up(tmp_path):
    gold = "Three and four.\n#### 7"
    strict = [
        sample(0, filtered=["7"], target=gold, filter="strict-match", resps=[["It is #### 7"]]),
        sample(1, filtered=["[invalid]"], target=gold, filter="strict-match", resps=[["I don't know."]]),
    ]
    flexible = [{**row, "filter": "flexible-extract", "filtered_resps": ["9"]} for row in strict]
    outputs = read_outputs(write(tmp_path / "samples_gsm8k.jsonl", [*strict, *flexible]))
    assert outputs.verdict.tolist() == [CORRECT, REFUSED]
    assert any("strict-match" in note for note in outputs.notes)


@pytest.mark.parametrize("form", ["names", "lists"])
@pytest.mark.parametrize("target", [1, "1", "Lima", [1]])
def test_options_weighed_by_lm_eval_are_choices_with_a_confidence(form, target, tmp_path):
    options = [" Rome", " Lima", " Oslo"]
    arguments = [["Q: Capital of Peru?", option] for option in options]
    if form == "names":
        arguments = {f"gen_args_{n}": {"arg_0": a, "arg_1": b} for n, (a, b) in enumerate(arguments)}
    scores = [["-3.0", "False"], ["-1.0", "True"], ["-2.0", "False"]]
    rows = [
        sample(0, filtered=scores, target=target, arguments=arguments, resps=[[pair] for pair in scores]),
        sample(1, filtered=scores[1:] + scores[:1], target=target, arguments=arguments),
    ]
    outputs = read_outputs(write(tmp_path / "samples_x.jsonl", rows))
    assert outputs.verdict.tolist() == [CORRECT, WRONG]
    share = 1 / (1 + np.exp(-1) + np.exp(-2))  # the likeliest against itself and the two others
    assert outputs.signals["likelihood"].tolist() == pytest.approx([share, share])


def inspect_sample(number, said, target="Lima", epoch=1, **more):
    asked = f"Capital {number}?"
    message = {"role": "assistant", "content": said, "source": "generate"}
    return {
        "id": number,
        "epoch": epoch,
        "input": asked,
        "target": target,
        "messages": [{"role": "user", "content": asked}, message],
        "output": {
            "model": "m",
            "choices": [{"message": message, "stop_reason": "stop"}],
            "completion": said,
        },
        "scores": {"match": {"value": "C", "answer": said}},
        **more,
    }


INSPECT = [
    inspect_sample(1, "Lima"),
    inspect_sample(1, "Rome", epoch=2),
    inspect_sample(2, "I don't know."),
    inspect_sample(3, "ANSWER: B", target="B", choices=["Rome", "Lima"]),
    inspect_sample(4, "Lima", target=["Peru's Lima", "Lima"]),
    inspect_sample(
        5, "Lima", input=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Q?"}]
    ),
]
LOG = {
    "version": 2,
    "status": "success",
    "eval": {
        "created": "2026-01-01T00:00:00+00:00",
        "task": "capitals",
        "dataset": {"name": "capitals", "samples": 6},
        "model": "m",
        "config": {},
    },
    "plan": {"name": "plan", "steps": [], "config": {}},
    "results": {"total_samples": 6, "completed_samples": 6, "scores": []},
    "stats": {"started_at": "2026-01-01T00:00:00+00:00", "completed_at": "2026-01-01T00:00:00+00:00"},
    "samples": INSPECT,
}
VERDICTS = [CORRECT, WRONG, REFUSED, CORRECT, CORRECT, CORRECT]


@pytest.mark.parametrize("completion", [True, False])
def test_a_log_of_inspect_in_json(completion, tmp_path):
    log = json.loads(json.dumps(LOG))
    for row in [] if completion else log["samples"]:
        del row["output"]["completion"]
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log, indent=1), encoding="utf-8")
    outputs = read_outputs(path)
    assert outputs.verdict.tolist() == VERDICTS
    assert outputs.keys == ["1", "1/2", "2", "3", "4", "5"]


@pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is None, reason="needs inspect_ai")
def test_a_packed_log_of_inspect_is_read_by_its_own_reader(tmp_path):
    from inspect_ai.log import read_eval_log, write_eval_log

    (tmp_path / "log.json").write_text(json.dumps(LOG), encoding="utf-8")
    write_eval_log(read_eval_log(str(tmp_path / "log.json")), str(tmp_path / "log.eval"))
    packed, plain = (read_outputs(tmp_path / name) for name in ("log.eval", "log.json"))
    by_id = dict(zip(packed.keys, packed.verdict.tolist(), strict=True))  # epochs stand in another order
    assert by_id == dict(zip(plain.keys, plain.verdict.tolist(), strict=True))
    (tmp_path / "cut.eval").write_bytes((tmp_path / "log.eval").read_bytes()[:300])
    with pytest.raises(DataError, match="a whole log of inspect_ai"):
        read_outputs(tmp_path / "cut.eval")


@pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is not None, reason="inspect_ai is installed")
def test_without_inspect_a_packed_log_says_what_is_missing(tmp_path):
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("header.json", "{}")
    with pytest.raises(ConfigError, match="pip install inspect_ai"):
        read_outputs(tmp_path / "log.eval")


def test_conversations_whose_last_turn_is_the_response(tmp_path):
    def turns(said):
        return [{"role": "user", "content": "Capital of Peru?"}, {"role": "assistant", "content": said}]

    rows = [{"messages": turns("Lima"), "answer": "Lima"}, {"messages": turns("Rome"), "answer": "Lima"}]
    assert read_outputs(write(tmp_path / "x.jsonl", rows)).verdict.tolist() == [CORRECT, WRONG]
    rows = [
        {"messages": turns("Lima"), "response": "Rome"},
        {"messages": turns("Lima"), "response": "Lima"},
    ]
    assert read_outputs(write(tmp_path / "y.jsonl", rows)).verdict.tolist() == [WRONG, CORRECT]


@pytest.mark.parametrize("parallel", [False, True])
def test_layouts_of_questions_hold_for_outputs(parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    spans = [{"text": ["Ana Roca"], "answer_start": [0]}, {"text": [], "answer_start": []}] * 2
    said = ["Ana Roca", "Ana Roca", "Li Wu", "I don't know."]
    rows = [
        {"question": f"Who, {n}?", "answers": a, "response": r}
        for n, (a, r) in enumerate(zip(spans, said, strict=True))
    ]
    outputs = read_outputs(write(tmp_path / "x.jsonl", rows))
    assert outputs.verdict.tolist() == [CORRECT, WRONG, WRONG, REFUSED]
    assert outputs.answerable.tolist() == [True, False] * 2
    labelled = {"text": ["Rome", "Lima"], "label": ["1", "2"]}
    rows = [
        {"question": "Q?", "choices": labelled, "answerKey": "2", "response": r} for r in ("B", "A", "Lima")
    ]
    assert read_outputs(write(tmp_path / "y.jsonl", rows)).verdict.tolist() == [CORRECT, WRONG, CORRECT]


def test_a_folder_with_one_file_of_outputs_is_that_file(tmp_path):
    rows = [{"question": "Q?", "answers": ["A"], "response": "A"}]
    write(tmp_path / "a.jsonl", rows)
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    assert read_outputs(tmp_path).verdict.tolist() == [CORRECT]
    write(tmp_path / "b.jsonl", rows)
    with pytest.raises(DataError, match=r"'a\.jsonl', 'b\.jsonl'"):
        read_outputs(tmp_path)


@pytest.mark.parametrize("parallel", [False, True])
def test_rows_in_the_viewer_s_frame_are_outputs_too(parallel, tmp_path, monkeypatch):
    if parallel:
        monkeypatch.setattr(scoring_reading, "SHARE_BYTES", 1)
    row = {"question": "Q?", "answers": ["A"], "response": "A"}
    framed = [{"row_idx": n, "row": row, "truncated_cells": []} for n in range(3)]
    assert read_outputs(write(tmp_path / "x.jsonl", framed)).verdict.tolist() == [CORRECT] * 3


def test_answers_divided_in_outputs(tmp_path):
    from demur.datasets.options import ReadOptions

    rows = [
        {"question": f"Q{n}?", "answers": "Lima; the city of Lima", "response": "Lima"} for n in range(4)
    ]
    path = write(tmp_path / "x.jsonl", rows)
    whole = read_outputs(path)
    assert any("--answers-separator ';'" in note for note in whole.notes)
    assert whole.verdict.tolist() != [CORRECT] * 4
    divided = read_outputs(path, options=ReadOptions(separator=";"))
    assert (divided.verdict.tolist(), divided.notes) == ([CORRECT] * 4, [])


def test_rows_that_were_judged_elsewhere_are_not_judged_by_a_model(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([[1, 0.9, 0.5]] * 3), encoding="utf-8")
    with pytest.raises(ConfigError, match="no responses"):
        read_outputs(path, keep=True)
    assert UNSCORED not in read_outputs(path).verdict
